"""`egress check --corpus`: labelled objects, and where the verdicts differ."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from cli.check.corpus import judge_corpus
from cli.check.corpus_rows import read_rows

GOOD = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}
BAD = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": 5}}
QUESTIONABLE = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "Backend",
    "metadata": {"name": "b", "namespace": "apps"},
    "spec": {"endpoints": [{"fqdn": {"hostname": "www.cnn.com", "port": 80}}]},
}
"""Allowed, with a warning: port 80 is plain text."""


def corpus(folder: Path, *rows: dict[str, Any] | str) -> Path:
    """A file of rows; text stands as it is."""
    file = folder / "corpus.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return file


def row(name: str, whole: object, verdict: str, **more: object) -> dict[str, Any]:
    """A row of a corpus."""
    return {"id": name, "object": whole, "verdict": verdict, **more}


def test_each_outcome(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against sums that hide a miss, and against a difference without its reason."""
    file = corpus(
        tmp_path,
        row("denied", BAD, "deny"),
        row("allowed", GOOD, "allow"),
        row("reported", QUESTIONABLE, "allow", severity="warn"),
        row("missed", GOOD, "deny", rule="x", why="y", source="z", severity="block"),
        row("rejected", BAD, "allow", severity="none"),
        row("unreported", GOOD, "allow", severity="warn"),
        row("reported-and-rejected", BAD, "allow", severity="warn"),
    )
    assert main(["check", "--corpus", str(file)]) == 1
    assert capsys.readouterr().out == (
        "missed: expected deny; got allow; rules: none\n"
        "rejected: expected allow; got deny; rules: EGR001\n"
        "unreported: expected allow, reported; got allow, unreported; rules: none\n"
        "reported-and-rejected: expected allow, reported; got deny; rules: EGR001\n"
        "3 agree, 2 deny missed, 2 allow rejected\n"
    )


def test_agreement_exits_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a gate that never opens."""
    file = corpus(tmp_path, row("a", GOOD, "allow"), "", row("b", BAD, "deny"))
    assert main(["check", "--corpus", str(file)]) == 0
    assert capsys.readouterr() == ("2 agree, 0 deny missed, 0 allow rejected\n", "")


def test_only_the_object_and_its_items_count(tmp_path: Path) -> None:
    """Guards against a verdict on a related object, and against an item of a list that does not count."""
    wrapped = {"apiVersion": "v1", "kind": "List", "items": [GOOD, BAD]}
    file = corpus(
        tmp_path,
        row("related", GOOD, "allow", context={"relatedObjects": [BAD, wrapped]}),
        row("item", wrapped, "deny"),
    )
    assert judge_corpus(file).agrees


def test_the_context_is_what_rules_are_told(tmp_path: Path) -> None:
    """Guards against an approval that is lost on the way, or wider than it says."""
    context = {
        "approvedPrivateCidrs": ["10.1.0.0/16", "10.40.0.1", "10.20.30.1/24", "010.0.0.1", "nonsense", "10.0.0.0/033"],
        "approvedFqdnSuffixes": ["corp.internal", "internal", "internal.", ""],
        "approvedUnixSockets": ["/run/x.sock"],
        "approvedDynamicResolvers": ["apps/*"],
        "podCidrs": ["10.244.0.0/16"],
        "serviceCidrs": ["10.96.0.0/12"],
        "nodeCidrs": ["10.10.0.0/16"],
        "apiServerAddresses": ["10.10.0.2"],
        "clusterDomain": "k8s.corp.example.com",
        "namespaces": ["prod"],
        "trustedSubjects": ["User:x"],
        "backendApiApproved": True,
        "relatedObjects": [],
    }
    (read,) = read_rows(corpus(tmp_path, row("a", GOOD, "allow", context=context)))
    grants = read.context.grants
    assert [f"{each.network}" for each in grants.private_ranges] == ["10.1.0.0/16", "10.40.0.1/32", "10.20.30.0/24"]
    assert all(each.ports is None for each in grants.private_ranges)
    assert grants.private_names == {"corp.internal"}
    assert grants.unix_sockets == {"/run/x.sock"}
    assert grants.dynamic_resolvers == {"apps/*"}
    assert [(f"{each.network}", each.what) for each in grants.cluster_ranges] == [
        ("10.244.0.0/16", "pods"),
        ("10.96.0.0/12", "Services"),
        ("10.10.0.0/16", "nodes"),
        ("10.10.0.2/32", "the API server"),
    ]
    assert grants.cluster_domain == "k8s.corp.example.com"
    assert grants.platform_subjects == {"User:x"}
    assert grants.backend_api is True
    assert read.context.namespaces == {"prod"}


def test_nothing_is_approved_without_a_context(tmp_path: Path) -> None:
    """Guards against approvals of one row that leak into the next."""
    (read,) = read_rows(corpus(tmp_path, row("a", GOOD, "allow")))
    assert read.context.grants == type(read.context.grants)()
    assert read.related == ()


def test_malformed_rows_are_told_all_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against rows that are skipped, and against one round for each mistake."""
    file = corpus(
        tmp_path,
        row("good", GOOD, "allow"),
        "{",
        "[1]",
        '{"id": "a", "id": "b"}',
        '{"id": "x", "object": NaN, "verdict": "deny"}',
        {"id": "x", "verdict": ["deny"]},
        {"object": GOOD, "verdict": "deny", "severity": "high", "extra": 1},
        row("x", GOOD, "deny", context=[]),
        row("x", GOOD, "deny", context={"approvedHosts": [], "podCidrs": ["10.0.0.0/33", "x"], "namespaces": "prod"}),
        row("x", GOOD, "deny", context={"clusterDomain": 1, "backendApiApproved": "yes", "relatedObjects": {}}),
        "[" * 100_000,
    )
    assert main(["check", "--corpus", str(file)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.strip().replace(f"{file}", "FILE") for line in shown.err.splitlines()] == [
        "Nothing was judged:",
        "FILE:2: is not JSON",
        "FILE:3: is no JSON object",
        "FILE:4: holds a key is written twice in one object; write it once",
        "FILE:5: holds NaN or Infinity, which is not JSON",
        "FILE:6: `object` is missing; `verdict` is neither `deny` nor `allow`",
        "FILE:7: unknown key `extra`; `id` is missing, or no text; `severity` is not `block`, `warn` or `none`",
        "FILE:8: `context` is no object",
        "FILE:9: unknown key `context.approvedHosts`; `context.namespaces` is no list of texts; "
        "`context.podCidrs`: '33' is not a valid netmask; "
        "`context.podCidrs`: 'x' is not a plain IPv4 or IPv6 address",
        "FILE:10: `context.clusterDomain` is no text; `context.backendApiApproved` is neither true nor false; "
        "`context.relatedObjects` is no list",
        "FILE:11: is not JSON",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "holds no row"), (b"\n\n", "holds no row"), (b"\xff\n", "is not UTF-8"), (None, "cannot be read")],
)
def test_a_corpus_that_cannot_be_read(
    content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against `0 differ` where nothing was compared."""
    file = tmp_path / "corpus.jsonl"
    if content is not None:
        file.write_bytes(content)
    assert main(["check", "--corpus", str(file)]) == 1
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""


def test_odd_objects_get_a_verdict(tmp_path: Path) -> None:
    """Guards against a row that ends the run: numbers of any size, text that is no Unicode, no object at all."""
    odd: list[object] = [None, 5, "x", [], {}, GOOD | {"spec": 10**1000}, BAD | {"kind": "\ud800"}]
    file = corpus(tmp_path, *[row(f"row-{number}\n", each, "deny") for number, each in enumerate(odd)])
    judged = judge_corpus(file).rows
    assert [each.denied for each in judged] == [True] * 5 + [False, True]
    assert judged[0].row.id == "row-0\\n"
