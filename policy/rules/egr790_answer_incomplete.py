"""EGR790: an answer of an API that is not the whole answer, or none that rules can read."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import ANSWER
from policy.reading import Node, Reader, as_mapping, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_DIGITS_AT_MOST: Final = 9


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    queries: defaultdict[tuple[str, int, tuple[str, ...]], list[Subject]] = defaultdict(list)
    networks: dict[str, None] = {}
    for answer in subjects:
        yield from (finding.of(answer) for finding in _judge(answer))
        total = _number(answer, "TotalCount")
        if total is not None:
            scopes = sorted(f"{each.value}" for each in _each(answer, "scopes"))
            queries[_api(answer), total, tuple(scopes)].append(answer)
        networks |= dict.fromkeys(f"{each.value}" for each in _each(answer, "networks"))
        first = next(iter(networks), "")
        if any(each.value != first for each in _each(answer, "networks")):
            yield Finding(path="", message=f"shows another network than {first}").of(answer)
    for (_, total, _), answers in queries.items():
        yield from _judge_pages(total, answers)


def _judge(answer: Subject) -> Iterator[Finding]:
    whole = as_mapping(answer.whole) or {}
    if _api(answer) == "" or whole.get("Success") is False:
        code, text = whole.get("Code", whole.get("code")), whole.get("Message", whole.get("message"))
        if code is None:
            yield Finding(path="", message="is an answer of an API that no rule reads")
        else:
            yield Finding(path="", message=f"is an error: {shown(f'{code}: {text}')}")
        return
    for each in _each(answer, "malformed"):
        malformed = as_mapping(each.value) or {}
        yield Finding(path=f"{malformed.get('path')}", message=f"{malformed.get('why')}, so it cannot be judged")
    if whole.get("TotalCount") is not None and _number(answer, "TotalCount") is None:
        yield Finding(path="TotalCount", message=f"{shown(whole['TotalCount'])} is no number of items")
    if whole.get("NextToken") not in (None, "") and not _number(answer, "TotalCount"):
        yield Finding(
            path="NextToken", message="says that there is more, and nobody can count whether all of it is here"
        )


def _judge_pages(total: int, answers: list[Subject]) -> Iterator[Finding]:
    """Pages of one query have one total, and are about the same; each query has one first page, if it says so."""
    held = sum(_number(answer, "held") or 0 for answer in answers)
    first = sum(_number(answer, "PageNumber") == 1 for answer in answers)
    if held < total * max(1, first):
        message = f"there are {total * max(1, first)} items, and {held} of them are here"
        yield Finding(path="TotalCount", message=message).of(answers[0])


def _api(answer: Subject) -> str:
    return f"{(as_mapping(answer.whole) or {}).get('api', '')}"


def _each(answer: Subject, key: str) -> list[Node]:
    return Reader().items(Reader().field(root(answer.whole), key))


def _number(answer: Subject, key: str) -> int | None:
    """A number, which some of the APIs write as text."""
    value = (as_mapping(answer.whole) or {}).get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS_AT_MOST:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


RULE = StackRule(
    id="EGR790",
    name="answer-incomplete",
    severity=Severity.BLOCK,
    applies_to=frozenset({ANSWER}),
    summary="Answers of Alibaba Cloud's APIs are whole: all their pages, of one network, without an error, in the "
    "shape that the API documents.",
    why="What is on a page that nobody asked for is judged by nobody, and the check would pass.",
    remediation="ask again as docs/checking-a-vpc.md says: with --pager, which puts all pages together, and --VpcId",
    example="""\
RequestId: 1A2B
TotalCount: 0
PageNumber: 1
PageSize: 50
Ipv6Gateways: {Ipv6Gateway: []}
""",
    url="https://www.alibabacloud.com/help/en/cli/aggregation-of-paging-interface-results",
    source="Alibaba Cloud CLI: Aggregate the results of paging operations; the API references of VPC (2016-04-28), ECS "
    "(2014-05-26), CS (2015-12-15) and Cloud Firewall (2017-12-07)",
    exceptable=False,
    check=_check,
)
