"""What `egress check` makes of objects without a namespace, and of what lies beside manifests."""

from pathlib import Path

import pytest
from manifests import NAMELESS, NAMESPACE, write
from test_check_command import APPROVALS, EXCEPTION

from cli.app import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


HOMELESS = """\
apiVersion: v1
kind: List
items:
  - apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: Backend
    metadata: {name: n9e}
    spec: {endpoints: [{ip: {address: 47.96.10.20, port: 17000}}]}
  - {apiVersion: v1, kind: Namespace, metadata: {name: apps}}
  - {apiVersion: v1, kind: Service, metadata: {name: web, namespace: other}, spec: {}}
"""


def test_objects_without_a_namespace_go_where_the_command_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against manifests for `kubectl apply -n` that nobody can judge, and against moving what has its place."""
    write(folder, {"a.yaml": HOMELESS})
    assert main(["check", "a.yaml"]) == 2
    assert "EGR001" in capsys.readouterr().out
    assert main(["check", "--namespace", "apps", "a.yaml"]) == 0
    exception = EXCEPTION.replace("EGR105", "EGR108").replace("name: legacy", "name: n9e")
    write(folder, {"approvals.yaml": APPROVALS + exception, "a.yaml": HOMELESS.replace("47.96", "10.96")})
    assert main(["check", "--namespace", "apps", "--approvals", "approvals.yaml", "a.yaml"]) == 2
    assert "EGR107 cluster-address Backend apps/n9e" in capsys.readouterr().out


def test_a_kustomization_beside_its_manifests_is_passed_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against folders for kustomize that nobody can check, and against an object that hides under that name."""
    write(folder, {"a.yaml": NAMESPACE, "kustomization.yaml": "resources: [a.yaml]\n"})
    assert main(["check", "."]) == 0
    assert capsys.readouterr().out == "1 object, 0 violations that block, 0 warnings\n"
    write(folder, {"kustomization.yaml": NAMELESS})
    assert main(["check", "."]) == 2
