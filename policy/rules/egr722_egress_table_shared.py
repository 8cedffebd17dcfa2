"""EGR722: another vSwitch in the route table of the egress."""

from collections.abc import Iterator

from policy.readers.cloud.egress_network import EGRESS_KINDS, attachments_in, egress_tables, egress_vswitches
from policy.readers.cloud.kinds import (
    NAT_FIREWALL,
    NAT_GATEWAY,
    ROUTE_ENTRIES,
    ROUTE_TABLE_ATTACHMENT,
    ROUTE_TABLES,
    SWITCHES,
)
from policy.readers.cloud.links import CloudStack
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    egress = egress_vswitches(stack, context)
    if egress is None:
        return  # who may be there, nothing in the stack says
    tables = egress_tables(stack, context)
    for subject, (table, vswitch) in attachments_in(stack).items():
        is_ours = not table.is_known or table.handles == frozenset() or not tables.isdisjoint(table.handles)
        if not is_ours:
            continue
        if not (vswitch.is_known and vswitch.handles and vswitch.handles <= egress.handles):
            message = "has the egress route table, and is neither the egress nodes' nor the gateways' pods'"
            yield Finding(path="vswitchId", message=message).of(subject)


RULE = StackRule(
    id="EGR722",
    name="egress-table-shared",
    severity=Severity.BLOCK,
    applies_to=EGRESS_KINDS
    | ROUTE_ENTRIES
    | ROUTE_TABLES
    | SWITCHES
    | {NAT_FIREWALL, NAT_GATEWAY, ROUTE_TABLE_ATTACHMENT},
    summary="Only the vSwitches of the egress nodes and of the gateways' pods have a route table that leads to the NAT "
    "gateway.",
    why="Whoever is in a vSwitch with that table has a way out: one SNAT entry more, by hand, and every pod there "
    "leaves like a gateway.",
    remediation="attach other vSwitches to a table of their own, or leave them in the system table",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
""",
    url="https://www.alibabacloud.com/help/en/nat-gateway/user-guide/create-and-manage-internet-nat-gateways",
    source="NAT Gateway: Create and manage an Internet NAT gateway; VPC, API 2016-04-28: AssociateRouteTable",
    check=_check,
)
