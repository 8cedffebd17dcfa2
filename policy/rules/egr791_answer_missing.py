"""EGR791: a network of which the answers show a part only, so that a way out may be in the rest."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.answers import shapes
from policy.readers.cloud.egress_network import EGRESS_KINDS, egress_vswitches
from policy.readers.cloud.kinds import ANSWER, NAT_GATEWAY, ROUTE_TABLES, SWITCHES
from policy.readers.cloud.links import CloudStack
from policy.reading import Reader, as_mapping, root
from policy.rule import Context, Finding, ObjectRef, Severity, StackRule, Subject

_ALWAYS: Final = (
    shapes.NAT_GATEWAYS,
    shapes.EIPS,
    shapes.INSTANCES,
    shapes.INTERFACES,
    shapes.VSWITCHES,
    shapes.ROUTE_TABLES,
    shapes.IPV6_GATEWAYS,
)
"""What is asked once; Cloud Firewall's are missed by EGR705, EGR709 and EGR715."""
_BY_GATEWAY: Final = (shapes.SNAT_ENTRIES, shapes.FORWARD_ENTRIES)


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    answers = [*stack.each({ANSWER})]
    if not answers or not context.egress_labels:
        return  # without settings nobody says what the network is for
    asked = Counter(_text(each, "api") for each in answers if _value(each, "PageNumber") in (None, 1))
    for api in _ALWAYS:
        if asked[api.name] == 0:
            yield _missing(api, "is not here")
    gateways = sum(1 for _ in stack.each({NAT_GATEWAY}))
    for api in _BY_GATEWAY:
        if asked[api.name] < gateways:
            yield _missing(api, f"is here {asked[api.name]} times, for {gateways} NAT gateways")
    shown = {table for each in answers for table in _tables(each)}
    for table in stack.each(ROUTE_TABLES):
        name = _text(table, "routeTableId") or _text(table, "id")
        if table.registration is None and name not in shown:
            yield _missing(shapes.ROUTE_ENTRIES, f"is not here for the table {name}")
    if egress_vswitches(stack, context) is None:
        yield _missing(shapes.NODE_POOLS, "shows no node pool with the labels of the egress nodes, nor do nodes")


def _missing(api: shapes.Api, message: str) -> Finding:
    return Finding(path="", message=message, ref=ObjectRef(kind="unanswered", name=api.name))


def _tables(answer: Subject) -> Iterator[str]:
    """The route tables whose entries an answer shows; every table has some."""
    if _text(answer, "api") == shapes.ROUTE_ENTRIES.name:
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
    applies_to=EGRESS_KINDS | ROUTE_TABLES | SWITCHES | {ANSWER, NAT_GATEWAY},
    summary="Where answers of Alibaba Cloud's APIs show a network that exists, they show all of it: gateways with "
    "their entries, public addresses, instances, interfaces, vSwitches, every table's routes, and the egress nodes.",
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
