"""What planned Gateway API objects really let through, read from the objects alone.

Written from Gateway API's, Istio's and Kubernetes' documentation and from none of the planner's code.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from components.plan import KubeObject, Plan
from tests.plan.projections import Access
from tests.support import of_kind

_GROUP = "gateway.networking.k8s.io/v1"
_ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute")
_BY_PROTOCOL = {"HTTPS": {"HTTPRoute", "GRPCRoute"}, "TLS": {"TCPRoute"}}
"""Which routes istiod takes on a listener that ends TLS."""
Place = tuple[str, int]
"""Host and port outside."""


class Door(NamedTuple):
    """One way into a gateway: its Service, the port there, and the HTTP authority (`None` where nobody reads it)."""

    service: str
    port: int
    authority: str | None


def doors(plan: Plan) -> dict[Door, Place]:
    """Every way through the gateways, and where it leads."""
    sections = _sections(plan)
    outside = _outside_ports(plan)
    found: dict[Door, Place] = {}
    for route in _routes(plan):
        for parent in route.spec["parentRefs"]:
            if parent.get("kind", "Gateway") != "Gateway":
                continue
            service, listener = sections[route.namespace, parent["name"], parent["sectionName"]]
            assert route.kind in _BY_PROTOCOL[listener["protocol"]], f"istiod refuses {route.kind} {route.name}"
            (rule,) = route.spec["rules"]
            (backend,) = rule["backendRefs"]
            assert (backend["group"], backend["kind"]) == ("networking.istio.io", "Hostname")
            assert "namespace" not in backend
            place = backend["name"], outside[backend["name"], backend["port"]]
            for authority in route.spec["hostnames"] if route.kind != "TCPRoute" else [None]:
                door = Door(service, listener["port"], authority)
                assert door not in found, f"{door} leads to two places"
                found[door] = place
    return found


def gateway_lets_through(plan: Plan, trust_domain: str = "cluster.local") -> set[Access]:
    """Everything that some client gets through a gateway: (namespace/service account, host, port)."""
    ways = doors(plan)
    found: set[Access] = set()
    for policy in of_kind(plan, "AuthorizationPolicy"):
        assert policy.spec.get("action", "ALLOW") == "ALLOW"
        gateway = policy.spec.get("selector", {}).get("matchLabels", {}).get("app")
        for rule in policy.spec.get("rules", []):
            places = {place for door, place in ways.items() if _is_of(door, gateway) and _allowed(rule, door)}
            found |= {(client, *place) for client in _clients(rule, trust_domain) for place in places}
    return found


def mesh_reaches(plan: Plan) -> dict[Access, Door]:
    """Which door the sidecars of a namespace send a host and port to; the ports are those of ServiceEntries."""
    entries = {(entry.namespace, entry.name): entry for entry in of_kind(plan.egress_gateway, "ServiceEntry")}
    mutual = {
        (rule.namespace, rule.spec["host"])
        for rule in of_kind(plan, "DestinationRule")
        if rule.spec["trafficPolicy"].get("tls") == {"mode": "ISTIO_MUTUAL"}
    }
    found: dict[Access, Door] = {}
    for route in _routes(plan):
        for parent in route.spec["parentRefs"]:
            if parent.get("kind") != "ServiceEntry":
                continue
            assert parent["group"] == "networking.istio.io"
            entry = entries[route.namespace, parent["name"]]
            (rule,) = route.spec["rules"]
            (backend,) = rule["backendRefs"]
            assert backend["kind"] == "Service", "a route around the gateway"
            service = f"{backend['name']}.{backend.get('namespace', route.namespace)}.svc.cluster.local"
            for namespace in set(entry.spec["exportTo"]) - {"."}:
                assert (namespace, service) in mutual, f"{namespace} speaks no mutual TLS to {service}"
                for host in entry.spec["hosts"]:
                    if route.kind == "TLSRoute" and host not in route.spec["hostnames"]:
                        continue
                    access = (namespace, host, parent["port"])
                    assert access not in found, f"{access} is sent to two places"
                    authority = None if route.kind in {"TLSRoute", "TCPRoute"} else host
                    found[access] = Door(service, backend["port"], authority)
    return found


def gateways(plan: Plan) -> list[KubeObject]:
    """The Gateways that istiod serves."""
    return [
        item
        for item in of_kind(plan.egress_gateway, "Gateway")
        if item.api_version == _GROUP and item.spec["gatewayClassName"] == "istio"
    ]


def _routes(plan: Plan) -> Iterator[KubeObject]:
    for kind in _ROUTES:
        for route in of_kind(plan.egress_gateway, kind):
            assert route.api_version == _GROUP
            yield route


def _sections(plan: Plan) -> dict[tuple[str | None, str, str], tuple[str, Mapping[str, Any]]]:
    """Every listener by namespace, Gateway and name, with the Service that it is on."""
    found: dict[tuple[str | None, str, str], tuple[str, Mapping[str, Any]]] = {}
    for gateway in gateways(plan):
        for listener in gateway.spec["listeners"]:
            assert "hostname" not in listener, "the outer SNI is not a host's"
            assert listener["tls"] == {
                "mode": "Terminate",
                "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"},
            }, "only mutual TLS tells the gateway who is asking"
            found[gateway.namespace, gateway.name, listener["name"]] = (_service(gateway), listener)
    return found


def _service(gateway: KubeObject) -> str:
    """The Service whose pods get the listeners: the address, or what istiod deploys where there is none."""
    if "addresses" not in gateway.spec:
        name = gateway.annotations["gateway.istio.io/name-override"]
        return f"{name}.{gateway.namespace}.svc.cluster.local"
    (address,) = gateway.spec["addresses"]
    assert address["type"] == "Hostname", "istiod would deploy a gateway of its own"
    return address["value"]


def _outside_ports(plan: Plan) -> dict[Place, int]:
    """The port outside of each port by which proxies know a host."""
    return {
        (host, port["number"]): port.get("targetPort", port["number"])
        for entry in of_kind(plan.egress_gateway, "ServiceEntry")
        for host in entry.spec["hosts"]
        for port in entry.spec["ports"]
    }


def _is_of(door: Door, gateway: str) -> bool:
    return door.service.partition(".")[0] == gateway


def _allowed(rule: Mapping[str, Any], door: Door) -> bool:
    """Whether a rule holds at a door; one about ports only does for TCP too (istiod drops rules about HTTP there)."""
    assert "when" not in rule, "the outer SNI tells nothing here"
    return any(
        str(door.port) in each["operation"]["ports"]
        and ("hosts" not in each["operation"] or door.authority in each["operation"]["hosts"])
        for each in rule["to"]
    )


def _clients(rule: Mapping[str, Any], trust_domain: str) -> Iterator[str]:
    (source,) = rule["from"]
    for principal in source["source"]["principals"]:
        domain, ns, namespace, sa, account = principal.split("/")
        assert (domain, ns, sa) == (trust_domain, "ns", "sa")
        yield f"{namespace}/{account}"
