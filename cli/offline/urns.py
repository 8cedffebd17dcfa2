"""Builds URNs as the engine does (pulumi sdk, go/common/resource/urn)."""

from typing import Any

from cli.offline.records import STACK_TYPE


def urn_of(*, project: str, stack: str, parent: str | None, type_: str, name: str) -> str:
    """The URN of a resource: the whole chain of types above it, without the stack's.

    The SDK's own mock keeps only the nearest parent's type, so its URNs differ from the engine's from the third
    level on.
    """
    chain = f"{qualified_type(parent)}$" if parent and qualified_type(parent) != STACK_TYPE else ""
    return f"urn:pulumi:{stack}::{project}::{chain}{type_}::{name}"


def qualified_type(urn: str) -> str:
    """The chain of types in a URN, joined by `$`."""
    return urn.split("::", 3)[2]


def alias_urn(alias: Any, request: Any, *, project: str, stack: str) -> str:
    """The URN that an alias of a registration stands for (pulumi pkg, resource/deploy/step_generator.go).

    Args:
        alias: a protobuf `Alias`: a URN, or what differs from the resource itself.
        request: the protobuf `RegisterResourceRequest`.
        project: the program's project.
        stack: the program's stack.
    """
    if alias.WhichOneof("alias") == "urn":
        return str(alias.urn)
    spec = alias.spec
    parent = None if spec.noParent else (spec.parentUrn or request.parent)
    return urn_of(
        project=spec.project or project,
        stack=spec.stack or stack,
        parent=parent,
        type_=spec.type or request.type,
        name=spec.name or request.name,
    )
