"""The fields of cloud resources that rules judge: of what type each is, and what words the API knows.

Ids are not among them: a new resource has none before the update, and they are followed through what the program says.
Nor are addresses of who sends, which may be those of new EIPs.

Sources: pulumi-alicloud 3.105.0; the API references of Cloud Firewall (2017-12-07: CreateNatFirewallControlPolicy,
AddControlPolicy, CreateSecurityProxy, AddAddressBook, ModifyPolicyAdvancedConfig), VPC, ECS, CS and ESS.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from policy.readers.cloud import kinds
from policy.reading import Node, Reader, root, shown
from policy.rule import Finding, Subject


class _Type(StrEnum):
    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"


@dataclass(frozen=True, kw_only=True)
class _Field:
    """One judged field, or one in each item of a list."""

    path: str
    """Keys with dots between them; `[]` behind that of a list."""
    type: _Type = _Type.TEXT
    words: frozenset[str] = frozenset()
    """What it may say; anything where there are none."""


def _texts(*paths: str) -> tuple[_Field, ...]:
    return tuple(_Field(path=path) for path in paths)


def _flags(*paths: str) -> tuple[_Field, ...]:
    return tuple(_Field(path=path, type=_Type.FLAG) for path in paths)


def _numbers(*paths: str) -> tuple[_Field, ...]:
    return tuple(_Field(path=path, type=_Type.NUMBER) for path in paths)


def _word(path: str, *words: str) -> _Field:
    return _Field(path=path, words=frozenset(words))


_REPEATS: Final = ("Permanent", "None", "Daily", "Weekly", "Monthly")
_POLICY: Final = (
    _word("aclAction", "accept", "drop", "log"),
    _word("proto", "ANY", "TCP", "UDP", "ICMP"),
    _word("sourceType", "net", "group", "location"),
    _word("destinationType", "net", "group", "domain", "location"),
    _word("destPortType", "port", "group"),
    _word("release", "true", "false"),
    _word("repeatType", *_REPEATS),
    *_texts("destination", "destPort", "destPortGroup", "applicationNameLists[]"),
)
_INSTANCE: Final = (*_numbers("internetMaxBandwidthOut"), *_flags("allocatePublicIp"))
_FIELDS: Final[dict[str, tuple[_Field, ...]]] = {
    kinds.NAT_FIREWALL: (
        *_numbers("strictMode"),
        *_texts("status", "firewallSwitch", "natRouteEntryLists[].destinationCidr", "natRouteEntryLists[].nexthopType"),
    ),
    kinds.NAT_POLICY: (
        *_POLICY,
        _word("direction", "out"),
        _word("ipVersion", "4"),
        *_numbers("domainResolveType"),
        *_texts("newOrder"),
    ),
    kinds.INTERNET_POLICY: (
        *_POLICY,
        _word("direction", "in", "out"),
        _word("ipVersion", "4", "6"),
        _word("domainResolveType", "FQDN", "DNS", "FQDN_AND_DNS"),
        *_texts("applicationName"),
    ),
    kinds.INTERNET_POLICY_ORDER: _numbers("order"),
    kinds.ADDRESS_BOOK: (
        _word("groupType", "ip", "ipv6", "domain", "port", "tag", "asset", "assetIpv6"),
        *_texts("groupName"),
    ),
    kinds.ADVANCED_CONFIG: (_word("internetSwitch", "on", "off"),),
    kinds.NAT_GATEWAY: (_word("networkType", "internet", "intranet"), *_flags("deletionProtection")),
    **dict.fromkeys(kinds.EIPS, _flags("deletionProtection")),
    kinds.EIP_ASSOCIATION: _texts("instanceType"),
    kinds.ANYCAST_ATTACHMENT: _texts("bindInstanceType"),
    kinds.FORWARD_ENTRY: _texts("externalPort", "internalPort", "ipProtocol"),
    "alicloud:vpc/RouteEntry": _texts("destinationCidrblock", "nexthopType"),
    "alicloud:vpc/VPCRouteEntry": _texts("destinationCidrBlock", "nexthopType", "nextHops[].nexthopType"),
    kinds.IPV4_GATEWAY: (*_flags("enabled"), *_texts("internetMode")),
    kinds.SECURITY_GROUP: _texts("securityGroupType", "innerAccessPolicy"),
    kinds.SECURITY_GROUP_RULE: (
        _word("type", "ingress", "egress"),
        _word("policy", "accept", "drop"),
        *_texts("ipProtocol", "portRange", "cidrIp", "ipv6CidrIp"),
    ),
    kinds.NODE_POOL: (
        *_numbers("internetMaxBandwidthOut"),
        *_flags("scalingConfig.isBondEip", "systemDiskEncrypted"),
        *_texts(
            "taints[].key",
            "taints[].value",
            "taints[].effect",
            "labels[].key",
            "labels[].value",
            "dataDisks[].encrypted",
            "instanceMetadataOptions.httpTokens",
            "multiAzPolicy",
            "spotStrategy",
        ),
    ),
    **dict.fromkeys(kinds.CLUSTERS, (*_flags("newNatGateway"), *_texts("addons[].name"))),
    kinds.CLUSTER_ADDON: _texts("name"),
    kinds.SERVICE_MESH: _texts("meshConfig.outboundTrafficPolicy", "meshConfig.includeIpRanges"),
    **dict.fromkeys(kinds.SWITCHES, _flags("enableIpv6")),
    **dict.fromkeys(kinds.VPN_ROUTES, (*_texts("routeDest"), *_flags("publishVpc"))),
    kinds.TRANSIT_ROUTE: _texts("destinationCidrBlock"),
    **dict.fromkeys(
        (kinds.ROLE_POLICY_ATTACHMENT, kinds.PRINCIPAL_ATTACHMENT), (_word("policyType", "Custom", "System"),)
    ),
    **dict.fromkeys(kinds.INSTANCES, _INSTANCE),
    **dict.fromkeys(kinds.CONTAINER_GROUPS, _flags("autoCreateEip", "enablePublicNetwork")),
}
FIELD_KINDS: Final = frozenset(_FIELDS)
"""The kinds of which `unreadable_fields` knows the judged fields."""


def unreadable_fields(subject: Subject) -> Iterator[Finding]:
    """A finding for each judged field of `subject`, of one of `FIELD_KINDS`: unknown, of another type, another word."""
    reader = Reader()
    for field in _FIELDS[subject.group_kind]:
        for node in _nodes(reader, root(subject.whole), field.path):
            _read(reader, node, field)
    yield from reader.findings


def _nodes(reader: Reader, node: Node, path: str) -> Iterator[Node]:
    key, _, rest = path.partition(".")
    found = reader.field(node, key.removesuffix("[]"))
    for each in reader.items(found) if key.endswith("[]") else [found]:
        if rest == "":
            yield each
        else:
            yield from _nodes(reader, each, rest)


def _read(reader: Reader, node: Node, field: _Field) -> None:
    if field.type is _Type.FLAG:
        reader.flag(node)
    elif field.type is _Type.NUMBER:
        reader.number(node)
    else:
        text = reader.text(node)
        if text and field.words and text not in field.words:
            reader.report(node, f"{shown(text)} is none of {', '.join(sorted(field.words))}")
