"""How much of what the account may have the declaration takes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic.alias_generators import to_camel

from components.plan.cloud.firewall import AddressBook, FirewallPlan
from components.plan.cloud.network import NetworkPlan
from components.plan.cloud.nodes import NodePoolPlan
from components.plan.egress_gateway import direct_namespaces
from components.plan.groups import client_groups
from components.plan.lockdown import client_policies, gateway_policies
from components.settings import Settings
from components.settings.cloud.limits import Limits
from components.settings.problems import Path
from policy.approvals import Approvals

_POLICIES: Final = 'Cloud Firewall, "Subscription"'
_BOOKS: Final = 'Cloud Firewall, "Manage address books"'
_RATE: Final = "Cloud Firewall, AddAddressBook"
_PAGE: Final = 50
"""Books in an answer (Cloud Firewall, DescribeAddressBook)."""
_NAT: Final = 'NAT Gateway, "Quotas"'
_VPC: Final = 'VPC, "Limits and quotas"'


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One limit, and the distance to it."""

    name: str
    """The key under cloud.limits."""
    used: int
    limit: int
    source: str
    """The page that says so."""
    path: Path
    """The setting that drives it."""

    @property
    def said(self) -> dict[str, int | str]:
        """What the preview shows of it."""
        return {"used": self.used, "limit": self.limit, "left": self.limit - self.used, "source": self.source}


def quotas(
    settings: Settings,
    approvals: Approvals,
    limits: Limits,
    *,
    network: NetworkPlan,
    nodes: NodePoolPlan,
    firewall: FirewallPlan | None,
) -> tuple[Quota, ...]:
    """Every limit that concerns what is created, by its key."""
    found = [
        *_of_firewall(limits, network, firewall),
        *_of_network(limits, network, firewall),
        _quota(
            limits,
            "network_policies",
            _network_policies(settings, approvals),
            'Container Service, "Use network policies in ACK clusters"',
            ("cluster", "namespaces"),
        ),
        _quota(
            limits,
            "security_group_rules",
            max(len(group.rules) for group in nodes.security_groups),
            "Elastic Compute Service, AuthorizeSecurityGroup",
            ("destinations",),
        ),
    ]
    return tuple(sorted(found, key=lambda each: each.name))


def _of_firewall(limits: Limits, network: NetworkPlan, firewall: FirewallPlan | None) -> Iterator[Quota]:
    if firewall is None:
        return
    declared: Path = ("destinations",)
    eips = 0 if network.nat is None else len(network.nat.eips)
    books = (*firewall.sources, *firewall.destinations)
    yield _quota(limits, "nat_policies", sum(each.spread for each in firewall.policies), _POLICIES, declared)
    if firewall.internet_boundary:
        spread = sum(eips * each.destinations for each in firewall.policies)
        yield _quota(limits, "internet_policies", spread, _POLICIES, declared)
    yield _quota(limits, "address_books", len(books) + firewall.internet_boundary, _BOOKS, declared)
    # Destinations' books are split where they overflow, and those of who sends are not.
    yield _quota(limits, "addresses_per_book", _fullest(books, "ip"), _BOOKS, ("egress", "nodes", "zones"))
    yield _quota(limits, "domains_per_book", _fullest(books, "domain"), _BOOKS, declared)
    yield _quota(limits, "firewall_calls_per_minute", _most_calls(firewall), _RATE, declared)


def _most_calls(firewall: FirewallPlan) -> int:
    """The calls of a refresh, of the operation that it calls most: each book reads all, page by page."""
    books = len(firewall.sources) + len(firewall.destinations) + firewall.internet_boundary
    policies = len(firewall.policies)
    of_internet = 2 * policies if firewall.internet_boundary else 0  # a policy, and its place
    return max(policies, of_internet, books * math.ceil(books / _PAGE))


def _fullest(books: tuple[AddressBook, ...], kind: str) -> int:
    return max((len(book.entries) for book in books if book.kind == kind), default=0)


def _of_network(limits: Limits, network: NetworkPlan, firewall: FirewallPlan | None) -> Iterator[Quota]:
    zones: Path = ("egress", "nodes", "zones")
    yield _quota(limits, "vswitches", len(network.vswitches), _VPC, zones)
    if network.nat is None:
        return
    addresses: Path = ("egress", "addresses")
    eips = len(network.nat.eips)
    entries = len(network.nat.sends) + (0 if firewall is None else eips)
    yield _quota(limits, "route_tables", len(network.route_tables), _VPC, addresses)
    yield _quota(limits, "snat_entries", entries, 'NAT Gateway, "FAQ"', zones)
    yield _quota(limits, "nat_gateway_eips", eips, _NAT, (*addresses, "count"))
    yield _quota(limits, "account_eips", eips, 'Elastic IP Address, "Quotas"', (*addresses, "count"))


def _network_policies(settings: Settings, approvals: Approvals) -> int:
    """What is registered under `enforce`, also while `observe` holds it back."""
    groups = client_groups(settings.destinations, direct_namespaces=direct_namespaces(settings))
    return len(gateway_policies(settings, approvals, groups)) + len(client_policies(settings, approvals, groups))


def _quota(limits: Limits, key: str, used: int, source: str, path: Path) -> Quota:
    return Quota(name=to_camel(key), used=used, limit=getattr(limits, key), source=source, path=path)
