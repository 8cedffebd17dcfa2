"""Approvals files: read strictly, with the report that settings have."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import Problem, SettingsError
from policy.approvals import approvals_file, load_approvals
from tests.support import (
    ROOT,
    TODAY,
    approval,
    approvals_of,
    changed,
    cluster_ranges,
    dev_approvals,
    private_range,
    public_range,
    setting,
)

_DEV = (ROOT / "policy" / "approvals" / "dev.yaml").read_text(encoding="utf-8")
_GOOD: dict[str, Any] = {
    "version": 1,
    "cluster": cluster_ranges(),
    "publicRanges": {"edition-cnn": public_range(["edition.cnn.com"], [80, 443])},
    "privateRanges": {"nightingale": private_range("172.139.20.0/24")},
    "dynamicResolvers": {"forward": approval(namespace="news", name="forward")},
    "unixSockets": {"helpers": approval(paths=["/var/run/cluster-egress/opa/socket"])},
    "offeredNames": {"own": approval(zones=["corp.example.com"])},
    "exposedGateways": {"partners": approval(exposure="intranet", sourceRanges=["10.30.0.0/16"])},
    "exceptions": {"old": approval(rule="EGR105", kind="DestinationRule", namespace="news", name="old")},
}


def _told(path: Path, text: str, today: dt.date = TODAY) -> list[tuple[str, str, str]]:
    file = path / "test.yaml"
    file.write_text(text, encoding="utf-8")
    problems: tuple[Problem, ...] = ()
    try:
        load_approvals(file, today)
    except SettingsError as error:
        problems = error.problems
    assert all(problem.file == "policy/approvals/test.yaml" for problem in problems)
    return [(problem.dotted_path, problem.wrong, problem.instead) for problem in problems]


def _told_values(path: Path, values: Any) -> list[tuple[str, str, str]]:
    return _told(path, yaml.safe_dump(values))


def test_the_dev_stack_has_approvals() -> None:
    """The stack that everyone starts with could not be previewed."""
    approvals = dev_approvals()
    assert set(approvals.public_ranges) == {"edition-cnn", "httpbin"}
    assert approvals.cluster.api_server_port == 6443
    assert approvals.cluster.domain == "cluster.local"


def test_every_section_is_read(tmp_path: Path) -> None:
    """A section that the reference names was refused."""
    assert _told_values(tmp_path, _GOOD) == []


def test_approvals_stand_beside_the_pack() -> None:
    """A stack was judged by the approvals of another."""
    assert approvals_file("prod") == ROOT / "policy" / "approvals" / "prod.yaml"


def test_a_missing_file_says_whom_to_ask(tmp_path: Path) -> None:
    """A new stack ended in a traceback, or was taken as approved."""
    with pytest.raises(SettingsError) as error:
        load_approvals(tmp_path / "prod.yaml", TODAY)
    (problem,) = error.value.problems
    assert (problem.file, problem.dotted_path) == ("policy/approvals/prod.yaml", "(the whole file)")
    assert problem.wrong == "there is no such file"
    assert problem.instead == "ask the security team for one; policy/approvals/dev.yaml shows how"


@pytest.mark.parametrize("text", ["a: [", "\ta: 1", "a: 'b", "{", "a: \x01", "? [a\n: 1"])
def test_what_is_not_yaml_is_one_problem_on_one_line(tmp_path: Path, text: str) -> None:
    """A slip in the file ended in a traceback, or broke the report's form."""
    ((path, wrong, instead),) = _told(tmp_path, text)
    assert (path, instead) == ("(the whole file)", "valid YAML")
    assert wrong.startswith("is not YAML: ")
    assert "\n" not in wrong


def test_what_is_not_text_is_one_problem(tmp_path: Path) -> None:
    """A binary file ended in a traceback."""
    file = tmp_path / "test.yaml"
    file.write_bytes(b"\xff\xfe\x00version: 1")
    with pytest.raises(SettingsError, match="is not YAML"):
        load_approvals(file, TODAY)


@pytest.mark.parametrize("text", ["", "- version: 1", "version", "~", "3", "---\n"])
def test_what_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    """An empty file approved nothing and everything."""
    ((path, wrong, instead),) = _told(tmp_path, text)
    assert path == "(the whole file)"
    assert wrong
    assert instead == "a map: `name: value` lines, indented"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"{_DEV}\npublicRanges: {{}}\n", "publicRanges"),
        (_DEV.replace("  nodeCidrs:", "  podCidrs: [10.0.0.0/8]\n  nodeCidrs:"), "cluster.podCidrs"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(tmp_path: Path, text: str, path: str) -> None:
    """A reviewer saw the first of two equal keys, and the reader took the second."""
    assert _told(tmp_path, text) == [(path, "is written twice, so one of them is not read", "one of the two")]


def test_a_second_document_is_refused(tmp_path: Path) -> None:
    """Approvals after `---` were reviewed and never read."""
    assert _told(tmp_path, f"{_DEV}\n---\nversion: 1\n") == [
        ("(the whole file)", "holds a second document, which is not read", "one document")
    ]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("publicRange", {}, ("publicRange", "unknown key `publicRange`", "did you mean `publicRanges`?")),
        ("version", 2, ("version", "2 is not known here", "one of: 1")),
        ("version", "1", ("version", '"1" is not known here', "did you mean `1`?")),
        (
            "cluster.podCidr",
            ["10.0.0.0/8"],
            ("cluster.podCidr", "unknown key `podCidr`", "did you mean `podCidrs`?"),
        ),
        (
            "cluster.podCidrs",
            [],
            ("cluster.podCidrs", "is empty", "at least one entry; empty never means `anything`"),
        ),
        (
            "cluster.podCidrs",
            ["10.244.0.1/16"],
            (
                "cluster.podCidrs[0]",
                '"10.244.0.1/16" is not the ordinary form of a network, or has host bits',
                "`10.244.0.0/16`",
            ),
        ),
        (
            "publicRanges.edition-cnn.port",
            443,
            ("publicRanges.edition-cnn.port", "unknown key `port`", "did you mean `ports`?"),
        ),
        (
            "publicRanges.edition-cnn.ports",
            [],
            ("publicRanges.edition-cnn.ports", "is empty", "at least one entry; empty never means `anything`"),
        ),
        (
            "privateRanges.nightingale.cidrs",
            ["0.0.0.0/0"],
            (
                "privateRanges.nightingale.cidrs[0]",
                '"0.0.0.0/0" is every address there is',
                "the ranges that are really meant",
            ),
        ),
        (
            "exceptions.old.reason",
            "",
            ("exceptions.old.reason", "is empty", "a few words that a colleague understands"),
        ),
        (
            "exceptions.old.rule",
            "egr105",
            (
                "exceptions.old.rule",
                '"egr105" is not of the form that is needed',
                r"text that matches ^EGR[0-9]{3}$",
            ),
        ),
    ],
)
def test_bad_approvals_are_refused_in_their_place(
    tmp_path: Path, path: str, value: Any, problem: tuple[str, str, str]
) -> None:
    """An approval was wider than its text, or none at all, and nobody was told."""
    assert _told_values(tmp_path, changed(setting(path, value), _GOOD)) == [problem]


@pytest.mark.parametrize("key", ["owner", "ticket", "expires", "reason"])
@pytest.mark.parametrize("section", ["publicRanges", "privateRanges", "dynamicResolvers", "exceptions"])
def test_every_approval_says_who_why_and_until_when(tmp_path: Path, section: str, key: str) -> None:
    """An approval without an owner, a reason or an end stayed for ever."""
    (name,) = _GOOD[section]
    values = changed(lambda all_values: all_values[section][name].pop(key), _GOOD)
    ((path, wrong, instead),) = _told_values(tmp_path, values)
    assert (path, wrong) == (f"{section}.{name}.{key}", "is missing")
    assert instead.startswith(f"add `{key}:`: ")


@pytest.mark.parametrize("section", ["publicRanges", "privateRanges", "dynamicResolvers"])
def test_expired_approvals_are_refused_after_their_last_day(tmp_path: Path, section: str) -> None:
    """An approval that is over still granted, or ended a day early."""
    (name,) = _GOOD[section]
    values = changed(setting(f"{section}.{name}.expires", "2027-06-30"), _GOOD)
    text = yaml.safe_dump(values)
    last = dt.date(2027, 6, 30)
    assert _told(tmp_path, text, last) == []
    assert _told(tmp_path, text, last + dt.timedelta(days=1)) == [
        (
            f"{section}.{name}.expires",
            "expired on 2027-06-30 (today is 2027-07-01)",
            "have the ticket renewed and write the new date, or remove the entry",
        )
    ]


def test_an_expired_exception_is_the_pack_s_matter(tmp_path: Path) -> None:
    """One exception that was over took every other approval with it."""
    (name,) = _GOOD["exceptions"]
    text = yaml.safe_dump(changed(setting(f"exceptions.{name}.expires", "2027-06-30"), _GOOD))
    assert _told(tmp_path, text, dt.date(2027, 7, 1)) == []


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """The security team mended one thing after the other."""

    def change(values: dict[str, Any]) -> None:
        del values["cluster"]["nodeCidrs"]
        values["publicRanges"]["edition-cnn"]["ports"] = [0]
        values["exceptions"]["old"]["expires"] = "2020-13-01"
        values["more"] = 1

    text = yaml.safe_dump(changed(change, _GOOD)) + "\nversion: 1\n"
    assert [path for path, _, _ in _told(tmp_path, text)] == [
        "cluster.nodeCidrs",
        "exceptions.old.expires",
        "more",
        "publicRanges.edition-cnn.ports[0]",
        "version",
    ]


def test_sections_without_grants_grant_nothing() -> None:
    """A section that is left out meant `anything`."""
    approvals = approvals_of({"version": 1, "cluster": cluster_ranges()})
    assert not approvals.public_ranges
    assert not approvals.private_ranges
    assert not approvals.dynamic_resolvers
    assert not approvals.exceptions
