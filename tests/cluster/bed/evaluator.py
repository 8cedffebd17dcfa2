"""What the applied NetworkPolicies allow, computed by cyclonus, which others wrote."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.toolchains import tool

_VERDICT: Final = re.compile(r"^\| IS ALLOWED\? \|\s+(TRUE|FALSE)\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a connection: a pod, or an address that is none of a pod."""

    address: str
    namespace: str | None = None
    namespace_labels: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """What is asked about."""

    source: End
    target: End
    port: int
    protocol: str = "TCP"


def allowed(connections: Sequence[Connection], policies: Sequence[Mapping[str, Any]], folder: Path) -> list[bool]:
    """Whether the policies allow each connection.

    Args:
        connections: what is asked about.
        policies: NetworkPolicies, as the API server has them.
        folder: for files.

    Raises:
        AssertionError: cyclonus did not answer every question.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "policies").mkdir(parents=True)
    for number, policy in enumerate(policies):
        (folder / "policies" / f"{number}.yaml").write_text(json.dumps(policy))
    questions = folder / "traffic.json"
    questions.write_text(json.dumps([_traffic(connection) for connection in connections]))
    files = (f"--policy-path={folder / 'policies'}", f"--traffic-path={questions}")
    done = subprocess.run(
        [tool("cyclonus", build=False), "analyze", "--mode=query-traffic", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts = [found == "TRUE" for found in _VERDICT.findall(done.stdout)]
    assert len(verdicts) == len(connections), done.stdout[-2000:]
    return verdicts


def _traffic(connection: Connection) -> dict[str, Any]:
    return {
        "Source": _peer(connection.source),
        "Destination": _peer(connection.target),
        "ResolvedPort": connection.port,
        "ResolvedPortName": "",
        "Protocol": connection.protocol,
    }


def _peer(end: End) -> dict[str, Any]:
    if end.namespace is None:
        return {"Internal": None, "IP": end.address}
    inside = {
        "PodLabels": dict(end.labels or {}),
        "NamespaceLabels": dict(end.namespace_labels or {}),
        "Namespace": end.namespace,
    }
    return {"Internal": inside, "IP": end.address}
