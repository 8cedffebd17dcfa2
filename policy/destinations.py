"""Every place in an object that holds an address or a host name to connect to, read strictly.

The rules about addresses and names share this walk, so that none of them forgets a place that another knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from policy.facts.addresses import (
    AddressClass,
    classes_in,
    embedded_ipv4,
    is_wide,
    parse_address,
    parse_network,
)
from policy.facts.names import parse_hostname
from policy.reading import Node, Reader, as_mapping, is_empty, join, root, shown
from policy.rule import Finding, Subject

BACKEND = "gateway.envoyproxy.io/Backend"
SERVICE_ENTRY = "networking.istio.io/ServiceEntry"
ENDPOINTS = "core/Endpoints"
ENDPOINT_SLICE = "discovery.k8s.io/EndpointSlice"
SERVICE = "core/Service"
WORKLOAD_ENTRY = "networking.istio.io/WorkloadEntry"
WORKLOAD_GROUP = "networking.istio.io/WorkloadGroup"
DESTINATION_KINDS = frozenset(
    {BACKEND, SERVICE_ENTRY, ENDPOINTS, ENDPOINT_SLICE, SERVICE, WORKLOAD_ENTRY, WORKLOAD_GROUP}
)
"""The kinds that `destinations_of` knows."""

_WILDCARD = "*."
_ENDPOINT_KINDS = ("ip", "fqdn", "unix")
_ENDPOINT_FIELDS = frozenset({*_ENDPOINT_KINDS, "hostname", "zone"})
"""The fields of a Backend's endpoint (Envoy Gateway: api/v1alpha1/backend_types.go)."""
_SOCKET_SCHEME = "unix:"  # istio/api: networking/v1/workload_entry.proto
_NO_SOCKETS = "is a unix socket, which needs an approval that this release does not have"


@dataclass(frozen=True, kw_only=True)
class AddressPlace:
    """An address, or a block of them, to connect to. A single address is a network of one."""

    path: str
    text: str
    network: IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True)
class NamePlace:
    """A host name to connect to, in lower case; for `*.example.com`, `example.com` with `wildcard`."""

    path: str
    text: str
    name: str
    wildcard: bool = False


@dataclass(frozen=True, kw_only=True)
class Destinations:
    """What an object connects to, and what in it cannot be read."""

    addresses: tuple[AddressPlace, ...]
    names: tuple[NamePlace, ...]
    any_host: tuple[str, ...]
    """Paths of hosts that are a bare `*`."""
    unreadable: tuple[Finding, ...]


@lru_cache(maxsize=16)
def destinations_of(subject: Subject) -> Destinations:
    """What `subject`, of one of `DESTINATION_KINDS`, connects to."""
    walk = _Walk()
    whole = root(subject.whole)
    match subject.group_kind:
        case "gateway.envoyproxy.io/Backend":
            walk.backend(whole)
        case "networking.istio.io/ServiceEntry":
            walk.service_entry(whole)
        case "core/Endpoints":
            walk.endpoints(whole)
        case "discovery.k8s.io/EndpointSlice":
            walk.endpoint_slice(whole)
        case "core/Service":
            walk.service(whole)
        case "networking.istio.io/WorkloadEntry":
            walk.workload_entry(whole)
        case "networking.istio.io/WorkloadGroup":
            walk.workload_group(whole)
        case _:
            pass
    return Destinations(
        any_host=tuple(walk.any_host),
        addresses=tuple(walk.addresses),
        names=tuple(walk.names),
        unreadable=tuple(walk.reader.findings),
    )


def findings_of_classes(subject: Subject, classes: frozenset[AddressClass]) -> Iterator[Finding]:
    """One finding for each address of `subject` that is, or each narrow block that touches, one of `classes`.

    Wide blocks touch every class; they are the matter of the rules about wide blocks.
    """
    for place in destinations_of(subject).addresses:
        found = sorted(classes & classes_in(place.network))
        if found and not is_wide([place.network]):
            address = place.network.network_address
            inner = ", ".join(str(embedded) for embedded in embedded_ipv4(address))
            verb = "is" if place.network.num_addresses == 1 else "touches"
            reading = f" (it holds {inner})" if inner != "" and place.network.num_addresses == 1 else ""
            yield Finding(path=place.path, message=f"{place.text} {verb} {' and '.join(found)}{reading}")


class _Walk:
    def __init__(self) -> None:
        self.reader = Reader()
        self.addresses: list[AddressPlace] = []
        self.names: list[NamePlace] = []
        self.any_host: list[str] = []

    def backend(self, whole: Node) -> None:
        spec = self.reader.field(whole, "spec")
        resolves_dynamically = self.reader.field(spec, "type").value not in (None, "Endpoints")
        endpoints = self.reader.field(spec, "endpoints")
        if is_empty(endpoints) and not resolves_dynamically:
            self.reader.report(endpoints, "names no endpoint")
        for endpoint in self.reader.items(endpoints):
            self._backend_endpoint(endpoint)

    def _backend_endpoint(self, endpoint: Node) -> None:
        # An endpoint should have one of these, but a second one must not hide behind the first.
        fields = self.reader.mapping(endpoint)
        kinds = [key for key in _ENDPOINT_KINDS if fields.get(key) is not None]
        others = [f"{key}" for key, value in fields.items() if key not in _ENDPOINT_FIELDS and value is not None]
        for key in others:
            unknown = Node(value=None, path=join(endpoint.path, key))
            self.reader.report(unknown, "is no known kind of endpoint, so nobody can say where it leads")
        if not kinds and not others and (endpoint.value is None or as_mapping(endpoint.value) is not None):
            self.reader.report(endpoint, "is none of ip, fqdn or unix")
        if "unix" in kinds:
            self.reader.report(self.reader.field(endpoint, "unix"), _NO_SOCKETS)
        if "ip" in kinds:
            self._address(self.reader.field(endpoint, "ip", "address"), required=True)
        if "fqdn" in kinds:
            self._name(self.reader.field(endpoint, "fqdn", "hostname"), required=True)
        self._name(self.reader.field(endpoint, "hostname"))

    def service_entry(self, whole: Node) -> None:
        spec = self.reader.field(whole, "spec")
        hosts = self.reader.field(spec, "hosts")
        if is_empty(hosts):
            self.reader.report(hosts, "names no host")
        for host in self.reader.items(hosts):
            self._name(host, required=True, wildcard=True)
        for address in self.reader.items(self.reader.field(spec, "addresses")):
            self._block(address)
        for endpoint in self.reader.items(self.reader.field(spec, "endpoints")):
            self._either(self.reader.field(endpoint, "address"))

    def endpoints(self, whole: Node) -> None:
        for subset in self.reader.items(self.reader.field(whole, "subsets")):
            for key in ("addresses", "notReadyAddresses"):
                for address in self.reader.items(self.reader.field(subset, key)):
                    self._address(self.reader.field(address, "ip"), required=True)

    def endpoint_slice(self, whole: Node) -> None:
        for endpoint in self.reader.items(self.reader.field(whole, "endpoints")):
            addresses = self.reader.field(endpoint, "addresses")
            if is_empty(addresses):
                self.reader.report(addresses, "names no address")
            for address in self.reader.items(addresses):
                self._either(address)

    def service(self, whole: Node) -> None:
        spec = self.reader.field(whole, "spec")
        is_external = self.reader.field(spec, "type").value == "ExternalName"
        self._name(self.reader.field(spec, "externalName"), required=is_external)

    def workload_entry(self, whole: Node) -> None:
        spec = self.reader.field(whole, "spec")
        # An entry without an address is reached through the gateway of its network.
        self._either(self.reader.field(spec, "address"), required=self.reader.field(spec, "network").value is None)

    def workload_group(self, whole: Node) -> None:
        self._either(self.reader.field(whole, "spec", "template", "address"), required=False)

    def _address(self, node: Node, *, required: bool = False) -> None:
        text = self._text(node, required=required)
        if text is None:
            return
        try:
            address = parse_address(text)
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not an address in its plain form")
        else:
            self.addresses.append(AddressPlace(path=node.path, text=text, network=parse_network(str(address))))

    def _block(self, node: Node) -> None:
        text = self._text(node, required=True)
        if text is None:
            return
        try:
            self.addresses.append(AddressPlace(path=node.path, text=text, network=parse_network(text)))
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not an address or CIDR in its plain form")

    def _name(self, node: Node, *, required: bool = False, wildcard: bool = False) -> None:
        text = self._text(node, required=required)
        if wildcard and text == "*":
            self.any_host.append(node.path)
            return
        if text is None:
            return
        is_wildcard = wildcard and text.startswith(_WILDCARD)
        try:
            name = parse_hostname(text.removeprefix(_WILDCARD) if is_wildcard else text)
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not a host name in its plain form")
        else:
            self.names.append(NamePlace(path=node.path, text=text, name=name, wildcard=is_wildcard))

    def _either(self, node: Node, *, required: bool = True) -> None:
        text = self._text(node, required=required)
        if text is None:
            return
        if text.startswith(_SOCKET_SCHEME):
            self.reader.report(node, f"{shown(text)} {_NO_SOCKETS}")
        elif _looks_like_address(text):
            self._address(node)
        else:
            self._name(node)

    def _text(self, node: Node, *, required: bool) -> str | None:
        text = self.reader.text(node)
        if text is None and node.value is None and required:
            self.reader.report(node, "is missing")
        return text


def _looks_like_address(text: str) -> bool:
    try:
        parse_address(text)
    except ValueError:
        return False
    return True
