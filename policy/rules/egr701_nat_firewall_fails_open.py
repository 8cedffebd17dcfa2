"""EGR701: a NAT firewall that lets pass what it does not recognise, or to which no traffic comes."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import NAT_FIREWALL
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_STRICT: Final = 1
_OPEN: Final = frozenset({"normal", "open"})
"""What the provider switches on: `normal` is what the firewall says of itself then."""
_EVERYWHERE: Final = "0.0.0.0/0"
_NAT_GATEWAY: Final = "NatGateway"


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    # What is unknown or of another type, EGR700 says.
    reader, told = Reader(), Reader()
    whole = root(subject.whole)
    strict = reader.field(whole, "strictMode")
    if strict.value is None:
        told.report(strict, "is missing, which means 0: what it does not recognise passes")
    elif reader.number(strict) not in (None, _STRICT):
        told.report(strict, f"{shown(strict.value)} lets pass what it does not recognise")
    _judge_status(reader, told, whole)
    _judge_routes(reader, told, reader.field(whole, "natRouteEntryLists"))
    yield from told.findings


def _judge_status(reader: Reader, told: Reader, whole: Node) -> None:
    status, switch = reader.field(whole, "status"), reader.field(whole, "firewallSwitch")
    said = status if status.value not in (None, "") else switch
    text = reader.text(said)
    if said.value in (None, ""):
        told.report(status, "is missing, so nothing opens it: traffic goes past it")
    elif text is not None and text not in _OPEN:
        told.report(said, f"{shown(text)} leaves it closed: traffic goes past it")


def _judge_routes(reader: Reader, told: Reader, routes: Node) -> None:
    if is_empty(routes):
        told.report(routes, "names no route, so no traffic comes to it")
    for route in reader.items(routes):
        to, by = reader.field(route, "destinationCidr"), reader.field(route, "nexthopType")
        table = reader.field(route, "routeTableId")
        if to.value is None or reader.text(to) not in (None, _EVERYWHERE):
            told.report(to, f"is not {_EVERYWHERE}, so all other traffic goes past it")
        if by.value is None or reader.text(by) not in (None, _NAT_GATEWAY):
            told.report(by, f"is not {_NAT_GATEWAY}, whose route it takes over")
        if table.value in (None, ""):
            told.report(table, "is missing, so nobody knows whose traffic comes to it")


RULE = ObjectRule(
    id="EGR701",
    name="nat-firewall-fails-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({NAT_FIREWALL}),
    summary="A NAT firewall is strict and open from its creation, and takes over a whole default route.",
    why="A NAT firewall is created loose: what it does not recognise passes, whatever the last policy says, and the "
    "mode cannot be changed without a new firewall. Closed, or without a route, it sees nothing, and all traffic goes "
    "straight to the NAT gateway.",
    remediation='write strictMode: 1 and status: "normal", and in natRouteEntryLists each route 0.0.0.0/0 to the NAT '
    "gateway with its table",
    example="""\
type: alicloud:cloudfirewall/natFirewall:NatFirewall
urn: egress
protect: true
inputs:
  natGatewayId: ngw-1
  vpcId: vpc-1
  regionNo: cn-hangzhou
  proxyName: egress
  strictMode: 1
  status: normal
  natRouteEntryLists:
    - {destinationCidr: 0.0.0.0/0, nexthopType: NatGateway, nexthopId: ngw-1, routeTableId: vtb-1}
---
type: alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy
urn: everything-else
inputs:
  natGatewayId: ngw-1
  aclAction: drop
  description: everything else
  direction: out
  source: 0.0.0.0/0
  sourceType: net
  destination: 0.0.0.0/0
  destinationType: net
  proto: ANY
  destPort: 0/0
  destPortType: port
  applicationNameLists: [ANY]
  newOrder: "1"
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/"
    "configure-the-strict-mode-of-the-internet-firewall",
    source="Cloud Firewall: Configure the mode of the access control engine; API 2017-12-07: CreateSecurityProxy, "
    "SwitchSecurityProxy",
    check=_check,
)
