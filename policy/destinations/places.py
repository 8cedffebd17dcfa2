"""What an object connects to, as rules judge it: each place with its path."""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network

from policy.facts.addresses import AddressClass, canonical_network, classes_in, is_wide
from policy.rule import Finding


@dataclass(frozen=True, kw_only=True)
class AddressPlace:
    """An address, or a block of them. A single address is a network of one."""

    path: str
    text: str
    network: IPv4Network | IPv6Network
    ports: frozenset[int] = frozenset()
    """The ports there, as far as the object says."""
    virtual: bool = False
    """Whether nobody connects to it: it only catches what clients send there, to take it elsewhere."""

    @cached_property
    def is_wide(self) -> bool:
        """Whether it is a block that nobody could answer for."""
        return self.network.prefixlen < self.network.max_prefixlen and is_wide([self.network])

    @cached_property
    def classes(self) -> frozenset[AddressClass]:
        """The special classes that it has, or touches."""
        return classes_in(self.network)

    @cached_property
    def canonical(self) -> IPv4Network | IPv6Network:
        """What is really connected to: the IPv4 address in a mapped one."""
        return canonical_network(self.network)


@dataclass(frozen=True, kw_only=True)
class NamePlace:
    """A host name, in lower case; for `*.example.com`, `example.com` with `wildcard`."""

    path: str
    text: str
    name: str
    wildcard: bool = False
    inside: bool = False
    """Whether a name of the cluster is as good there."""


@dataclass(frozen=True, kw_only=True)
class PortPlace:
    """A port that is connected to."""

    path: str
    number: int


@dataclass(frozen=True, kw_only=True)
class SocketPlace:
    """A unix socket, by its path in plain form."""

    path: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Destinations:
    """What an object connects to, and what in it cannot be read."""

    addresses: tuple[AddressPlace, ...] = ()
    names: tuple[NamePlace, ...] = ()
    ports: tuple[PortPlace, ...] = ()
    sockets: tuple[SocketPlace, ...] = ()
    any_host: tuple[str, ...] = ()
    """Paths of hosts that are a bare `*`."""
    plain_urls: tuple[str, ...] = ()
    """Paths of URLs that are fetched in plain text."""
    unreadable: tuple[Finding, ...] = ()
