"""What the pack knows about the stack that it judges: its approvals and the two settings that rules ask for.

In a stack of this project, approvals and settings that cannot be read are problems that block; its approvals stand in
policy/approvals, and nothing can put others in their place. In another project's stack the pack works without either:
nothing is approved unless `EGRESS_APPROVALS` names a file, and nothing need be declared.
"""

import datetime as dt
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.settings.clock import today
from components.settings.problems import SettingsError
from policy.approvals import Approvals, approvals_file, load_approvals
from policy.reading import Node, Reader, root
from policy.rule import Context, Grants, ObjectRef, Posture, RuleException

PROJECT = "cluster-egress"
APPROVALS_VARIABLE = "EGRESS_APPROVALS"


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """The settings that rules ask for, read leniently: the program itself reports what is wrong with them."""

    posture: Posture
    client_namespaces: frozenset[str]
    namespaces: frozenset[str]
    problems: tuple[str, ...]


def grants_of(approvals: Approvals) -> Grants:
    """What rules ask for, out of a stack's approvals."""
    return Grants(
        cluster_domain=approvals.cluster.domain,
        dynamic_resolvers=frozenset(
            f"{granted.namespace}/{granted.name}" for granted in approvals.dynamic_resolvers.values()
        ),
        exceptions=tuple(
            RuleException(
                label=label,
                rule=granted.rule,
                ref=ObjectRef(kind=granted.kind, namespace=granted.namespace or "", name=granted.name),
                owner=granted.owner,
                reason=granted.reason,
                ticket=granted.ticket,
                expires=granted.expires,
            )
            for label, granted in approvals.exceptions.items()
        ),
    )


def context_of_environment(environment: Mapping[str, str] | None = None) -> Context:
    """The context of the stack that the engine runs, from the variables that it gives a pack's process.

    Args:
        environment: the variables; those of this process by default. `PULUMI_PROJECT`, `PULUMI_STACK` and
            `PULUMI_CONFIG` are the engine's; `EGRESS_APPROVALS` names the approvals of another project's stack.
    """
    given = os.environ if environment is None else environment
    date = today()
    config = given.get("PULUMI_CONFIG", "{}")
    # Also a project of another name is ours if it has our settings: it may import the components.
    ours = given.get("PULUMI_PROJECT") == PROJECT or f'"{PROJECT}:' in config
    file = given.get(APPROVALS_VARIABLE)
    if not ours:
        grants, problems = (Grants(), ()) if file is None else _read_approvals(Path(file), date)
        return Context(today=date, grants=grants, problems=problems)
    path = approvals_file(given.get("PULUMI_STACK", ""))
    grants, problems = _read_approvals(path, date)
    if file is not None:
        # Whoever sets a variable is not who approves.
        own = f"policy/approvals/{path.name}"
        problems = (f"the variable {APPROVALS_VARIABLE} is set, but only {own} approves for this stack", *problems)
    settings = _read_settings(config)
    return Context(
        today=date,
        grants=grants,
        posture=settings.posture,
        client_namespaces=settings.client_namespaces,
        namespaces=settings.namespaces,
        require_declarations=True,
        problems=(*problems, *settings.problems),
    )


def _read_approvals(path: Path, date: dt.date) -> tuple[Grants, tuple[str, ...]]:
    try:
        return grants_of(load_approvals(path, date)), ()
    except SettingsError as error:
        return Grants(), tuple(f"{p.file}: {p.dotted_path}: {p.wrong}; {p.instead}" for p in error.problems)
    except OSError as error:
        return Grants(), (f"{path.name} cannot be read: {error.strerror}",)


def _read_settings(config: str) -> _Settings:
    reader = Reader()
    cluster = _section(reader, config, "cluster")
    egress = _section(reader, config, "egress")
    namespaces = reader.field(cluster, "namespaces")
    names = [f"{name}" for name in reader.mapping(namespaces)]
    roles = {name: reader.text(reader.field(namespaces, name, "role")) for name in names}
    posture = reader.text(reader.field(egress, "posture"))
    return _Settings(
        posture=Posture.OBSERVE if posture == Posture.OBSERVE else Posture.ENFORCE,
        client_namespaces=frozenset(name for name, role in roles.items() if role == "client"),
        namespaces=frozenset(roles),
        problems=tuple(f"{finding.path} {finding.message}".strip() for finding in reader.findings),
    )


def _section(reader: Reader, config: str, key: str) -> Node:
    """One key of the stack's configuration. Only the named ones are read: another one holds secrets."""
    text = reader.text(reader.field(_parsed(reader, config, "PULUMI_CONFIG"), f"{PROJECT}:{key}"))
    if text is None:
        reader.report(root(None), f"{PROJECT}:{key} is missing")
        return root(None)
    return _parsed(reader, text, f"{PROJECT}:{key}")


def _parsed(reader: Reader, text: str, path: str) -> Node:
    try:
        return Node(value=json.loads(text), path=path)
    except (ValueError, RecursionError):
        node = Node(value=None, path=path)
        reader.report(node, "is not JSON")
        return node
