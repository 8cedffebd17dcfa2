"""What Istio's documentation says to write for the same declaration: a set of objects for each host.

The tasks "Egress Gateways" and "Egress Gateways with TLS Origination" (istio.io), with what our plan also has: mutual
TLS to the gateway for every port, so that it knows the client; permission for the group's clients only; `exportTo`.
The permission is one policy for all hosts: with one for each, every listener would repeat a thousand of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.groups import ClientGroup, client_groups
from components.plan.names import digest
from components.settings import Settings
from tests.cluster.bed.kubectl import Object

GATEWAY: Final = "egress-gateway"
PORTS: Final = {"status-port": 15021, "http2": 80, "https": 443}
"""The ports of the recipe's gateway: those that the chart offers (manifests/charts/gateway/values.yaml)."""
_NAMESPACE: Final = "istio-egress"
_SERVICE: Final = f"{GATEWAY}.{_NAMESPACE}.svc.cluster.local"
_SELECTOR: Final = {"istio": GATEWAY}
_MUTUAL: Final = {"mode": "ISTIO_MUTUAL"}


def recipe(settings: Settings) -> list[Object]:
    """The recipe's objects, host by host."""
    found: list[Object] = [_object("security.istio.io/v1", "AuthorizationPolicy", _NAMESPACE, "default-deny", {})]
    for group in client_groups(settings.destinations):
        flows_of: defaultdict[str, list[Flow]] = defaultdict(list)
        for flow in group.flows:
            flows_of[flow.host].append(flow)
        found.append(_permission(settings, group, sorted(flows_of)))
        for host, flows in flows_of.items():
            found += _host(group, host, flows)
    return found


def _permission(settings: Settings, group: ClientGroup, hosts: Sequence[str]) -> Object:
    domain = settings.egress.mesh.trust_domain
    principals = [f"{domain}/ns/{client.namespace}/sa/{client.name}" for client in sorted(group.clients)]
    rule = {
        "from": [{"source": {"principals": principals}}],
        "when": [{"key": "connection.sni", "values": list(hosts)}],
    }
    spec = {"selector": {"matchLabels": _SELECTOR}, "action": "ALLOW", "rules": [rule]}
    return _object("security.istio.io/v1", "AuthorizationPolicy", _NAMESPACE, group.name, spec)


def _host(group: ClientGroup, host: str, flows: Sequence[Flow]) -> Iterator[Object]:
    name = f"host-{digest(host, 8)}"
    originated = [flow for flow in flows if flow.spec.tls is not None]
    seen_by = [".", *group.namespaces]
    ports = [port for flow in flows for port in _ports(flow)]
    entry = {"hosts": [host], "location": "MESH_EXTERNAL", "resolution": "DNS", "ports": ports, "exportTo": seen_by}
    yield _networking("ServiceEntry", _NAMESPACE, name, entry)
    yield _networking("Gateway", _NAMESPACE, name, {"selector": _SELECTOR, "servers": [*map(_server, flows)]})
    for namespace in group.namespaces:
        subset = {"name": name, "trafficPolicy": {"tls": {**_MUTUAL, "sni": host}}}
        rule = {"host": _SERVICE, "exportTo": ["."], "subsets": [subset]}
        yield _networking("DestinationRule", namespace, name, rule)
    if originated:
        settings = [{"port": {"number": flow.spec.port}, "tls": {"mode": "SIMPLE", "sni": host}} for flow in originated]
        rule = {"host": host, "exportTo": ["."], "trafficPolicy": {"portLevelSettings": settings}}
        yield _networking("DestinationRule", _NAMESPACE, name, rule)
    spec: dict[str, Any] = {
        "hosts": [host],
        "gateways": ["mesh", f"{_NAMESPACE}/{name}"],
        "exportTo": seen_by,
        **_routes(name, host, flows),
    }
    yield _networking("VirtualService", _NAMESPACE, name, spec)


def _ports(flow: Flow) -> Iterator[dict[str, Any]]:
    yield {"number": flow.port, "name": f"{flow.protocol.lower()}-{flow.port}", "protocol": flow.protocol}
    if flow.spec.tls is not None:
        yield {"number": flow.spec.port, "name": f"https-{flow.spec.port}", "protocol": "HTTPS"}


def _server(flow: Flow) -> dict[str, Any]:
    protocol = "TLS" if flow.needs_lane else "HTTPS"
    port = {"number": flow.port, "name": f"{protocol.lower()}-{flow.port}", "protocol": protocol}
    return {"port": port, "hosts": [flow.host], "tls": _MUTUAL}


def _routes(name: str, host: str, flows: Sequence[Flow]) -> dict[str, list[dict[str, Any]]]:
    own = f"{_NAMESPACE}/{name}"
    routes: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for flow in flows:
        outside = flow.port if flow.spec.tls is None else flow.spec.port
        there = [{"destination": {"host": _SERVICE, "subset": name, "port": {"number": flow.port}}}]
        out = [{"destination": {"host": host, "port": {"number": outside}}}]
        from_mesh: dict[str, Any] = {"gateways": ["mesh"], "port": flow.port}
        if flow.needs_lane:
            routes["tls"].append({"match": [{**from_mesh, "sniHosts": [host]}], "route": there})
        else:
            routes["http"].append({"match": [from_mesh], "route": there})
        kind = "tcp" if flow.needs_lane else "http"
        routes[kind].append({"match": [{"gateways": [own], "port": flow.port}], "route": out})
    return dict(routes)


def _networking(kind: str, namespace: str, name: str, spec: Mapping[str, Any]) -> Object:
    return _object("networking.istio.io/v1", kind, namespace, name, spec)


def _object(version: str, kind: str, namespace: str, name: str, spec: Mapping[str, Any]) -> Object:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": dict(spec),
    }
