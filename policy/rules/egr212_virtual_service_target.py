"""EGR212: a VirtualService that sends, copies or renames requests to the proxy's own node or the metadata service."""

import re
from collections.abc import Iterator
from ipaddress import ip_network

from policy.facts.addresses import AddressClass, classes_in, is_address
from policy.facts.names import NameClass, classify_name, parse_hostname
from policy.reading import Node, Reader, join, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ADDRESSES = frozenset(
    {AddressClass.LOOPBACK, AddressClass.UNSPECIFIED, AddressClass.METADATA, AddressClass.LINK_LOCAL}
)
_NAMES = {
    NameClass.LOCALHOST: "the proxy itself",
    NameClass.METADATA: "a metadata service",
    NameClass.WILDCARD_DNS: "whatever address the name spells",
}
_HOST_HEADERS = frozenset({"host", ":authority", "authority"})
_PORT = re.compile(r":[0-9]{1,5}$")


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    for host in Reader().items(reader.field(spec, "hosts")):
        if _is_plain(host.value):  # all others are EGR211's matter
            _judge(reader, host, context)
    for http in reader.items(reader.field(spec, "http")):
        for node in _http_targets(reader, http):
            _judge(reader, node, context)
    for protocol in ("tls", "tcp"):
        for route in reader.items(reader.field(spec, protocol)):
            for node in _destinations(reader, reader.field(route, "route")):
                _judge(reader, node, context)
    yield from reader.findings


def _http_targets(reader: Reader, http: Node) -> Iterator[Node]:
    routes = reader.field(http, "route")
    yield from _destinations(reader, routes)
    yield reader.field(http, "mirror", "host")
    yield from _destinations(reader, reader.field(http, "mirrors"))
    yield reader.field(http, "rewrite", "authority")
    yield reader.field(http, "redirect", "authority")
    for holder in (http, *reader.items(routes)):
        for operation in ("set", "add"):
            headers = reader.field(holder, "headers", "request", operation)
            for key, value in reader.mapping(headers).items():
                if f"{key}".lower() in _HOST_HEADERS:
                    yield Node(value=value, path=join(headers.path, f"{key}"))


def _destinations(reader: Reader, routes: Node) -> Iterator[Node]:
    for route in reader.items(routes):
        yield reader.field(route, "destination", "host")


def _judge(reader: Reader, node: Node, context: Context) -> None:
    text = reader.text(node)
    if text is None:
        return
    host = text if is_address(text) else _PORT.sub("", text)
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if is_address(host):
        found = _ADDRESSES & classes_in(ip_network(host))
        if found:
            reader.report(node, f"{shown(text)} is {' and '.join(sorted(found))}")
        return
    if node.path.endswith(".destination.host"):
        host = host.removeprefix("*.")  # a wildcard of the registry: EGR201 judges the ServiceEntry that has it
    try:
        name = parse_hostname(host)
    except ValueError:
        reader.report(node, f"{shown(text)} is not a host in its plain form")
        return
    leads_to = _NAMES.get(classify_name(name, context.grants.cluster_domain, context.namespaces))
    if leads_to is not None:
        reader.report(node, f"{shown(text)} leads to {leads_to}")


def _is_plain(value: object) -> bool:
    try:
        return isinstance(value, str) and parse_hostname(value) != ""
    except ValueError:
        return False


RULE = ObjectRule(
    id="EGR212",
    name="virtual-service-target",
    severity=Severity.BLOCK,
    applies_to=frozenset({"networking.istio.io/VirtualService"}),
    summary="What a VirtualService answers for, routes, mirrors, rewrites or redirects to is a host that can be named.",
    why="A route or a new Host header that says loopback, metadata or a name that spells any address turns the proxy "
    "into a way to what only the proxy, or its node, may reach. A Host header from a template is the client's choice.",
    remediation="write the host of a Service or of a declared ServiceEntry",
    example="""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edition-cnn, namespace: news}
spec:
  hosts: [edition.cnn.com]
  exportTo: ["."]
  http:
    - rewrite: {authority: edition.cnn.com}
      route: [{destination: {host: edition.cnn.com, port: {number: 80}}}]
""",
    url="https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute",
    source="istio/api: networking/v1alpha3/virtual_service.proto",
    check=_check,
)
