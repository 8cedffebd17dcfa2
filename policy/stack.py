"""What the pack knows about the stack that it judges: its approvals and the two settings that rules ask for.

In a stack of this project, approvals and settings that cannot be read are problems that block; its approvals stand in
policy/approvals, and nothing can put others in their place. In another project's stack the pack works without either:
nothing is approved unless `EGRESS_APPROVALS` names a file, and nothing need be declared.
"""

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.settings.clock import today
from components.settings.problems import Problem, SettingsError, did_you_mean
from policy.approvals import Approvals, approvals_file, load_approvals
from policy.approvals.model import ClusterRanges
from policy.facts.addresses import parse_network
from policy.registry import RULES
from policy.rule import ClusterRange, Context, Grants, ObjectRef, PrivateRange, RuleException
from policy.stack_settings import PROJECT, read_settings

APPROVALS_VARIABLE = "EGRESS_APPROVALS"


@dataclass(frozen=True, kw_only=True)
class _Approved:
    """What a file of approvals says, or why it cannot be read."""

    grants: Grants = field(default_factory=Grants)
    raised: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def grants_of(approvals: Approvals) -> Grants:
    """What rules ask for, out of a stack's approvals."""
    return Grants(
        cluster_domain=approvals.cluster.domain,
        cluster_ranges=_cluster_ranges(approvals.cluster),
        public_ports=frozenset(port for granted in approvals.public_ranges.values() for port in granted.ports),
        private_ranges=tuple(
            PrivateRange(network=parse_network(cidr), ports=frozenset(granted.ports))
            for granted in approvals.private_ranges.values()
            for cidr in granted.cidrs
        ),
        private_names=frozenset(suffix for granted in approvals.private_names.values() for suffix in granted.suffixes),
        unix_sockets=frozenset(path for granted in approvals.unix_sockets.values() for path in granted.paths),
        dynamic_resolvers=frozenset(
            f"{granted.namespace}/{granted.name}" for granted in approvals.dynamic_resolvers.values()
        ),
        platform_subjects=frozenset(
            f"{granted.kind}:{granted.name}"
            if granted.namespace is None
            else f"{granted.kind}:{granted.namespace}/{granted.name}"
            for granted in approvals.platform_subjects.values()
        ),
        backend_api=approvals.backend_api is not None,
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


def approvals_of(path: Path, date: dt.date, *, shown: str | None = None) -> Approvals:
    """Read a file of approvals as `load_approvals` does, and hold the rules that it names against those there are.

    Raises:
        SettingsError: as `load_approvals`; or the file names a rule that there is not, or that knows no exceptions.
    """
    approvals = load_approvals(path, date, shown=shown)
    file = path.name if shown is None else shown
    named = {("exceptions", label, "rule"): granted.rule for label, granted in approvals.exceptions.items()}
    raised = {("raisedRules", index): rule for index, rule in enumerate(approvals.raised_rules or ())}
    known = {rule.id: rule for rule in RULES}
    problems = [
        Problem(file=file, path=at, wrong=f"there is no rule {rule}", instead=did_you_mean(rule, known))
        for at, rule in (*named.items(), *raised.items())
        if rule not in known
    ]
    problems += [
        Problem(file=file, path=at, wrong=f"{rule} knows no exceptions", instead=f"nothing: {known[rule].remediation}")
        for at, rule in named.items()
        if rule in known and not known[rule].exceptable
    ]
    if problems:
        raise SettingsError(problems)
    return approvals


def _cluster_ranges(cluster: ClusterRanges) -> tuple[ClusterRange, ...]:
    named = (
        (cluster.pod_cidrs, "pods"),
        (cluster.service_cidrs, "Services"),
        (cluster.node_cidrs, "nodes"),
        (cluster.api_server_addresses, "the API server"),
    )
    return tuple(ClusterRange(network=parse_network(text), what=what) for texts, what in named for text in texts)


def context_of_environment(environment: Mapping[str, str] | None = None, *, approvals: Path | None = None) -> Context:
    """The context of the stack that the engine runs, from the variables that it gives a pack's process.

    Args:
        environment: the variables; those of this process by default. `PULUMI_PROJECT`, `PULUMI_STACK` and
            `PULUMI_CONFIG` are the engine's; `EGRESS_APPROVALS` names the approvals of another project's stack.
        approvals: the file of a stack of this project; the one beside this pack by default.
    """
    given = os.environ if environment is None else environment
    date = today()
    config = given.get("PULUMI_CONFIG", "{}")
    # Also a project of another name is ours if it has our settings: it may import the components.
    ours = given.get("PULUMI_PROJECT") == PROJECT or f'"{PROJECT}:' in config
    file = given.get(APPROVALS_VARIABLE)
    if not ours:
        approved = _Approved() if file is None else _read_named_approvals(file, date)
        return Context(today=date, grants=approved.grants, raised=approved.raised, problems=approved.problems)
    path = approvals_file(given.get("PULUMI_STACK", "")) if approvals is None else approvals
    approved = _read_approvals(path, date)
    problems = approved.problems
    if file is not None:
        # Whoever sets a variable is not who approves.
        own = f"policy/approvals/{path.name}"
        problems = (f"the variable {APPROVALS_VARIABLE} is set, but only {own} approves for this stack", *problems)
    settings = read_settings(config)
    return Context(
        today=date,
        grants=approved.grants,
        raised=approved.raised,
        posture=settings.posture,
        client_namespaces=settings.client_namespaces,
        namespaces=settings.namespaces,
        gateway_namespaces=settings.gateway_namespaces,
        fetcher_namespaces=settings.fetcher_namespaces,
        egress_taints=settings.egress_taints,
        egress_labels=settings.egress_labels,
        firewall_expected=settings.firewall_expected,
        addresses_protected=settings.addresses_protected,
        gateway_protected=settings.gateway_protected,
        require_declarations=True,
        problems=(*problems, *settings.problems),
    )


def _read_named_approvals(file: str, date: dt.date) -> _Approved:
    path = Path(file)
    if not path.is_absolute():
        problem = f"the variable {APPROVALS_VARIABLE} must hold an absolute path: the pack runs in a folder of its own"
        return _Approved(problems=(problem,))
    return _read_approvals(path, date, shown=file)


def _read_approvals(path: Path, date: dt.date, *, shown: str | None = None) -> _Approved:
    try:
        approvals = approvals_of(path, date, shown=shown)
    except SettingsError as error:
        problems = tuple(f"{p.file}: {p.dotted_path}: {p.wrong}; {p.instead}" for p in error.problems)
        return _Approved(problems=problems)
    except OSError as error:
        return _Approved(problems=(f"{path.name} cannot be read: {error.strerror}",))
    return _Approved(grants=grants_of(approvals), raised=frozenset(approvals.raised_rules or ()))
