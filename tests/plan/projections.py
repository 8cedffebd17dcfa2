"""What the planned objects really let through, read from the objects alone, layer by layer.

Written from Istio's and Kubernetes' documentation and from none of the planner's code, so that a mistake there does
not hide itself here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.plan import KubeObject, Plan
from tests.support import Values, istio_of, objects, of_kind

Access = tuple[str, str, int]
"""Client (`namespace/service account`, or a namespace), host, port."""


@dataclass(frozen=True)
class Door:
    """One way into the egress gateway: outer SNI, gateway port, and the HTTP authority (`None` for TLS)."""

    sni: str
    port: int
    authority: str | None


def declared(values: Values) -> set[Access]:
    """What the declaration allows."""
    return {
        (f"{namespace}/{account}", host, port["port"])
        for destination in values["destinations"].values()
        for namespace, client in destination["clients"].items()
        for account in client["serviceAccounts"]
        for host in destination["hosts"]
        for port in destination["ports"].values()
    }


def doors(plan: Plan) -> dict[Door, tuple[str, int]]:
    """Every way through the gateway, and the host and port outside to which it leads."""
    found: dict[Door, tuple[str, int]] = {}
    services = of_kind(plan, "VirtualService")
    for gateway in of_kind(plan, "Gateway"):
        if gateway.api_version.startswith("networking.istio.io"):
            for server in gateway.spec["servers"]:
                for door, place in _behind(f"{gateway.namespace}/{gateway.name}", server, services):
                    assert found.setdefault(door, place) == place, f"{door} leads to two places"
    return found


def _behind(
    gateway: str, server: Mapping[str, Any], services: list[KubeObject]
) -> Iterator[tuple[Door, tuple[str, int]]]:
    assert server["tls"] == {"mode": "ISTIO_MUTUAL"}, "only mutual TLS tells the gateway who is asking"
    port, hosts = server["port"]["number"], server["hosts"]
    for service in services:
        own = set(hosts) & set(service.spec["hosts"])
        if gateway not in service.spec["gateways"] or not own:
            continue
        if server["port"]["protocol"] == "HTTPS":
            for authority in own:
                place = _first(service.spec.get("http", []), gateway, port, authority)
                if place is not None:
                    yield from ((Door(sni, port, authority), place) for sni in hosts)
        else:
            assert server["port"]["protocol"] == "TLS"
            place = _first(service.spec.get("tcp", []), gateway, port, None)
            assert place is not None, f"lane {port} of {gateway} leads nowhere"
            yield from ((Door(sni, port, None), place) for sni in hosts)


def _first(routes: list[Any], gateway: str, port: int, authority: str | None) -> tuple[str, int] | None:
    for route in routes:
        for match in route["match"]:
            if (
                gateway in match["gateways"]
                and match["port"] == port
                and (authority is None or re.fullmatch(match["authority"]["regex"], authority))
            ):
                (only,) = route["route"]
                return only["destination"]["host"], only["destination"]["port"]["number"]
    return None


def gateway_lets_through(plan: Plan, trust_domain: str = "cluster.local") -> set[Access]:
    """Everything that some client gets through the gateway: (namespace/service account, host, port)."""
    found: set[Access] = set()
    ways = doors(plan)
    by_sni: defaultdict[str, list[Door]] = defaultdict(list)
    for door in ways:
        by_sni[door.sni].append(door)
    for policy in of_kind(plan, "AuthorizationPolicy"):
        assert policy.spec.get("action", "ALLOW") == "ALLOW"
        for rule in policy.spec.get("rules", []):
            reached = [
                ways[door] for sni in by_sni if _knows(rule, sni) for door in by_sni[sni] if _allowed(rule, door)
            ]
            found |= {(client, *place) for client in _clients(rule, trust_domain) for place in reached}
    return found


def _clients(rule: Mapping[str, Any], trust_domain: str) -> Iterator[str]:
    (source,) = rule["from"]
    for principal in source["source"]["principals"]:
        domain, ns, namespace, sa, account = principal.split("/")
        assert (domain, ns, sa) == (trust_domain, "ns", "sa")
        yield f"{namespace}/{account}"


def _knows(rule: Mapping[str, Any], sni: str) -> bool:
    """Whether a rule holds for an SNI; `*.a.b` is a suffix (istio.io, "Authorization Policy Conditions")."""
    (condition,) = rule["when"]
    assert condition["key"] == "connection.sni"
    (value,) = condition["values"]
    assert "*" not in value.removeprefix("*.")
    return sni.endswith(value[1:]) if value.startswith("*") else sni == value


def _allowed(rule: Mapping[str, Any], door: Door) -> bool:
    if "to" not in rule:
        return True
    ((operation,),) = ([each["operation"] for each in rule["to"]],)
    # istiod drops a rule about HTTP from TCP listeners, and one about ports only holds for both.
    return str(door.port) in operation["ports"] and ("hosts" not in operation or door.authority in operation["hosts"])


def mesh_reaches(plan: Plan) -> dict[Access, Door]:
    """Which door a namespace's sidecars send a host and port to: (namespace, host, port) -> door."""
    subsets = {
        (rule.namespace, subset["name"]): subset["trafficPolicy"]["tls"]["sni"]
        for rule in of_kind(plan, "DestinationRule")
        for subset in rule.spec["subsets"]
    }
    found: dict[Access, Door] = {}
    for service in of_kind(plan, "VirtualService"):
        for host, port, authority, to in _sidecar_routes(service):
            for namespace in set(service.spec["exportTo"]) - {"."}:
                assert (namespace, to["subset"]) in subsets, f"{namespace} has no SNI for {to['subset']}"
                found[namespace, host, port] = Door(subsets[namespace, to["subset"]], to["port"]["number"], authority)
    return found


def _sidecar_routes(service: KubeObject) -> Iterator[tuple[str, int, str | None, Mapping[str, Any]]]:
    """Host, port, authority (`None` for TLS), and the destination at the gateway."""
    for kind in ("http", "tls"):
        for route in service.spec.get(kind, []):
            for match in route["match"]:
                if "mesh" in match["gateways"]:
                    (only,) = route["route"]
                    for host in match["sniHosts"] if kind == "tls" else service.spec["hosts"]:
                        yield host, match["port"], host if kind == "http" else None, only["destination"]


def entries_show(plan: Plan) -> set[Access]:
    """Which hosts and ports outside the ServiceEntries show to which namespaces."""
    return {
        (namespace, host, port["number"])
        for entry in of_kind(plan.egress_gateway, "ServiceEntry")
        for namespace in set(entry.spec["exportTo"]) - {"."}
        for host in entry.spec["hosts"]
        for port in entry.spec["ports"]
    }


def blocks(policy: KubeObject) -> set[tuple[str, int]]:
    """The addresses and TCP ports outside that a NetworkPolicy opens, DNS aside."""
    return {
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in policy.spec.get("egress", ())
        for peer in rule["to"]
        if "ipBlock" in peer
        for port in rule["ports"]
        if port["port"] != 53
    }


def content(plan: Plan) -> dict[tuple[str, str | None, str], Any]:
    """Every object and Helm release by what the cluster knows it by, with everything that it says."""
    releases = [istio_of(plan).base, istio_of(plan).istiod, *plan.egress_gateway.releases]
    if plan.envoy_gateway is not None:
        releases.append(plan.envoy_gateway.release)
    return {
        **{(item.kind, item.namespace, item.name): (item.metadata, item.spec) for item in objects(plan)},
        **{("Release", item.namespace, item.name): item for item in releases},
    }
