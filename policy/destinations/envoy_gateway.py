"""Where the objects of Envoy Gateway lead (gateway.envoyproxy.io: api/v1alpha1)."""

from policy.destinations import kubernetes
from policy.destinations.walk import Walk
from policy.readers.routes import fields_named, reference_nodes
from policy.reading import Node, Reader, as_mapping, is_empty, join

_ENDPOINT_KINDS = ("ip", "fqdn", "unix")
_ENDPOINT_FIELDS = frozenset({*_ENDPOINT_KINDS, "hostname", "zone"})
_OIDC_URLS = ("issuer", "authorizationEndpoint", "endSessionEndpoint")
_HEALTH_CHECK, _LOAD_REPORT = "overrides", "outOfBand"
_SERVICES = (None, "Service", "ServiceImport")


def backend(walk: Walk, whole: Node) -> None:
    """Backend: its endpoints (backend_types.go)."""
    reader = walk.reader
    spec = reader.field(whole, "spec")
    resolves_dynamically = reader.field(spec, "type").value not in (None, "Endpoints")
    endpoints = reader.field(spec, "endpoints")
    if is_empty(endpoints) and not resolves_dynamically:
        reader.report(endpoints, "names no endpoint")
    kinds = {kind for endpoint in reader.items(endpoints) for kind in _endpoint(walk, endpoint)}
    if "fqdn" in kinds and len(kinds) > 1:
        reader.report(endpoints, "mixes host names with addresses or sockets, of which only one kind would be used")


def _endpoint(walk: Walk, endpoint: Node) -> list[str]:
    """Read one endpoint; gives its kinds. There should be one, but a second one must not hide behind the first."""
    reader = walk.reader
    fields = reader.mapping(endpoint)
    kinds = [key for key in _ENDPOINT_KINDS if fields.get(key) is not None]
    others = [f"{key}" for key, value in fields.items() if key not in _ENDPOINT_FIELDS and value is not None]
    for key in others:
        unknown = Node(value=None, path=join(endpoint.path, key))
        reader.report(unknown, "is no known kind of endpoint, so nobody can say where it leads")
    if not kinds and not others and walk.is_there(endpoint):
        reader.report(endpoint, "is none of ip, fqdn or unix")
    if len(kinds) > 1:
        reader.report(endpoint, f"is {' and '.join(kinds)} at once")
    if "unix" in kinds:
        walk.socket(reader.field(endpoint, "unix", "path"))
    if "ip" in kinds:
        ports = walk.port(reader.field(endpoint, "ip", "port"), required=True)
        walk.address(reader.field(endpoint, "ip", "address"), required=True, ports=ports)
    if "fqdn" in kinds:
        walk.port(reader.field(endpoint, "fqdn", "port"), required=True)
        walk.name(reader.field(endpoint, "fqdn", "hostname"), required=True)
    walk.name(reader.field(endpoint, "hostname"))
    return kinds


def security_policy(walk: Walk, whole: Node) -> None:
    """SecurityPolicy: what is fetched for JWT and OIDC (jwt_types.go, oidc_types.go).

    The controller itself asks the issuer for endpoints that are not given, past all references, and browsers are sent
    to the others: only the token endpoint is the proxy's.
    """
    reader = walk.reader
    spec = reader.field(whole, "spec")
    for provider in reader.items(reader.field(spec, "jwt", "providers")):
        _fetched(walk, reader.field(provider, "remoteJWKS"), "uri")
    oidc = reader.field(spec, "oidc", "provider")
    _fetched(walk, oidc, "tokenEndpoint")
    for key in _OIDC_URLS:
        walk.url(reader.field(oidc, key))
    _other_ports(walk, spec)


def _fetched(walk: Walk, holder: Node, key: str) -> None:
    """A URL that the proxy fetches: from its host, or, where `holder` has references, from those.

    internal/xds/translator: jwt.go, oidc.go. References of weight 0 are left out (internal/gatewayapi/ext_service.go).
    """
    reader = Reader()  # EGR500 judges whether the references can be read
    references = [
        reference
        for reference in reader.items(reader.field(holder, "backendRefs"))
        if as_mapping(reference.value) and _has_weight(reader.field(reference, "weight").value)
    ]
    url = walk.reader.field(holder, key)
    if references:
        inside = all(reader.field(reference, "kind").value in _SERVICES for reference in references)
        walk.name_of_resource(url, inside=inside)
    else:
        walk.url(url)


def _has_weight(weight: object) -> bool:
    return weight is None or (isinstance(weight, int) and weight > 0)


def extension_policy(walk: Walk, whole: Node) -> None:
    """EnvoyExtensionPolicy: where Wasm code comes from (wasm_types.go)."""
    reader = walk.reader
    for wasm in reader.items(reader.field(whole, "spec", "wasm")):
        walk.url(reader.field(wasm, "code", "http", "url"))
        walk.image(reader.field(wasm, "code", "image", "url"))
    _other_ports(walk, reader.field(whole, "spec"))


def backend_traffic_policy(walk: Walk, whole: Node) -> None:
    """BackendTrafficPolicy: the other ports of its Backends that it connects to."""
    _other_ports(walk, walk.reader.field(whole, "spec"))


def _other_ports(walk: Walk, spec: Node) -> None:
    """Ports that the settings of a cluster connect to besides the endpoints' own, wherever `spec` has such settings.

    healthcheck_types.go, HealthCheckOverrides; loadbalancer_types.go, OutOfBandReporting.
    """
    for settings in fields_named(spec, frozenset({_HEALTH_CHECK, _LOAD_REPORT})):
        walk.port(walk.reader.field(settings, "port"))


def envoy_proxy(walk: Walk, whole: Node) -> None:
    """EnvoyProxy: see `_proxy_spec`."""
    _proxy_spec(walk, walk.reader.field(whole, "spec"))


def configuration(walk: Walk, whole: Node) -> None:
    """EnvoyGateway (envoygateway_types.go, envoygateway_metrics_types.go): its default proxy, and its own telemetry."""
    reader = walk.reader
    _proxy_spec(walk, reader.field(whole, "envoyProxy"))
    for sink in reader.items(reader.field(whole, "telemetry", "metrics", "sinks")):
        _collector(walk, reader.field(sink, "openTelemetry"))
    _collector(walk, reader.field(whole, "telemetry", "traces", "sink", "openTelemetry"))
    rate_limit = reader.field(whole, "rateLimit")
    walk.url(reader.field(rate_limit, "telemetry", "tracing", "provider", "url"), inside=True)
    hidden = reader.field(rate_limit, "backend", "redis", "urlRef")
    if not is_empty(hidden):
        reader.report(hidden, "is the address of a database, in a Secret, where nobody can judge it")
    redis = reader.field(rate_limit, "backend", "redis", "url")
    for server in (reader.text(redis) or "").split(","):  # a list, for Sentinel and Cluster
        if server.strip() != "":
            walk.server(Node(value=server.strip(), path=redis.path))


def _proxy_spec(walk: Walk, spec: Node) -> None:
    """The spec of an EnvoyProxy: where logs, metrics and traces go (envoyproxy_*_types.go), and its Service's name.

    A collector may be in the cluster.
    """
    reader = walk.reader
    kubernetes.service(walk, reader.field(spec, "provider", "kubernetes", "envoyService", "patch", "value"))
    telemetry = reader.field(spec, "telemetry")
    sinks = [
        reader.field(sink, "openTelemetry")
        for setting in reader.items(reader.field(telemetry, "accessLog", "settings"))
        for sink in reader.items(reader.field(setting, "sinks"))
    ]
    sinks += [reader.field(sink, "openTelemetry") for sink in reader.items(reader.field(telemetry, "metrics", "sinks"))]
    sinks.append(reader.field(telemetry, "tracing", "provider"))
    for sink in sinks:
        _collector(walk, sink)
    _other_ports(walk, telemetry)


def _collector(walk: Walk, sink: Node) -> None:
    ports = walk.port(walk.reader.field(sink, "port"))
    walk.host(walk.reader.field(sink, "host"), required=False, ports=ports, inside=True)


def route(walk: Walk, whole: Node) -> None:
    """Routes of the Gateway API: hosts that Istio takes by name alone (kind Hostname). EGR500 judges the rest."""
    reader = Reader()
    for rule in reader.items(reader.field(whole, "spec", "rules")):
        for reference in reference_nodes(reader, rule):
            if reader.field(reference, "kind").value == "Hostname":
                walk.port(reader.field(reference, "port"))
                name = reader.field(reference, "name")
                # A wildcard of the registry: EGR201 judges the ServiceEntry that has it.
                walk.name(name, required=True, wildcard=f"{name.value}".startswith("*."))
