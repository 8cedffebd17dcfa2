"""EGR401: a way out that nobody answers for, or no longer."""

import datetime as dt
import json
import re
from collections.abc import Iterator

from policy.destinations import BACKEND, EGRESS_TRAFFIC_POLICY, SERVICE_ENTRY
from policy.reading import Node, Reader, as_mapping, join, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

ANNOTATION = "cluster-egress/declaration"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if not context.require_declarations:
        return
    reader = Reader()
    annotation = reader.field(root(subject.whole), "metadata", "annotations", ANNOTATION)
    text = reader.text(annotation)
    if text is not None:
        _judge_declaration(reader, annotation, text, context.today)
    elif not reader.findings:
        reader.report(annotation, "is missing")
    yield from reader.findings


def _judge_declaration(reader: Reader, annotation: Node, text: str, today: dt.date) -> None:
    try:
        entries = as_mapping(json.loads(text, object_pairs_hook=_without_duplicates))
    except (ValueError, RecursionError):
        entries = None
    if not entries:
        reader.report(annotation, f"{shown(text)} is not a JSON object with at least one declaration")
        return
    for key, value in entries.items():
        entry = Node(value=value, path=join(annotation.path, f"{key}"))
        for part in ("owner", "ticket"):
            node = reader.field(entry, part)
            words = reader.text(node)
            if words is None or words.strip() == "":
                _report_missing(reader, node)
        _judge_date(reader, reader.field(entry, "expires"), today)


def _judge_date(reader: Reader, node: Node, today: dt.date) -> None:
    text = reader.text(node)
    if text is None:
        _report_missing(reader, node)
        return
    try:
        date = dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        date = None
    if date is None:
        reader.report(node, f"{shown(text)} is not a date (YYYY-MM-DD)")
    elif date < today:
        reader.report(node, f"expired on {text}")


def _report_missing(reader: Reader, node: Node) -> None:
    if node.value is None or node.value == "" or (isinstance(node.value, str) and node.value.isspace()):
        reader.report(node, "is missing")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


RULE = ObjectRule(
    id="EGR401",
    name="declaration-missing",
    severity=Severity.BLOCK,
    applies_to=frozenset({BACKEND, EGRESS_TRAFFIC_POLICY, SERVICE_ENTRY}),
    summary="Each ServiceEntry, Backend and ASMEgressTrafficPolicy says who owns it, on what ticket, and until when; "
    "and it is not over.",
    why="A way out that nobody answers for stays open for ever, and nobody can say whether it is still needed.",
    remediation="declare it in the stack file with an owner, a ticket and an end date that is still to come",
    example="""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: edition-cnn
  namespace: news
  annotations:
    cluster-egress/declaration: |
      {"edition-cnn": {"owner": "team-news", "ticket": "FW-1042", "expires": "2029-06-30"}}
spec:
  hosts: [edition.cnn.com]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: DNS
""",
    url="https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/",
    source="The design of this project: the declaration",
    check=_check,
)
