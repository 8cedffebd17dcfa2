"""Access control policies: the words that both boundaries allow, and an order that has no gaps."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from tests.engine.alibaba.api import Answer, Parameters, Refused
from tests.engine.alibaba.cloudfw.address_books import AddressBooks

_BY_NAME: Final = {"HTTP", "HTTPS", "IMAPS", "POPS", "SMTP", "SMTPS", "SSL"}
"""What says a name itself, so that it can be asked for by its name (CreateNatFirewallControlPolicy)."""
_APPLICATIONS: Final = _BY_NAME | {
    *("ANY", "FTP", "Memcache", "MongoDB", "MQTT", "MySQL", "RDP", "Redis", "SSH", "SSL_No_Cert", "VNC")
}
"""AddControlPolicy, `ApplicationNameList`."""
_MOST_APPLICATIONS: Final = 5
_FQDN: Final = {"", "0", "FQDN"}
"""`DomainResolveType`: of both boundaries, and where nothing is said."""
_LOOKED_UP: Final = {"1", "DNS", "2", "FQDN_AND_DNS"}
_SAID: Final = (
    *("AclAction", "Description", "Source", "SourceType", "Destination", "DestinationType", "Proto"),
    *("DestPort", "DestPortType", "DestPortGroup", "DomainResolveType", "IpVersion", "Release", "RepeatType"),
)
_DEFAULTS: Final = {"DestPortType": "port", "IpVersion": "4", "Release": "true", "RepeatType": "Permanent"}


@dataclass(kw_only=True)
class Policy:
    """A policy, in the words of the API."""

    id: str
    said: dict[str, str]
    applications: list[str]

    @property
    def books(self) -> tuple[str, ...]:
        """The names of the books that it speaks of."""
        sides = (("SourceType", "Source"), ("DestinationType", "Destination"), ("DestPortType", "DestPortGroup"))
        return tuple(self.said[name] for kind, name in sides if self.said.get(kind) == "group")

    def tell(self, p: Parameters) -> None:
        """Take over what a call says of it."""
        self.said |= {name: p[name] for name in _SAID if name in p}
        self.applications = p.texts("ApplicationNameList") or self.applications

    def shown(self, order: int) -> Answer:
        """As it is described, but for the kind of `DomainResolveType`, in which the boundaries differ."""
        return {
            "AclUuid": self.id,
            "Order": order,
            **{name: self.said.get(name, _DEFAULTS.get(name, "")) for name in _SAID},
            "ApplicationNameList": [*self.applications],
            "CreateTime": 1795305600,
        }


class PolicyList:
    """The policies of one boundary and direction: the first has order 1, and there are no gaps."""

    def __init__(self) -> None:
        self.policies: list[Policy] = []

    def insert(self, policy: Policy, order: str) -> None:
        """Give a new one its place; those from there on move down. `-1` is the last.

        Raises:
            Refused: there is no such place (CreateNatFirewallControlPolicy).
        """
        self.policies.insert(self._place(order, len(self.policies) + 1), policy)

    def move(self, policy: Policy, order: str) -> None:
        """Give one another place; those between move by one.

        Raises:
            Refused: there is no such place (ModifyNatFirewallControlPolicyPosition).
        """
        place = self._place(order, len(self.policies))
        self.policies.remove(policy)
        self.policies.insert(place, policy)

    def with_id(self, name: str) -> Policy:
        """The one that is meant; the code is the one that the plugin knows."""
        found = next((each for each in self.policies if each.id == name), None)
        if found is None:
            raise Refused("ErrorParametersAclUuid", "The ACL UUID is invalid.")
        return found

    def shown(self, name: str) -> list[Answer]:
        """Described: the one with this id, or all of them."""
        return [each.shown(order) for order, each in enumerate(self.policies, start=1) if name in {"", each.id}]

    def _place(self, order: str, last: int) -> int:
        number = last if order == "-1" else int(order)
        if not 1 <= number <= last:
            raise Refused("ErrorParametersNewOrder", "The newOrder is invalid.")
        return number - 1


def check(policy: Policy, books: AddressBooks) -> None:
    """Refuse what the API refuses; the codes are those of AddControlPolicy and CreateNatFirewallControlPolicy."""
    said = policy.said
    if said["AclAction"] not in {"accept", "drop", "log"}:
        raise Refused("ErrorParametersAction", "The action is invalid.")
    if said["Proto"] not in {"ANY", "TCP", "UDP", "ICMP"}:
        raise Refused("ErrorParametersProto", "The protocol is invalid.")
    if said.get("IpVersion", "4") != "4":
        raise Refused("ErrorParameterIpVersion", "The IP version is invalid.")
    if not said["Description"]:
        raise Refused("ErrorParameters", "A parameter error occurred: Description.")
    _check_applications(policy)
    _check_source(policy, books)
    _check_ports(policy, books)
    _check_destination(policy, books)


def _check_applications(policy: Policy) -> None:
    named = policy.applications
    only_any = policy.said["Proto"] != "TCP"
    if not 1 <= len(named) <= _MOST_APPLICATIONS or not {*named} <= ({"ANY"} if only_any else _APPLICATIONS):
        raise Refused("ErrorParametersApplicationNameList", "Specified parameter ApplicationNameList is not valid.")


def _check_source(policy: Policy, books: AddressBooks) -> None:
    kind, source = policy.said["SourceType"], policy.said["Source"]
    if not (_is_ipv4(source) if kind == "net" else kind == "group" and books.named(source).kind == "ip"):
        raise Refused("ErrorParametersSource", "The source is invalid.")


def _check_ports(policy: Policy, books: AddressBooks) -> None:
    port, kind = policy.said.get("DestPort", ""), policy.said.get("DestPortType", "port")
    if kind == "group":
        if port or books.named(policy.said.get("DestPortGroup", "")).kind != "port":
            raise Refused("ErrorParametersGroupPort", "The group port is invalid.")
    elif kind != "port" or (policy.said["Proto"] == "ICMP") != (port == "") or not _is_port_range(port):
        raise Refused("ErrorParametersDestPort", "The dst_port is invalid.")


def _check_destination(policy: Policy, books: AddressBooks) -> None:
    kind, destination = policy.said["DestinationType"], policy.said["Destination"]
    if kind == "net" and _is_ipv4(destination):
        return
    book = books.named(destination) if kind == "group" else None
    if book is not None and book.kind == "ip":
        return
    if kind != "domain" and (book is None or book.kind != "domain"):
        raise Refused("ErrorParametersDestination", "The Destination parameter is invalid.")
    _check_names(policy, has_wildcards=destination.startswith("*.") if book is None else book.has_wildcards)


def _check_names(policy: Policy, *, has_wildcards: bool) -> None:
    resolved, named = policy.said.get("DomainResolveType", ""), {*policy.applications}
    if resolved not in _FQDN | _LOOKED_UP:
        raise Refused("ErrorParameters", "A parameter error occurred: DomainResolveType.")
    if "FTP" in named:
        raise Refused("ErrorParametersFtpNotSupport", "domain destination not support ftp.")
    if resolved in _FQDN and not named <= _BY_NAME:
        raise Refused("ErrorEmptyDomainResolveType", "Only HTTP/HTTPS/SSL/SMTP/SMTPS apps are supported by name.")
    if resolved not in _FQDN and has_wildcards:
        raise Refused("ErrorDomainResolve", "An error occurred while resolving the domain.")


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Network(text)
    except ValueError:
        return False
    return True


def _is_port_range(text: str) -> bool:
    match = re.fullmatch(r"(\d+)(?:/(\d+))?", text)
    return text == "" or (match is not None and 0 <= int(match[1]) <= int(match[2] or match[1]) <= 65535)
