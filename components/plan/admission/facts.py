"""The classes of addresses and names as variables of a policy: the pack's own facts, and what is approved."""

from collections.abc import Collection, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from components.plan.admission import cel
from components.plan.admission.cel import Variable
from policy.approvals import Approvals
from policy.facts import names
from policy.facts.ports import DENIED_PORTS
from policy.facts.sockets import owner_of
from policy.facts.special_ranges import SPECIAL_RANGES, AddressClass

_Network = IPv4Network | IPv6Network

_SELF = frozenset({AddressClass.LOOPBACK, AddressClass.UNSPECIFIED})
_METADATA = frozenset({AddressClass.METADATA, AddressClass.LINK_LOCAL})
_PRIVATE = frozenset({AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.UNIQUE_LOCAL})
_MULTICAST = frozenset({AddressClass.MULTICAST})
_NEVER = frozenset({AddressClass.RESERVED, AddressClass.DOCUMENTATION, AddressClass.BENCHMARKING})
_NAT64 = int(IPv6Network("64:ff9b::/96").network_address)
"""RFC 6052. The one spelling of an IPv4 address in IPv6 that CEL reads and the network takes to that address: CEL reads
no mapped address, and the other embeddings are reserved as a whole."""


def fact_variables(approvals: Approvals, namespaces: Collection[str]) -> list[Variable]:
    """What every policy about destinations knows. `namespaces` are those that the declaration speaks of."""
    return [
        Variable(name="ownAddresses", expression=cel.networks(_of_classes(_SELF))),
        Variable(name="metadataAddresses", expression=cel.networks(_of_classes(_METADATA))),
        Variable(name="clusterAddresses", expression=cel.networks(_cluster(approvals))),
        Variable(name="multicastAddresses", expression=cel.networks(_of_classes(_MULTICAST))),
        Variable(name="privateAddresses", expression=cel.networks(_of_classes(_PRIVATE))),
        Variable(name="specialAddresses", expression=cel.networks(_of_classes(_NEVER))),
        Variable(name="unicastAddresses", expression=cel.networks(_unicast())),
        Variable(name="approvedAddresses", expression=_approved(approvals)),
        Variable(name="clusterZones", expression=cel.texts(_zones(_cluster_zones(approvals)))),
        Variable(name="namespaces", expression=cel.texts(_zones(namespaces))),
        Variable(name="localNames", expression=cel.texts(_zones(names.LOCALHOST_NAMES))),
        Variable(name="localZones", expression=cel.texts(_zones(names.LOCALHOST_ZONES))),
        Variable(name="metadataNames", expression=cel.texts(_zones(names.METADATA_NAMES))),
        Variable(name="metadataHosts", expression=cel.texts(f".{host}." for host in names.METADATA_HOSTS)),
        Variable(name="wildcardZones", expression=cel.texts(_zones(names.WILDCARD_DNS_ZONES))),
        Variable(name="specialZones", expression=cel.texts(_zones(names.SPECIAL_TLDS))),
        Variable(name="approvedZones", expression=cel.texts(_zones(_approved_names(approvals)))),
        Variable(name="deniedPorts", expression=cel.phrases(DENIED_PORTS)),
        Variable(name="approvedSockets", expression=cel.texts(_approved_sockets(approvals))),
    ]


def _of_classes(classes: Collection[AddressClass]) -> list[_Network]:
    # The row of what is not allocated is the other side of `unicastAddresses`.
    rows = [row for row in SPECIAL_RANGES if row.address_class in classes and row.network.prefixlen > 0]
    return _with_nat64(row.network for row in rows)


def _unicast() -> list[_Network]:
    """What can be public at all; the rest of IPv6 is reserved, and with it every embedding of IPv4 but NAT64."""
    public = [row.network for row in SPECIAL_RANGES if row.address_class is AddressClass.PUBLIC]
    return _with_nat64([IPv4Network("0.0.0.0/0"), *public])


def _cluster(approvals: Approvals) -> list[_Network]:
    own = approvals.cluster
    texts = [*own.pod_cidrs, *own.service_cidrs, *own.node_cidrs, *own.api_server_addresses]
    return _with_nat64(ip_network(text) for text in texts)


def _approved(approvals: Approvals) -> str:
    """Grants of the same ports as one: CEL's budget is spent for each network of each."""
    by_ports: dict[tuple[int, ...], list[_Network]] = {}
    for grant in approvals.private_ranges.values():
        by_ports.setdefault(tuple(sorted(set(grant.ports))), []).extend(map(ip_network, grant.cidrs))
    granted = [
        f"{{'networks': dyn({cel.networks(_with_nat64(by_ports[ports]))}), 'ports': dyn({cel.numbers(ports)})}}"
        for ports in sorted(by_ports)
    ]
    return f"[{', '.join(granted)}]"


def _with_nat64(networks: Iterable[_Network]) -> list[_Network]:
    """The fewest networks that hold the same addresses, and what leads to those of IPv4 by way of NAT64."""
    every = list(networks)
    v4 = list(collapse_addresses(each for each in every if isinstance(each, IPv4Network)))
    v6 = [each for each in every if isinstance(each, IPv6Network)]
    v6 += [IPv6Network((_NAT64 + int(each.network_address), 96 + each.prefixlen)) for each in v4]
    return [*v4, *collapse_addresses(v6)]


def _cluster_zones(approvals: Approvals) -> Sequence[str]:
    domains = (approvals.cluster.domain, names.DEFAULT_CLUSTER_DOMAIN, names.CLUSTER_SET_DOMAIN)
    return [*domains, *names.CLUSTER_TLDS, "kubernetes.default"]


def _approved_names(approvals: Approvals) -> list[str]:
    return [suffix for grant in approvals.private_names.values() for suffix in grant.suffixes]


def _approved_sockets(approvals: Approvals) -> list[str]:
    """Without those of the node and the mesh, which an approval cannot open."""
    return [path for grant in approvals.unix_sockets.values() for path in grant.paths if owner_of(path) is None]


def _zones(names_of_zones: Iterable[str]) -> list[str]:
    """With a dot in front, as `judging.py` has the names that it compares: a suffix then starts at a label."""
    return [f".{name}" for name in names_of_zones]
