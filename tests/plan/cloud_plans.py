"""Plans of what is created, and what their rules let pass: asked as the cloud asks, one rule after the other."""

import ipaddress
from collections.abc import Iterator

from components.plan.cloud.firewall import FQDN, FirewallPlan, Policy
from components.plan.cloud.planning import CloudPlan
from components.plan.cloud.security_groups import SecurityGroup, SecurityGroupRule
from tests.support import Values, plan_of

_LOADED = {443: "HTTPS", 465: "SMTPS", 993: "IMAPS", 995: "POPS"}


def cloud_of(values: Values) -> CloudPlan:
    """What a declaration creates."""
    plan = plan_of(values).cloud
    assert plan is not None
    return plan


def firewall_of(values: Values) -> FirewallPlan:
    """Its firewall."""
    plan = cloud_of(values).firewall
    assert plan is not None
    return plan


def group_of(values: Values, name: str) -> SecurityGroup:
    """One of its security groups."""
    (found,) = [each for each in cloud_of(values).nodes.security_groups if each.name == name]
    return found


def decides(group: SecurityGroup, direction: str, address: str, port: int | None = None) -> str:
    """What becomes of TCP to or from an address; without `port`, of anything else.

    The lowest priority decides, and of two alike `drop`; without a rule it is dropped (Elastic Compute Service,
    "Basic security groups and advanced security groups").
    """
    fitting = [rule for rule in group.rules if rule.direction == direction and _fits(rule, address, port)]
    return min(fitting, key=lambda each: (each.priority, each.policy == "accept")).policy if fitting else "drop"


def _fits(rule: SecurityGroupRule, address: str, port: int | None) -> bool:
    if ipaddress.ip_address(address) not in ipaddress.ip_network(rule.cidr):
        return False
    if rule.protocol == "all":
        return True
    first, last = map(int, rule.ports.split("/"))
    return rule.protocol == "tcp" and port is not None and first <= port <= last


def passes(plan: FirewallPlan, source: str, place: str, port: int, *, spoken: str = "TLS") -> str:
    """What becomes of TCP from an address to a place, spoken in `HTTP`, `TLS` or `bytes` there."""
    return decider(plan, source, place, port, spoken=spoken).action


def decider(plan: FirewallPlan, source: str, place: str, port: int, *, spoken: str = "TLS") -> Policy:
    """The policy that decides about it: the first that fits (Cloud Firewall, "Overview of access control policies").

    A name in FQDN mode is looked for in the request or the SNI; in DNS mode, and as an address, it is where the
    connection goes.
    """
    assert [policy.order for policy in plan.policies] == list(range(1, len(plan.policies) + 1))
    return next(policy for policy in plan.policies if _is_about(policy, source, place, port, spoken))


def _is_about(policy: Policy, source: str, place: str, port: int, spoken: str) -> bool:
    if policy.port not in (None, port):
        return False
    if policy.source is not None and not any(_is_in(source, each) for each in policy.source.entries):
        return False
    if policy.destination is None:
        return True
    if policy.destination.kind == "domain":
        applications = {"TLS": _LOADED.get(port, "SSL"), "HTTP": "HTTP"}
        if policy.resolved_by == FQDN and applications.get(spoken) != policy.application:
            return False
        return any(_is_named(place, each) for each in policy.destination.entries)
    return any(_is_in(place, each) for each in policy.destination.entries)


def _is_in(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:
        return False


def _is_named(name: str, entry: str) -> bool:
    return name == entry or (entry.startswith("*.") and name.endswith(entry[1:]))


def let_pass(plan: FirewallPlan) -> Iterator[tuple[str, str, str, int | None, str]]:
    """Everything that policies accept, pair by pair: source, kind of book, place, port, application."""
    for policy in plan.policies:
        if policy.action == "accept":
            assert policy.source is not None
            assert policy.destination is not None
            for source in policy.source.entries:
                for place in policy.destination.entries:
                    yield source, policy.destination.kind, place, policy.port, policy.application
