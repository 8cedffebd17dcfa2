"""What each egress gateway lets out, read from the planned objects alone, and from none of the planner's code."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from components.plan import KubeObject, Plan
from tests.support import of_kind

_DNS: Final = 53


@dataclass(kw_only=True)
class Ways:
    """What leads through one gateway."""

    hosts: set[str] = field(default_factory=set[str])
    """Hosts outside to which its routes lead."""
    clients: set[str] = field(default_factory=set[str])
    """Namespace and service account of whom it lets in."""
    cidrs: set[str] = field(default_factory=set[str])
    """Ranges that its NetworkPolicy opens."""
    outside_ports: set[int] = field(default_factory=set[int])
    """The ports there."""
    service_ports: set[int] = field(default_factory=set[int])
    """The ports of its Service."""


def ways_of_gateways(plan: Plan) -> dict[str, Ways]:
    """What leads through each gateway, by the name of its release."""
    found: dict[str, Ways] = {}
    for release in plan.egress_gateway.releases:
        ways = found.setdefault(release.name, Ways())
        labels = release.values["labels"]
        ways.service_ports |= {port["port"] for port in release.values["service"]["ports"]}
        listeners = {f"{item.namespace}/{item.name}" for item in _istio_gateways(plan, labels)}
        for service in of_kind(plan, "VirtualService"):
            ways.hosts |= set(_led_to(service, listeners))
        for policy in of_kind(plan, "AuthorizationPolicy"):
            if policy.spec.get("selector") == {"matchLabels": labels}:
                ways.clients |= set(_let_in(policy))
        for policy in plan.gateway_policies:
            if policy.spec["podSelector"] == {"matchLabels": labels}:
                for rule in policy.spec.get("egress", ()):
                    blocks = {peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer}
                    if blocks and all(port["port"] != _DNS for port in rule["ports"]):
                        ways.cidrs |= blocks
                        ways.outside_ports |= {port["port"] for port in rule["ports"]}
    return found


def _istio_gateways(plan: Plan, labels: dict[str, str]) -> Iterator[KubeObject]:
    """The listeners that istiod gives to pods with these labels: all of the selector must be among them."""
    for item in of_kind(plan, "Gateway"):
        is_istios = item.api_version.startswith("networking.istio.io")
        if is_istios and item.spec["selector"].items() <= labels.items():
            yield item


def _led_to(service: KubeObject, listeners: set[str]) -> Iterator[str]:
    for kind in ("http", "tcp", "tls"):
        for route in service.spec.get(kind, []):
            # A match without gateways is for all that the VirtualService names.
            named = [match.get("gateways", service.spec["gateways"]) for match in route["match"]]
            if any(set(gateways) & listeners for gateways in named):
                yield from (target["destination"]["host"] for target in route["route"])


def _let_in(policy: KubeObject) -> Iterator[str]:
    for rule in policy.spec.get("rules", []):
        for source in rule["from"]:
            for principal in source["source"]["principals"]:
                _, _, namespace, _, account = principal.split("/")
                yield f"{namespace}/{account}"
