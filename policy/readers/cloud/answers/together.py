"""What can only be told of answers once all of them are there: which of it is about this network at all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from policy.readers.cloud import kinds
from policy.readers.cloud.answers.shapes import EIPS, INSTANCES, INTERFACES, NAT_GATEWAYS
from policy.reading import as_mapping
from policy.rule import Subject

_SHOWN_BY: Final = {
    "EcsInstance": (INSTANCES.name, kinds.INSTANCE),
    "NetworkInterface": (INTERFACES.name, kinds.NETWORK_INTERFACE),
    "Nat": (NAT_GATEWAYS.name, kinds.NAT_GATEWAY),
}
"""Which API shows what an EIP may be on."""
_EIP: Final = "alicloud:ecs/EipAddress"
_NAT: Final = "NatGateway"


def settled(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """`subjects` without what answers show of others, and with the routes that a firewall took over as they were.

    Answers for a region or an account list EIPs of other networks and address books of other policies. A NAT firewall
    has a vSwitch, a route table, SNAT entries and an interface of its own, which lie behind it and are no way past it.
    """
    every = tuple(subjects)
    answers = frozenset(_text(each, "api") for each in every if each.group_kind == kinds.ANSWER)
    if not answers:
        return every
    foreign = frozenset(_foreign_eips(every, answers))
    books = frozenset(_named_books(every))
    firewalls = tuple(_Firewall.of(each, every) for each in _asked(every, kinds.NAT_FIREWALL))
    return tuple(
        _before(each, firewalls)
        for each in every
        if each.registration is not None
        or not (
            (each.group_kind in (kinds.EIP_ASSOCIATION, _EIP) and each.ref.name in foreign)
            or (each.group_kind == kinds.ADDRESS_BOOK and _text(each, "groupName") not in books)
            or any(firewall.has(each) for firewall in firewalls)
        )
    )


def _asked(subjects: tuple[Subject, ...], kind: str) -> Iterator[Subject]:
    return (each for each in subjects if each.group_kind == kind and each.registration is None)


def _foreign_eips(subjects: tuple[Subject, ...], answers: frozenset[str]) -> Iterator[str]:
    """The EIPs that are on what the answers for this network would show, and do not."""
    if EIPS.name not in answers:
        return
    shown = {kind: {_text(each, "id") for each in _asked(subjects, kind)} for _, kind in _SHOWN_BY.values()}
    for eip in _asked(subjects, kinds.EIP_ASSOCIATION):
        api, kind = _SHOWN_BY.get(_text(eip, "instanceType"), (None, ""))
        if api in answers and _text(eip, "instanceId") not in shown[kind]:
            yield eip.ref.name


def _named_books(subjects: tuple[Subject, ...]) -> Iterator[str]:
    for policy in _asked(subjects, kinds.NAT_POLICY):
        for key in ("source", "destination", "destPortGroup"):
            yield _text(policy, key)


@dataclass(frozen=True, kw_only=True)
class _Firewall:
    """What a NAT firewall has put into the VPC."""

    gateway: str
    vswitch: str
    table: str
    interface: str
    is_alone: bool
    """Whether nothing but its own vSwitch has its table, and no instance is there, by an interface neither."""

    @staticmethod
    def of(firewall: Subject, subjects: tuple[Subject, ...]) -> "_Firewall":
        table, vswitch = _text(firewall, "proxyRouteTableId"), _text(firewall, "proxyVswitchId")
        interface = _text(firewall, "proxyNetworkInterfaceId")
        attached = {
            _text(each, "vswitchId")
            for each in _asked(subjects, kinds.ROUTE_TABLE_ATTACHMENT)
            if _text(each, "routeTableId") == table
        }
        return _Firewall(
            gateway=_text(firewall, "natGatewayId"),
            vswitch=vswitch,
            table=table,
            interface=interface,
            is_alone=attached <= {vswitch} and not any(_others_in(vswitch, interface, subjects)),
        )

    def has(self, subject: Subject) -> bool:
        """Whether `subject` is the firewall's own, and behind it."""
        if not self.is_alone:
            return False
        if subject.group_kind == kinds.SNAT_ENTRY:
            return self.vswitch != "" and _text(subject, "sourceVswitchId") == self.vswitch
        if self.table == "" or _text(subject, "routeTableId") != self.table:
            return False
        if subject.group_kind == kinds.ROUTE_TABLE_ATTACHMENT:
            return True
        return subject.group_kind in kinds.ROUTE_ENTRIES and _text(subject, "nexthopId") == self.gateway


def _others_in(vswitch: str, interface: str, subjects: tuple[Subject, ...]) -> Iterator[Subject]:
    """The instances in a vSwitch, and the interfaces there that instances have, without the firewall's own."""
    for each in (*_asked(subjects, kinds.INSTANCE), *_asked(subjects, kinds.NETWORK_INTERFACE)):
        is_of_instance = each.group_kind == kinds.INSTANCE or _text(each, "instanceId") != ""
        if is_of_instance and _text(each, "vswitchId") == vswitch and _text(each, "id") != interface:
            yield each


def _before(subject: Subject, firewalls: tuple[_Firewall, ...]) -> Subject:
    """A route to a firewall's interface as it was before: to the firewall's gateway."""
    if subject.group_kind not in kinds.ROUTE_ENTRIES or subject.registration is not None:
        return subject
    for firewall in firewalls:
        if firewall.interface != "" and _text(subject, "nexthopId") == firewall.interface:
            whole = {**(as_mapping(subject.whole) or {}), "nexthopId": firewall.gateway, "nexthopType": _NAT}
            return replace(subject, whole=whole)
    return subject


def _text(subject: Subject, key: str) -> str:
    value = (as_mapping(subject.whole) or {}).get(key)
    return value if isinstance(value, str) else ""
