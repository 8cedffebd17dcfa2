"""`egress check --stack`: judging as the stack's own pack does, and the answers of an existing VPC."""

import json
import shutil
from pathlib import Path

import pytest

from cli.app import main
from tests.projects import ROOT

VPC = ROOT / "tests" / "policy" / "vpc"


@pytest.fixture
def vpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the answers, which a test may change; the command runs in the project."""
    monkeypatch.chdir(ROOT)
    return Path(shutil.copytree(VPC, tmp_path / "vpc"))


def _set_public(instances: Path) -> None:
    """Give a client's node a public address."""
    answer = json.loads(instances.read_text())
    answer["Instances"]["Instance"][2]["PublicIpAddress"]["IpAddress"] = ["203.0.113.99"]
    instances.write_text(json.dumps(answer, indent=2) + "\n")


def test_a_clean_network_of_the_stack_prod(vpc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against settings of the stack that do not reach the rules, and against counting answers as objects."""
    assert main(["check", "--stack", "prod", str(vpc)]) == 0
    assert capsys.readouterr().out == "67 objects, 0 violations that block, 0 warnings\n"


def test_the_place_of_what_is_wrong(vpc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a finding whose file or line leads nowhere in an answer of thousands of lines."""
    file = vpc / "instances.json"
    _set_public(file)
    assert main(["check", "--stack", "prod", str(vpc)]) == 2
    first = capsys.readouterr().out.splitlines()[0]
    line = 1 + next(n for n, text in enumerate(file.read_text().splitlines()) if '"i-worker-h"' in text)
    assert first.startswith(
        f"{file}:{line - 1}: block EGR711 public-node-address Instance i-worker-h allocatePublicIp: "
    )


def test_half_of_the_answers_is_not_enough(vpc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a promise about a network of which a part was never asked for, or a page is missing."""
    (vpc / "ipv6-gateways.json").unlink()
    file = vpc / "eips.json"
    file.write_text(file.read_text().replace('"TotalCount": 5', '"TotalCount": 6'))
    assert main(["check", "--stack", "prod", str(vpc)]) == 2
    told = capsys.readouterr().out
    assert "answer DescribeEipAddresses TotalCount: there are 6 items, and 5 of them are here" in told
    assert f"\n{vpc}: block EGR791 answer-missing unanswered DescribeIpv6Gateways: is not here" in told


@pytest.mark.parametrize("format_", ["json", "github", "sarif"])
def test_what_a_folder_lacks_is_told_at_a_file(format_: str, vpc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against an annotation at a folder, which code scanning and GitHub do not show."""
    (vpc / "ipv6-gateways.json").unlink()
    assert main(["check", "--format", format_, "--stack", "prod", str(vpc)]) == 2
    told = capsys.readouterr().out
    first = str(min(vpc.iterdir()))
    assert first in told
    assert f"{vpc}:" not in told
    assert f'"{vpc}"' not in told
    assert f"file={vpc}," not in told


def test_the_approvals_of_the_stack_count(
    vpc: Path, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against a stack's approvals that are not asked, and against a variable that stands in for them."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("EGRESS_APPROVALS", "/nowhere.yaml")
    _set_public(vpc / "instances.json")
    excused = {"rule": "EGR711", "kind": "Instance", "name": "i-worker-h", "expires": "2029-12-31"}
    excused |= {"reason": "a bastion", "owner": "team-platform", "ticket": "SEC-1"}
    approvals = project / "policy" / "approvals" / "prod.yaml"
    approvals.write_text(f"{approvals.read_text()}exceptions:\n  bastion: {json.dumps(excused)}\n")
    assert main(["check", "--stack", "prod", str(vpc)]) == 0
    approvals.unlink()
    assert main(["check", "--stack", "prod", str(vpc)]) == 2
    assert "EGR002" in capsys.readouterr().out
    assert main(["check", "--stack", "pro", str(vpc)]) == 1
    assert "no stack `pro` in stacks: did you mean `prod`?" in capsys.readouterr().err


def test_two_sorts_of_approvals_are_refused(vpc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a file of approvals that is named, and read by nobody."""
    file = str(ROOT / "policy" / "approvals" / "dev.yaml")
    assert main(["check", "--stack", "prod", "--approvals", file, str(vpc)]) == 1
    assert "--stack brings its own approvals" in capsys.readouterr().err
    assert main(["check", "--corpus", str(ROOT / "tests/policy/corpus/own.jsonl"), "--stack", "prod"]) == 1


def test_outside_of_a_project_there_is_no_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against a stack that is quietly none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: apps}}")
    assert main(["check", "--stack", "prod", "a.yaml"]) == 1
    assert "no Pulumi.yaml" in capsys.readouterr().err
    assert main(["check", "a.yaml"]) == 0


def test_a_wrong_date_is_told(vpc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a traceback instead of a sentence."""
    monkeypatch.setenv("EGRESS_TODAY", "soon")
    assert main(["check", "--stack", "prod", str(vpc)]) == 1
    assert "EGRESS_TODAY" in capsys.readouterr().err
