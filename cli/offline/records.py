"""What a run of the program leaves behind: plain, frozen data about every resource that it registered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class Secret(str):
    """Stands for a secret value in recorded data. Its text is `[secret]`; the value itself is nowhere."""

    __slots__ = ()


class Unknown(str):
    """Stands for a value that is only known once something exists. Its text is `[unknown]`."""

    __slots__ = ()


SECRET: Final = Secret("[secret]")
UNKNOWN: Final = Unknown("[unknown]")

STACK_TYPE: Final = "pulumi:pulumi:Stack"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One resource as the engine would know it after a preview.

    `parent`, `provider`, `dependencies`, `property_dependencies` and `aliases` hold URNs. `inputs` and `outputs` are
    plain data with sorted keys, with `SECRET` and `UNKNOWN` where a value is one.
    """

    urn: str
    type: str
    name: str
    custom: bool
    parent: str | None
    provider: str | None
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]
    protect: bool
    aliases: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    additional_secret_outputs: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    delete_before_replace: bool | None
    retain_on_delete: bool
    deleted_with: str | None
    import_id: str | None
    version: str | None
    custom_timeouts: Mapping[str, str]

    @property
    def is_stack(self) -> bool:
        """Whether this is the root that every program has."""
        return self.type == STACK_TYPE


@dataclass(frozen=True, kw_only=True)
class LogMessage:
    """What the program or the policy pack logged. `severity` is `info`, `warning` or `error`."""

    severity: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A resource's properties as they go to a policy pack: protobuf Structs, with secrets in the open."""

    inputs: Any
    outputs: Any


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One run of the program: all registrations in their order (the stack first), and the stack's outputs."""

    project: str
    stack: str
    registrations: tuple[Registration, ...]
    outputs: Mapping[str, Any]
    messages: tuple[LogMessage, ...]
    wire: Mapping[str, Wire] = field(repr=False, compare=False)
    secrets: frozenset[str] = field(repr=False, compare=False)
    """The texts of secret values, to be masked in whatever others write (logs, messages of the pack)."""


def masked(text: str, secrets: frozenset[str]) -> str:
    """`text` with `[secret]` in the place of every secret in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, SECRET)
    return text
