"""Reads the values that say where a connection goes, strictly, and collects them as places."""

import re

from policy.destinations.places import AddressPlace, Destinations, NamePlace, PortPlace, SocketPlace
from policy.facts.addresses import is_address, network_of, parse_address, parse_network
from policy.facts.names import parse_hostname
from policy.facts.ports import LAST_PORT
from policy.facts.sockets import parse_socket_path
from policy.facts.urls import Url, parse_url
from policy.reading import Node, Reader, as_mapping, shown

_WILDCARD = "*."
_SOCKET_SCHEME = "unix:"  # istio/api: networking/v1/workload_entry.proto
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_DEFAULT_REGISTRY = "docker.io"
_NO_PORTS: frozenset[int] = frozenset()


class Walk:
    """Collects places, and a finding for each value that nobody can read in one way only."""

    def __init__(self) -> None:
        self.reader = Reader()
        self._addresses: list[AddressPlace] = []
        self._names: list[NamePlace] = []
        self._ports: list[PortPlace] = []
        self._sockets: list[SocketPlace] = []
        self._any_host: list[str] = []
        self._plain_urls: list[str] = []

    def destinations(self) -> Destinations:
        """Everything collected so far."""
        return Destinations(
            addresses=tuple(self._addresses),
            names=tuple(self._names),
            ports=tuple(self._ports),
            sockets=tuple(self._sockets),
            any_host=tuple(self._any_host),
            plain_urls=tuple(self._plain_urls),
            unreadable=tuple(self.reader.findings),
        )

    def address(self, node: Node, *, required: bool = False, ports: frozenset[int] = _NO_PORTS) -> None:
        """An address, on its own."""
        text = self._text(node, required=required)
        if text is None:
            return
        try:
            address = parse_address(text)
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not an address in its plain form")
        else:
            place = AddressPlace(path=node.path, text=text, network=network_of(address), ports=ports)
            self._addresses.append(place)

    def block(self, node: Node, *, virtual: bool = False, ports: frozenset[int] = _NO_PORTS) -> None:
        """An address or a CIDR."""
        text = self._text(node, required=True)
        if text is None:
            return
        try:
            network = parse_network(text)
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not an address or CIDR in its plain form")
        else:
            place = AddressPlace(path=node.path, text=text, network=network, ports=ports, virtual=virtual)
            self._addresses.append(place)

    def name(self, node: Node, *, required: bool = False, wildcard: bool = False, inside: bool = False) -> None:
        """A host name; a pattern as well where `wildcard` says so, one of the cluster where `inside` does."""
        text = self._text(node, required=required)
        if wildcard and text == "*":
            self._any_host.append(node.path)
            return
        if text is None:
            return
        is_wildcard = wildcard and text.startswith(_WILDCARD)
        try:
            name = parse_hostname(text.removeprefix(_WILDCARD) if is_wildcard else text)
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not a host name in its plain form")
        else:
            self._names.append(NamePlace(path=node.path, text=text, name=name, wildcard=is_wildcard, inside=inside))

    def host(
        self, node: Node, *, required: bool = True, ports: frozenset[int] = _NO_PORTS, inside: bool = False
    ) -> None:
        """An address, a host name, or a socket as Istio writes it (`unix:///path`)."""
        text = self._text(node, required=required)
        if text is None:
            return
        if text.startswith(_SOCKET_SCHEME):
            self._socket(node, text.removeprefix(_SOCKET_SCHEME).removeprefix("//"))
        elif is_address(text):
            self.address(node, ports=ports)
        else:
            self.name(node, inside=inside)

    def listener(self, node: Node) -> None:
        """What listens in the pod itself, as `address:port` or as a socket: only the port, or the socket, is judged."""
        text = self.reader.text(node)
        if text is None:
            return
        if text.startswith(_SOCKET_SCHEME):
            self._socket(node, text.removeprefix(_SOCKET_SCHEME).removeprefix("//"))
            return
        number = text.rpartition(":")[2]
        if _PORT.fullmatch(number):
            self.port(Node(value=int(number), path=node.path))
        else:
            self.reader.report(node, f"{shown(text)} is not an address and a port")

    def image(self, node: Node) -> None:
        """Where code comes from: an http or https URL, or an image in a registry, with `oci://` or without."""
        text = self.reader.text(node)
        if text is None:
            return
        scheme, separator, rest = text.partition("://")
        if separator == "" or scheme == "oci":
            reference = text if separator == "" else rest
            first, slash, _ = reference.partition("/")
            # google/go-containerregistry: pkg/name/repository.go; localhost as the distribution's reference grammar.
            names_registry = slash != "" and ("." in first or ":" in first or first == "localhost")
            url = f"https://{reference}" if names_registry else f"https://{_DEFAULT_REGISTRY}/{reference}"
            self.url(Node(value=url, path=node.path))
        elif scheme != "file":  # in the proxy's own image
            self.url(node)

    def socket(self, node: Node) -> None:
        """The path of a unix socket."""
        text = self._text(node, required=True)
        if text is not None:
            self._socket(node, text)

    def port(self, node: Node, *, required: bool = False) -> frozenset[int]:
        """A port, as the set of one that it is; empty if there is none that can be read."""
        number = self.reader.number(node)
        if number is None:
            if required and node.value is None:
                self.reader.report(node, "is missing")
            return _NO_PORTS
        if not 1 <= number <= LAST_PORT:
            self.reader.report(node, f"{number} is no port")
            return _NO_PORTS
        self._ports.append(PortPlace(path=node.path, number=number))
        return frozenset({number})

    def url(self, node: Node, *, required: bool = False, inside: bool = False) -> None:
        """An http or https URL that a proxy or a controller fetches; from the cluster as well where `inside` says."""
        url = self._url(node, required=required)
        if url is None:
            return
        if url.scheme == "http" and not inside:
            self._plain_urls.append(node.path)
        host = Node(value=url.host, path=node.path)
        self.host(host, ports=self.port(Node(value=url.port, path=node.path)), inside=inside)

    def server(self, node: Node) -> None:
        """A server as `host:port`, outside or inside, whose kind is known, so that its usual port is no surprise."""
        text = self.reader.text(node)
        if text is None:
            return
        host, _, number = text.rpartition(":")
        if host == "" or not _PORT.fullmatch(number) or not 1 <= int(number) <= LAST_PORT:
            self.reader.report(node, f"{shown(text)} is not a host and a port")
            return
        plain = Node(value=host.removeprefix("[").removesuffix("]"), path=node.path)
        self.host(plain, ports=frozenset({int(number)}), inside=True)

    def name_of_resource(self, node: Node, *, inside: bool) -> None:
        """An http or https URL that is fetched from somewhere else than its host: from inside the cluster or not."""
        url = self._url(node, required=False)
        if url is not None and url.scheme == "http" and not inside:
            self._plain_urls.append(node.path)

    def is_there(self, node: Node) -> bool:
        """Whether `node` is an object, or nothing that says otherwise."""
        return node.value is None or as_mapping(node.value) is not None

    def _socket(self, node: Node, text: str) -> None:
        try:
            self._sockets.append(SocketPlace(path=node.path, text=parse_socket_path(text)))
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not the absolute path of a socket in its plain form")

    def _url(self, node: Node, *, required: bool) -> Url | None:
        text = self._text(node, required=required)
        if text is None:
            return None
        try:
            return parse_url(text)
        except ValueError:
            self.reader.report(node, f"{shown(text)} is not an http or https URL in its plain form")
            return None

    def _text(self, node: Node, *, required: bool) -> str | None:
        text = self.reader.text(node)
        if text is None and node.value is None and required:
            self.reader.report(node, "is missing")
        return text
