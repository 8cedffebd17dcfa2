"""What the tests of the command share."""

from pathlib import Path
from typing import Protocol

STACK = """\
config:
  cluster-egress:cluster: {name: test}
  cluster-egress:secrets:
    token: {secure: "v1:c2FsdA==:ciphertext"}
"""
"""A stack with an encrypted value; nothing here knows its passphrase."""

PROVIDER = """\
import pulumi
import pulumi_kubernetes as kubernetes
provider = kubernetes.Provider("cluster", context="nowhere")
on_cluster = pulumi.ResourceOptions(provider=provider)
"""
"""How a program begins that registers objects."""


class MakeProject(Protocol):
    """Writes a project and returns its folder; `program` and `pack` are source text, None leaves the pack out."""

    def __call__(
        self, program: str = "", *, stack: str = STACK, pack: str | None = None, name: str = "project"
    ) -> Path: ...
