"""EGR791: a network of which the answers show a part only, so that a way out may be in the rest."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.answers import shapes
from policy.readers.cloud.egress_network import EGRESS_KINDS, egress_vswitches
from policy.readers.cloud.kinds import ANSWER, NAT_GATEWAY, NODE, ROUTE_TABLES, SWITCHES
from policy.readers.cloud.links import CloudStack
from policy.readers.tolerations import POD, is_running
from policy.reading import Reader, as_mapping, root
from policy.rule import Context, Finding, ObjectRef, Severity, StackRule, Subject

_ALWAYS: Final = (
    shapes.NAT_GATEWAYS,
    shapes.EIPS,
    shapes.INSTANCES,
    shapes.INTERFACES,
    shapes.VSWITCHES,
    shapes.ROUTE_TABLES,
    shapes.IPV4_GATEWAYS,
    shapes.IPV6_GATEWAYS,
    shapes.IPV6_ADDRESSES,
    shapes.NODE_POOLS,
)
"""What is asked once; Cloud Firewall's are missed by EGR705, EGR709 and EGR715."""
_BY_GATEWAY: Final = ((shapes.SNAT_ENTRIES, "snatTableIds"), (shapes.FORWARD_ENTRIES, "forwardTableIds"))
"""What is asked for each NAT gateway, and where that names the table."""


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    answers = [*stack.each({ANSWER})]
    if not answers or not context.egress_labels:
        return  # without settings nobody says what the network is for
    firsts = [each for each in answers if _value(each, "PageNumber") in (None, 1)]
    asked = {_text(each, "api") for each in firsts}
    yield from (_missing(api.name, "is not here") for api in _ALWAYS if api.name not in asked)
    gateways = [*stack.each({NAT_GATEWAY})]
    for api, key in _BY_GATEWAY:
        count = _shown_for(api, key, gateways, firsts)
        if count < len(gateways):
            yield _missing(api.name, f"is here for {count} of {len(gateways)} NAT gateways")
    shown = {table for each in answers for table in _scopes(each, shapes.ROUTE_ENTRIES)}
    for table in stack.each(ROUTE_TABLES):
        name = _text(table, "routeTableId") or _text(table, "id")
        if table.registration is None and name not in shown:
            yield _missing(shapes.ROUTE_ENTRIES.name, f"is not here for the table {name}")
    if shapes.NODE_POOLS.name in asked and egress_vswitches(stack, context) is None:
        yield _missing(shapes.NODE_POOLS.name, "shows no node pool with the labels of the egress nodes, nor do nodes")
    yield from _judge_cluster(stack)


def _judge_cluster(stack: CloudStack) -> Iterator[Finding]:
    if not any(True for _ in stack.each({NODE})):
        yield _missing("nodes", "none is here")
    if not any(is_running(each) for each in stack.each({POD})):
        yield _missing("pods", "none that runs is here")


def _missing(name: str, message: str) -> Finding:
    return Finding(path="", message=message, ref=ObjectRef(kind="unanswered", name=name))


def _shown_for(api: shapes.Api, key: str, gateways: list[Subject], firsts: list[Subject]) -> int:
    """For how many gateways the entries of a table are here: an empty answer does not say for which."""
    shown = {table for each in firsts for table in _scopes(each, api)}
    full = sum(not shown.isdisjoint(_text(gateway, key).split(",")) for gateway in gateways)
    return full + sum(_text(each, "api") == api.name and _value(each, "held") == 0 for each in firsts)


def _scopes(answer: Subject, api: shapes.Api) -> Iterator[str]:
    """What the items of an answer of `api` are listed for; every route table has some."""
    if _text(answer, "api") == api.name:
        yield from (f"{each.value}" for each in Reader().items(Reader().field(root(answer.whole), "scopes")))


def _value(subject: Subject, key: str) -> object:
    return (as_mapping(subject.whole) or {}).get(key)


def _text(subject: Subject, key: str) -> str:
    value = _value(subject, key)
    return value if isinstance(value, str) else ""


RULE = StackRule(
    id="EGR791",
    name="answer-missing",
    severity=Severity.BLOCK,
    applies_to=EGRESS_KINDS | ROUTE_TABLES | SWITCHES | {ANSWER, NAT_GATEWAY, NODE, POD},
    summary="Where answers of Alibaba Cloud's APIs show a network that exists, they show all of it: gateways with "
    "their entries, public addresses, instances, interfaces, vSwitches, every table's routes, the node pools, and the "
    "cluster's nodes and running pods.",
    why="The promise is that there is no other way out. What nobody asked for may be one.",
    remediation="make the files again as docs/checking-a-vpc.md says, and name all of them in one command",
    example="""\
RequestId: 1A2B
TotalCount: 0
PageNumber: 1
PageSize: 50
NatGateways: {NatGateway: []}
""",
    url="https://www.alibabacloud.com/help/en/cli/aggregation-of-paging-interface-results",
    source="The API references of VPC (2016-04-28), ECS (2014-05-26) and CS (2015-12-15): what each API is asked for",
    check=_check,
)
