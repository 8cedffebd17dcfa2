"""What rules about addresses share: the classes that an address has, whose it is, and what approves it."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from policy.destinations import AddressPlace, destinations_of
from policy.facts.addresses import AddressClass, Network, embedded_ipv4, holds
from policy.facts.special_ranges import SPECIAL_RANGES
from policy.rule import ClusterRange, Finding, Grants, Subject

PRIVATE_CLASSES = frozenset({AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.UNIQUE_LOCAL})
"""The classes that an approval can open."""
NEVER_CLASSES = frozenset(AddressClass) - PRIVATE_CLASSES - {AddressClass.PUBLIC}
"""The classes that nothing can approve."""
NODE_CLASSES = frozenset({AddressClass.LOOPBACK, AddressClass.UNSPECIFIED, AddressClass.METADATA})
"""The classes at which the node itself answers, or who hands out its credentials: no network policy opens them."""
_PRIVATE = tuple(row.network for row in SPECIAL_RANGES if row.address_class in PRIVATE_CLASSES)


def judged_addresses(subject: Subject) -> Iterator[AddressPlace]:
    """The addresses of `subject`, without wide blocks: those touch every class, and rules of their own judge them."""
    return (place for place in destinations_of(subject).addresses if not place.is_wide)


def findings_of_classes(
    subject: Subject, classes: frozenset[AddressClass], *, virtual: frozenset[AddressClass]
) -> Iterator[Finding]:
    """One finding for each address of `subject` that is, or each narrow block that touches, one of `classes`.

    Args:
        subject: of one of `DESTINATION_KINDS`.
        classes: the classes that nobody may connect to.
        virtual: those of them that also an address may not have that only catches traffic.
    """
    for place in judged_addresses(subject):
        found = (virtual if place.virtual else classes) & place.classes
        if found:
            yield Finding(path=place.path, message=f"{said(place)} {' and '.join(sorted(found))}{_reading(place)}")


def cluster_range_of(place: AddressPlace, grants: Grants) -> ClusterRange | None:
    """The first range of the cluster that `place` touches, also through the IPv4 address in it."""
    readings = _readings(place)
    for known in grants.cluster_ranges:
        if any(reading.version == known.network.version and reading.overlaps(known.network) for reading in readings):
            return known
    return None


def in_approved_range(place: AddressPlace, grants: Grants) -> bool:
    """Whether one approved range holds `place`, on whatever ports."""
    return any(holds(granted.network, place.canonical) for granted in grants.private_ranges)


def is_approved(place: AddressPlace, grants: Grants) -> bool:
    """Whether one approved range holds `place`, and approves its ports."""
    return any(
        holds(granted.network, place.canonical)
        and (granted.ports is None or (bool(place.ports) and place.ports <= granted.ports))
        for granted in grants.private_ranges
    )


def is_in_private_range(network: Network) -> bool:
    """Whether all of `network` is in one range of private addresses."""
    return any(holds(private, network) for private in _PRIVATE)


def missing_approval(place: AddressPlace, grants: Grants) -> str:
    """Why `place` is not approved: the end of a message."""
    if not in_approved_range(place, grants):
        return "and no approval holds it"
    return "and approved on other ports" if place.ports else "and approved on some ports, but says none"


def said_of_cluster(place: AddressPlace, known: ClusterRange) -> str:
    """The message about a place that touches a range of the cluster."""
    some = "one" if place.network.num_addresses == 1 else "some"
    return f"{said(place)} {some} of the addresses of {known.what}, {known.network}"


def said(place: AddressPlace) -> str:
    """How a message begins: `127.0.0.1 is`, `10.0.0.0/24 touches`."""
    return f"{place.text} {'is' if place.network.num_addresses == 1 else 'touches'}"


def _readings(place: AddressPlace) -> list[IPv4Network | IPv6Network]:
    """The network itself, and for a single address also the IPv4 addresses in it."""
    inner: list[IPv4Network | IPv6Network] = []
    if place.network.num_addresses == 1:
        inner += [IPv4Network(embedded) for embedded in embedded_ipv4(place.network.network_address)]
    return [place.network, place.canonical, *inner]


def _reading(place: AddressPlace) -> str:
    if place.network.num_addresses > 1:
        return ""
    inner = ", ".join(str(embedded) for embedded in embedded_ipv4(place.network.network_address))
    return f" (it holds {inner})" if inner != "" else ""
