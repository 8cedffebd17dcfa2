"""Where the objects of Envoy Gateway lead (gateway.envoyproxy.io: api/v1alpha1)."""

from policy.destinations.walk import Walk
from policy.reading import Node, Reader, is_empty, join

_ENDPOINT_KINDS = ("ip", "fqdn", "unix")
_ENDPOINT_FIELDS = frozenset({*_ENDPOINT_KINDS, "hostname", "zone"})
_OIDC_URLS = ("issuer", "authorizationEndpoint", "tokenEndpoint", "endSessionEndpoint")


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
    """SecurityPolicy: what is fetched for JWT and OIDC (jwt_types.go, oidc_types.go)."""
    reader = walk.reader
    spec = reader.field(whole, "spec")
    for provider in reader.items(reader.field(spec, "jwt", "providers")):
        walk.url(reader.field(provider, "remoteJWKS", "uri"))
    for key in _OIDC_URLS:
        walk.url(reader.field(spec, "oidc", "provider", key))


def extension_policy(walk: Walk, whole: Node) -> None:
    """EnvoyExtensionPolicy: where Wasm code comes from (wasm_types.go)."""
    reader = walk.reader
    for wasm in reader.items(reader.field(whole, "spec", "wasm")):
        walk.url(reader.field(wasm, "code", "http", "url"))
        walk.image(reader.field(wasm, "code", "image", "url"))


def envoy_proxy(walk: Walk, whole: Node) -> None:
    """EnvoyProxy: where logs, metrics and traces go (envoyproxy_*_types.go); a collector may be in the cluster."""
    reader = walk.reader
    telemetry = reader.field(whole, "spec", "telemetry")
    sinks = [
        reader.field(sink, "openTelemetry")
        for setting in reader.items(reader.field(telemetry, "accessLog", "settings"))
        for sink in reader.items(reader.field(setting, "sinks"))
    ]
    sinks += [reader.field(sink, "openTelemetry") for sink in reader.items(reader.field(telemetry, "metrics", "sinks"))]
    sinks.append(reader.field(telemetry, "tracing", "provider"))
    for sink in sinks:
        ports = walk.port(reader.field(sink, "port"))
        walk.host(reader.field(sink, "host"), required=False, ports=ports, inside=True)


def route(walk: Walk, whole: Node) -> None:
    """Routes of the Gateway API: hosts that Istio takes by name alone (kind Hostname). EGR500 judges the rest."""
    reader = Reader()
    for rule in reader.items(reader.field(whole, "spec", "rules")):
        filters = reader.items(reader.field(rule, "filters"))
        mirrors = (reader.field(each, "requestMirror", "backendRef") for each in filters)
        references = [*reader.items(reader.field(rule, "backendRefs")), *mirrors]
        for reference in references:
            if reader.field(reference, "kind").value == "Hostname":
                walk.port(reader.field(reference, "port"))
                walk.name(reader.field(reference, "name"), required=True)
