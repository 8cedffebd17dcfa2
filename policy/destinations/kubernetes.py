"""Where the objects of Kubernetes itself lead."""

from policy.destinations.walk import Walk
from policy.reading import Node, is_empty


def endpoints(walk: Walk, whole: Node) -> None:
    """Endpoints (core/v1): also the addresses that are not ready yet."""
    reader = walk.reader
    for subset in reader.items(reader.field(whole, "subsets")):
        ports = _ports(walk, reader.field(subset, "ports"))
        for key in ("addresses", "notReadyAddresses"):
            for address in reader.items(reader.field(subset, key)):
                walk.address(reader.field(address, "ip"), required=True, ports=ports)


def endpoint_slice(walk: Walk, whole: Node) -> None:
    """EndpointSlice (discovery.k8s.io/v1): addresses, or names in the type FQDN."""
    reader = walk.reader
    ports = _ports(walk, reader.field(whole, "ports"))
    for endpoint in reader.items(reader.field(whole, "endpoints")):
        addresses = reader.field(endpoint, "addresses")
        if is_empty(addresses):
            reader.report(addresses, "names no address")
        for address in reader.items(addresses):
            walk.host(address, ports=ports)


def service(walk: Walk, whole: Node) -> None:
    """Service (core/v1): the name behind the type ExternalName."""
    reader = walk.reader
    spec = reader.field(whole, "spec")
    is_external = reader.field(spec, "type").value == "ExternalName"
    walk.name(reader.field(spec, "externalName"), required=is_external)


def _ports(walk: Walk, ports: Node) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for port in walk.reader.items(ports):
        found |= walk.port(walk.reader.field(port, "port"))
    return found
