"""The real kubectl, inside the bed's network."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.bed.network import inside
from tests.cluster.bed.processes import plain_environment

Object = dict[str, Any]


class KubectlError(Exception):
    """kubectl refused, or the API server did; the message is theirs."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl as one user."""

    program: Path
    kubeconfig: Path
    namespace: str
    """The network namespace in which it runs."""

    def run(self, *arguments: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it with these arguments.

        Raises:
            KubectlError: it failed, and `check` is on.
        """
        command = [*inside(self.namespace), str(self.program)]
        done = subprocess.run(
            [
                *command,
                f"--kubeconfig={self.kubeconfig}",
                f"--cache-dir={self.kubeconfig.parent / 'cache'}",
                *arguments,
            ],
            input=text,
            env=plain_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if check and done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def apply(self, *objects: Mapping[str, Any], arguments: Sequence[str] = ()) -> None:
        """Apply objects server-side."""
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.run("apply", "--server-side", *arguments, "-f", "-", text=items)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        """One object."""
        return json.loads(self.run("get", kind, name, *_in(namespace), "-o", "json").stdout)

    def list(self, kind: str, namespace: str | None = None, *, selector: str | None = None) -> list[Object]:
        """The objects of one kind, or of several (`a,b`), of a namespace or of all."""
        where = ("--all-namespaces",) if namespace is None else _in(namespace)
        chosen = () if selector is None else ("--selector", selector)
        return json.loads(self.run("get", kind, *where, *chosen, "-o", "json").stdout)["items"]

    def refused(self, *objects: Mapping[str, Any], arguments: Sequence[str] = ()) -> str | None:
        """What the API server, its admission included, says against objects in a dry run; `None` if it takes them."""
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        dry = ("apply", "--server-side", "--dry-run=server", *arguments, "-f", "-")
        done = self.run(*dry, text=items, check=False)
        return None if done.returncode == 0 else done.stderr.strip()


def _in(namespace: str | None) -> tuple[str, ...]:
    return () if namespace is None else ("--namespace", namespace)
