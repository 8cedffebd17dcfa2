"""Lines of settings, for reports."""

import pytest

from cli.offline.lines import line_of, with_lines

TEXT = """\
# a comment
config:
  cluster-egress:destinations:
    cnn:
      hosts: [edition.cnn.com]
      "a.b":
        - port: 1
        - port: 2
  other: 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("destinations", 3),
        ("destinations.cnn.hosts", 5),
        ("destinations.cnn.hosts[0]", 5),
        ("destinations.cnn.a.b[1].port", 8),
        ("destinations.cnn.owner", 4),
        ("cluster-egress:destinations.cnn", 4),
        ("other", 9),
        ("backends.x", None),
        ("", None),
    ],
)
def test_a_path_leads_to_its_line(path: str, line: int | None) -> None:
    """Guards against messages that point nowhere; a missing key points at where it would stand."""
    assert line_of(TEXT, path) == line


def test_a_report_gets_lines_for_its_own_file_only() -> None:
    """Guards against line numbers of the stack file on problems of the approvals file."""
    report = "\n".join(
        [
            "policy/approvals/dev.yaml: 1 problem",
            "  other: is wrong",
            "    instead: right",
            "stacks/Pulumi.dev.yaml: 2 problems",
            "  backends: is missing",
            "    instead: add it",
            "  destinations.cnn.hosts[0]: `x: y` is no host",
            "    instead: other: text",
        ]
    )
    lines = with_lines(report, file="stacks/Pulumi.dev.yaml", text=TEXT).splitlines()
    assert lines[1] == "  other: is wrong"
    assert lines[4] == "  backends: is missing"
    assert lines[6] == "  stacks/Pulumi.dev.yaml:5: destinations.cnn.hosts[0]: `x: y` is no host"
    assert lines[7] == "    instead: other: text"


def test_text_that_is_not_yaml_has_no_lines() -> None:
    """Guards against a second error while the first is reported."""
    assert line_of("config: [", "a") is None
    assert line_of("- a", "a") is None


def test_a_thousand_problems_get_their_lines_at_once() -> None:
    """Guards against parsing the file for each problem, which took minutes for a large stack."""
    entries = "".join(f"    d{number}:\n      hosts: [h{number}.example.com]\n" for number in range(1000))
    problems = "".join(f"  destinations.d{number}.cidrs: is missing\n" for number in range(1000))
    report = with_lines(
        f"f.yaml: 1000 problems\n{problems}", file="f.yaml", text=f"config:\n  x:destinations:\n{entries}"
    )
    assert "  f.yaml:2001: destinations.d999.cidrs: is missing" in report
