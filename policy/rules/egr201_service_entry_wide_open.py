"""EGR201: a ServiceEntry, or what one is made from, that lets a mesh with REGISTRY_ONLY out to too much."""

from collections.abc import Iterator

from policy.destinations import EGRESS_TRAFFIC_POLICY, SERVICE_ENTRY, destinations_of
from policy.facts.addresses import is_wide
from policy.facts.names import is_public_suffix
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_NARROW_RESOLUTIONS = frozenset({"STATIC", "DNS", "DNS_ROUND_ROBIN"})
_OPEN_RESOLUTIONS = frozenset({"NONE", "DYNAMIC_DNS"})
"""The client's address, or its SNI or Host header, says where it goes."""
_NAMED_PROTOCOLS = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS"})


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    # What in hosts and addresses cannot be read is EGR100's finding, which no exception excuses.
    destinations = destinations_of(subject)
    for path in destinations.any_host:
        yield Finding(path=path, message="* is every host")
    for place in destinations.names:
        if place.wildcard and is_public_suffix(place.name):
            yield Finding(path=place.path, message=f"{place.text} is every host under a public suffix")
    blocks = [place for place in destinations.addresses if place.path.startswith("spec.addresses")]
    if is_wide(place.network for place in blocks):
        addresses = ", ".join(place.text for place in blocks)
        yield Finding(path="spec.addresses", message=f"{shown(addresses)} together are too wide")
    if subject.group_kind == SERVICE_ENTRY:
        _judge_resolution(reader, spec, has_addresses=bool(blocks))
    yield from reader.findings


def _judge_resolution(reader: Reader, spec: Node, *, has_addresses: bool) -> None:
    resolution = reader.field(spec, "resolution")
    found = len(reader.findings)
    text = reader.text(resolution)
    if len(reader.findings) > found:
        return
    text = "NONE" if text is None else text  # the default of the API
    if text in _OPEN_RESOLUTIONS:
        if not (has_addresses and text == "NONE") and not _is_named_and_local(reader, spec):
            reader.report(resolution, f"{text} without addresses connects wherever the client says")
    elif text not in _NARROW_RESOLUTIONS:
        reader.report(resolution, f"{shown(text)} is no known resolution")


def _is_named_and_local(reader: Reader, spec: Node) -> bool:
    """Whether the host is checked on every port, and only the entry's own namespace can use it."""
    ports = [reader.text(reader.field(port, "protocol")) for port in reader.items(reader.field(spec, "ports"))]
    namespaces = [reader.text(item) for item in reader.items(reader.field(spec, "exportTo"))]
    named = bool(ports) and all(protocol is not None and protocol.upper() in _NAMED_PROTOCOLS for protocol in ports)
    return named and namespaces == ["."]


RULE = ObjectRule(
    id="EGR201",
    name="service-entry-wide-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({EGRESS_TRAFFIC_POLICY, SERVICE_ENTRY}),
    summary="A ServiceEntry, or an ASMEgressTrafficPolicy, opens hosts and address blocks that have one owner.",
    why="REGISTRY_ONLY lets out what some ServiceEntry names. One that names every host, a whole registry, "
    "half of the Internet, or only what the client claims, undoes it for the whole mesh.",
    remediation="write resolution: DNS, or STATIC with endpoints, and name each host, or a wildcard below a registered "
    "domain; a wildcard needs NONE or DYNAMIC_DNS: give HTTP or TLS ports and exportTo ['.']; with NONE, narrow "
    "addresses do as well",
    example="""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: edition-cnn, namespace: news}
spec:
  hosts: [edition.cnn.com]
  location: MESH_EXTERNAL
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: DNS
  exportTo: ["."]
""",
    url="https://istio.io/latest/docs/reference/config/networking/service-entry/",
    source="Istio: ServiceEntry reference, Accessing External Services; Alibaba Cloud: ASMEgressTrafficPolicy CRD "
    "description; the Public Suffix List",
    check=_check,
)
