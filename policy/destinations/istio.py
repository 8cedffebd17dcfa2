"""Where the objects of Istio lead (istio/api: networking/v1, security/v1)."""

import re

from policy.destinations.walk import Walk
from policy.readers.mesh_config import mesh_configs_of, mesh_field
from policy.readers.proxy_config import proxy_field
from policy.reading import Node, Reader, as_mapping, is_empty, join
from policy.rule import Subject

_IMAGE = re.compile(r"(https?|oci)://|(?!.*://)")
_TRACERS = ("zipkin", "lightstep", "datadog", "openCensusAgent")
_REMOTE_SERVICES = ("envoyMetricsService", "envoyAccessLogService")
_VARIABLE = re.compile(r"\$\([A-Z_]+\)(:(?P<port>[0-9]{1,5}))?")  # Kubernetes: dependent environment variables
_HOST_AND_PORT = re.compile(r"([a-z]+:///)?(?P<host>\[.+\]|[^:/]+):(?P<port>[0-9]{1,5})")  # gRPC: dns:///host:port
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
    """RequestAuthentication: where istiod fetches the keys of each issuer; its CRD takes both spellings."""
    reader = walk.reader
    for rule in reader.items(reader.field(whole, "spec", "jwtRules")):
        for key in ("jwksUri", "jwks_uri"):
            walk.url(reader.field(rule, key))


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
    """Sidecar: to what in the pod it hands what comes in, and the proxy for what nobody knows.

    EGR203 and EGR216 judge whether the rest can be read.
    """
    reader = Reader()
    for listener in reader.items(reader.field(whole, "spec", "ingress")):
        walk.listener(reader.field(listener, "defaultEndpoint"))
    _egress_proxy(walk, reader.field(whole, "spec", "outboundTrafficPolicy", "egressProxy"))


def mesh_config(walk: Walk, subject: Subject) -> None:
    """MeshConfig: its CA, the services behind its providers, where sidecars report, and a proxy as in a Sidecar.

    EGR202 judges the way there.
    """
    scratch = Reader()
    for mesh in mesh_configs_of(subject, scratch):
        _endpoint(walk, scratch.field(mesh.values, "global", "caAddress"))
        for place in mesh.places:
            if as_mapping(place.value) is None:
                continue
            policy = mesh_field(scratch, place, "outboundTrafficPolicy")
            _egress_proxy(walk, scratch.field(policy, "egressProxy"))
            for provider in walk.reader.items(mesh_field(walk.reader, place, "extensionProviders")):
                _provider(walk, provider)
            _endpoint(walk, walk.reader.field(place, "ca", "address"))
            _proxy_config(walk, mesh_field(scratch, place, "defaultConfig"))


def wasm_plugin(walk: Walk, whole: Node) -> None:
    """WasmPlugin (extensions.istio.io): where its code comes from. EGR214 judges whether that can be read."""
    url = Reader().field(whole, "spec", "url")
    if isinstance(url.value, str) and _IMAGE.match(url.value):
        walk.image(url)


def _egress_proxy(walk: Walk, destination: Node) -> None:
    """A Destination: a host that Istio knows, which may be a Service."""
    reader = walk.reader
    ports = walk.port(reader.field(destination, "port", "number"))
    walk.host(reader.field(destination, "host"), required=False, ports=ports, inside=True)


def _proxy_config(walk: Walk, config: Node) -> None:
    """Where a ProxyConfig has sidecars report to. EGR204 judges the rest, and whether it is one."""
    if as_mapping(config.value) is None:
        return
    reader = walk.reader
    tracing = proxy_field(reader, config, "tracing")
    for tracer in _TRACERS:
        _endpoint(walk, reader.field(proxy_field(reader, tracing, tracer), "address"))
    for service in _REMOTE_SERVICES:
        _endpoint(walk, reader.field(proxy_field(reader, config, service), "address"))
    _endpoint(walk, proxy_field(reader, config, "zipkinAddress"))


def _endpoint(walk: Walk, node: Node) -> None:
    """An address or a host, mostly with a port; a variable of the pod, `$(HOST_IP):8126`, is filled in there."""
    text = node.value
    if text == "":
        return
    variable = _VARIABLE.fullmatch(text) if isinstance(text, str) else None
    if variable is not None:
        if variable["port"] is not None:
            walk.port(Node(value=int(variable["port"]), path=node.path))
        return
    parts = _HOST_AND_PORT.fullmatch(text) if isinstance(text, str) else None
    ports: frozenset[int] = frozenset()
    if parts is not None:
        text = parts["host"].removeprefix("[").removesuffix("]")
        ports = walk.port(Node(value=int(parts["port"]), path=node.path))
    walk.host(Node(value=text, path=node.path), required=False, ports=ports, inside=True)


def _provider(walk: Walk, provider: Node) -> None:
    """Whatever in a provider has a `service`, of each kind and also deeper; it may say a namespace: `shop/tracing`."""
    reader = walk.reader
    fields = reader.mapping(provider)
    for key in fields:
        part = reader.field(provider, f"{key}")
        if as_mapping(part.value) is not None:
            _provider(walk, part)
    if "service" not in fields:
        return
    ports = walk.port(reader.field(provider, "port"))
    service = reader.field(provider, "service")
    host = service.value.rpartition("/")[2] if isinstance(service.value, str) else service.value
    walk.host(Node(value=host, path=service.path), required=False, ports=ports, inside=True)


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
