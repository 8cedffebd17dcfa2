"""Where the objects of Istio lead (istio/api: networking/v1, security/v1)."""

import re

from policy.destinations.walk import Walk
from policy.reading import Node, Reader, is_empty, join

_IMAGE = re.compile(r"(https?|oci)://|(?!.*://)")
_NONE = "NONE"  # service_entry.proto: the default resolution, which connects to where the client wanted to


def service_entry(walk: Walk, whole: Node) -> None:
    """ServiceEntry: hosts, addresses, ports and endpoints."""
    reader = walk.reader
    spec = reader.field(whole, "spec")
    hosts = reader.field(spec, "hosts")
    if is_empty(hosts):
        reader.report(hosts, "names no host")
    for host in reader.items(hosts):
        walk.name(host, required=True, wildcard=True)
    ports: frozenset[int] = frozenset()
    for port in reader.items(reader.field(spec, "ports")):
        ports |= _service_port(walk, port)
    # With another resolution, addresses only catch what clients send there: endpoints say where it goes.
    virtual = reader.field(spec, "resolution").value not in (None, _NONE)
    for address in reader.items(reader.field(spec, "addresses")):
        walk.block(address, virtual=virtual, ports=ports)
    for endpoint in reader.items(reader.field(spec, "endpoints")):
        _workload(walk, endpoint, ports)


def workload_entry(walk: Walk, whole: Node) -> None:
    """WorkloadEntry: its address, on its ports."""
    _workload(walk, walk.reader.field(whole, "spec"), frozenset())


def workload_group(walk: Walk, whole: Node) -> None:
    """WorkloadGroup: the address that its entries start with, if it has one."""
    reader = walk.reader
    template = reader.field(whole, "spec", "template")
    walk.host(reader.field(template, "address"), required=False, ports=_port_map(walk, template))


def request_authentication(walk: Walk, whole: Node) -> None:
    """RequestAuthentication: where istiod fetches the keys of each issuer."""
    reader = walk.reader
    for rule in reader.items(reader.field(whole, "spec", "jwtRules")):
        walk.url(reader.field(rule, "jwksUri"))


def virtual_service(walk: Walk, whole: Node) -> None:
    """VirtualService: the ports of its destinations. EGR212 judges their hosts, and whether the rest can be read."""
    reader = Reader()
    spec = reader.field(whole, "spec")
    for protocol in ("http", "tls", "tcp"):
        for route in reader.items(reader.field(spec, protocol)):
            walk.port(reader.field(route, "mirror", "port", "number"))
            for key in ("route", "mirrors"):
                for target in reader.items(reader.field(route, key)):
                    walk.port(reader.field(target, "destination", "port", "number"))


def destination_rule(walk: Walk, whole: Node) -> None:
    """DestinationRule: where a tunnel through another proxy ends."""
    reader = walk.reader
    spec = reader.field(whole, "spec")
    policies = [spec, *reader.items(reader.field(spec, "subsets"))]
    for holder in policies:
        policy = reader.field(holder, "trafficPolicy")
        for level in (policy, *reader.items(reader.field(policy, "portLevelSettings"))):
            tunnel = reader.field(level, "tunnel")
            ports = walk.port(reader.field(tunnel, "targetPort"))
            walk.host(reader.field(tunnel, "targetHost"), required=False, ports=ports)


def sidecar(walk: Walk, whole: Node) -> None:
    """Sidecar: to what in the pod it hands the connections that come in. EGR216 judges whether the rest can be read."""
    reader = Reader()
    for listener in reader.items(reader.field(whole, "spec", "ingress")):
        walk.listener(reader.field(listener, "defaultEndpoint"))


def wasm_plugin(walk: Walk, whole: Node) -> None:
    """WasmPlugin (extensions.istio.io): where its code comes from. EGR214 judges whether that can be read."""
    url = Reader().field(whole, "spec", "url")
    if isinstance(url.value, str) and _IMAGE.match(url.value):
        walk.image(url)


def _service_port(walk: Walk, port: Node) -> frozenset[int]:
    """The port that is connected to: `targetPort` where there is one, else `number`."""
    reader = walk.reader
    target = reader.field(port, "targetPort")
    if target.value is None:
        return walk.port(reader.field(port, "number"), required=True)
    return walk.port(target)


def _workload(walk: Walk, workload: Node, service_ports: frozenset[int]) -> None:
    """An endpoint or a WorkloadEntry; one without an address is reached through the gateway of its network."""
    reader = walk.reader
    ports = _port_map(walk, workload) or service_ports
    required = reader.field(workload, "network").value is None
    walk.host(reader.field(workload, "address"), required=required, ports=ports)


def _port_map(walk: Walk, workload: Node) -> frozenset[int]:
    reader = walk.reader
    node = reader.field(workload, "ports")
    found: frozenset[int] = frozenset()
    for key, value in reader.mapping(node).items():
        found |= walk.port(Node(value=value, path=join(node.path, f"{key}")), required=True)
    return found
