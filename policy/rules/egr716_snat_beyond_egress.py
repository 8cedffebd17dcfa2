"""EGR716: an SNAT entry that lets out more than the egress nodes and the gateways' pods."""

from collections.abc import Iterator

from policy.facts.addresses import Network, holds, is_wide, parse_network
from policy.readers.cloud.egress_network import EGRESS_KINDS, egress_vswitches, range_of
from policy.readers.cloud.kinds import NAT_GATEWAY, SNAT_ENTRY, SWITCHES
from policy.readers.cloud.links import CloudStack, Leads
from policy.readers.cloud.snat import SnatEntry, snat_entries
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    gateways = frozenset(stack.handle_of(gateway) for gateway in stack.each({NAT_GATEWAY}))
    egress = egress_vswitches(stack, context)
    for entry in snat_entries(stack):
        told = Reader()
        _judge_gateway(told, entry, gateways)
        if entry.vswitch.handles or not entry.vswitch.is_known:
            _judge_vswitch(told, entry, egress)
            if isinstance(entry.source.value, str) and entry.source.value != "":
                # The API fills in the range of the vSwitch, and where both are given, takes the range.
                _judge_range(told, entry, _own_ranges(stack, entry.vswitch))
        else:
            _judge_range(told, entry, None if egress is None else _ranges(stack, egress))
        yield from (finding.of(entry.subject) for finding in told.findings)


def _judge_gateway(told: Reader, entry: SnatEntry, gateways: frozenset[str]) -> None:
    table = told.field(root(entry.subject.whole), "snatTableId")
    if not entry.gateway.is_known or entry.gateway.handles == frozenset():
        told.report(table, "leads to a NAT gateway that cannot be followed")
    elif gateways and not entry.gateway.handles <= gateways:
        told.report(table, "leads to another NAT gateway than the stack's")


def _judge_vswitch(told: Reader, entry: SnatEntry, egress: Leads | None) -> None:
    vswitch = told.field(root(entry.subject.whole), "sourceVswitchId")
    if not entry.vswitch.is_known:
        told.report(vswitch, "leads to a vSwitch that cannot be followed")
    elif egress is not None and not entry.vswitch.handles <= egress.handles:
        told.report(vswitch, "lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'")


def _judge_range(told: Reader, entry: SnatEntry, ranges: list[Network] | None) -> None:
    text = told.text(entry.source)
    if text is None:
        if entry.source.value is None:
            told.report(entry.source, "is missing, and so is sourceVswitchId: nobody knows whom it lets out")
        return
    try:
        network = parse_network(text)
    except ValueError:
        told.report(entry.source, f"{shown(text)} is not an address or CIDR in its plain form")
        return
    if ranges is None:
        if is_wide([network]):
            told.report(entry.source, f"{text} is too wide")
    elif not any(holds(each, network) for each in ranges):
        told.report(entry.source, f"{text} is more than a vSwitch of the egress nodes that the stack shows")


def _ranges(stack: CloudStack, egress: Leads) -> list[Network]:
    """The ranges of those egress vSwitches that the stack creates."""
    found = [range_of(each) for each in map(stack.find, egress.handles) if each]
    return [network for network in found if network is not None]


def _own_ranges(stack: CloudStack, vswitches: Leads) -> list[Network] | None:
    """The ranges of these vSwitches; `None` where the stack does not show every one."""
    ranges = _ranges(stack, vswitches)
    return ranges if len(ranges) == len(vswitches.handles) > 0 else None


RULE = StackRule(
    id="EGR716",
    name="snat-beyond-egress",
    severity=Severity.BLOCK,
    applies_to=EGRESS_KINDS | SWITCHES | {NAT_GATEWAY, SNAT_ENTRY},
    summary="SNAT entries are for the vSwitches of the egress nodes and of the gateways' pods, or for ranges in them, "
    "on the stack's own NAT gateway.",
    why="An SNAT entry is what lets out: with one for another vSwitch, or for a range around it, every pod there "
    "leaves with the addresses that firewalls outside trust.",
    remediation="write sourceVswitchId with the id of each egress vSwitch, one entry each, and no sourceCidr",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
---
type: alicloud:vpc/snatEntry:SnatEntry
urn: snat-1
inputs: {snatIp: 47.96.10.20, sourceVswitchId: vsw-1}
propertyDependencies: {snatTableId: [egress]}
""",
    url="https://www.alibabacloud.com/help/en/nat-gateway/user-guide/create-and-manage-internet-nat-gateways",
    source="NAT Gateway: Create and manage an Internet NAT gateway; VPC, API 2016-04-28: CreateSnatEntry",
    check=_check,
)
