"""Reads the fixtures of the policy rules: a header (context, expected findings) and the objects, in one YAML file."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policy.facts.addresses import parse_network
from policy.registry import RULES
from policy.rule import (
    UNKNOWN,
    ClusterRange,
    Context,
    Grants,
    ObjectRef,
    Posture,
    PrivateRange,
    Rule,
    RuleException,
    Subject,
    Taint,
    Violation,
)
from policy.subjects import subjects_of

FIXTURES = Path(__file__).parent / "fixtures"
TODAY = dt.date(2026, 11, 1)
RULE_OF: dict[str, Rule] = {rule.id: rule for rule in RULES}


class _Loader(yaml.SafeLoader):
    """YAML with `!unknown` for a value that only the update will know."""


def _unknown(_loader: yaml.SafeLoader, _node: yaml.Node) -> object:
    return UNKNOWN


_Loader.add_constructor("!unknown", _unknown)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A violation that a fixture foretells."""

    rule: str
    object: str
    path: str
    message: str

    def matches(self, violation: Violation) -> bool:
        """Whether `violation` is the foretold one."""
        told = (violation.rule.id, str(violation.ref), violation.path, violation.message)
        return told == (self.rule, self.object, self.path, self.message)


@dataclass(frozen=True, kw_only=True)
class Fixture:
    """One case of one rule."""

    path: Path
    context: Context
    expected: tuple[Expected, ...]
    objects: tuple[Any, ...]

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Its objects as the rules get them, read anew each time: a test that asks for them tests the reading too."""
        return tuple(subject for whole in self.objects for subject in subjects_of(whole, self.path.name))

    @property
    def rule(self) -> str:
        """The id of the rule that the case is about."""
        return self.path.parent.name

    @property
    def is_good(self) -> bool:
        """Whether the case shows what passes."""
        return self.path.name.startswith("good-")

    def __str__(self) -> str:
        return f"{self.rule}/{self.path.stem}"


def documents(text: str) -> list[Any]:
    """The documents of a YAML text, with `UNKNOWN` for `!unknown`."""
    return list(yaml.load_all(text, Loader=_Loader))


def fixtures() -> list[Fixture]:
    """Every fixture, sorted by path."""
    return [_read(path) for path in sorted(FIXTURES.glob("*/*.yaml"))]


def _read(path: Path) -> Fixture:
    header, *objects = documents(path.read_text(encoding="utf-8"))
    return Fixture(
        path=path,
        context=_context(**header.get("context", {})),
        expected=tuple(Expected(**finding) for finding in header["findings"]),
        objects=tuple(objects),
    )


def _context(
    *,
    exceptions: dict[str, dict[str, str]] | None = None,
    problems: tuple[str, ...] = (),
    clusterDomain: str = "cluster.local",  # noqa: N803 - as the fixtures spell it
    dynamicResolvers: tuple[str, ...] = (),  # noqa: N803
    clientNamespaces: tuple[str, ...] = (),  # noqa: N803
    namespaces: tuple[str, ...] = (),
    gatewayNamespaces: tuple[str, ...] = (),  # noqa: N803
    fetcherNamespaces: tuple[str, ...] = (),  # noqa: N803
    egressTaints: tuple[dict[str, str], ...] = (),  # noqa: N803
    egressLabels: dict[str, str] | None = None,  # noqa: N803
    firewallExpected: bool = False,  # noqa: N803
    addressesProtected: bool = True,  # noqa: N803
    gatewayProtected: bool = True,  # noqa: N803
    publicPorts: tuple[int, ...] = (),  # noqa: N803
    clusterRanges: dict[str, list[str]] | None = None,  # noqa: N803
    privateRanges: dict[str, list[int] | None] | None = None,  # noqa: N803
    privateNames: tuple[str, ...] = (),  # noqa: N803
    unixSockets: tuple[str, ...] = (),  # noqa: N803
    platformSubjects: tuple[str, ...] = (),  # noqa: N803
    backendApi: bool = False,  # noqa: N803
    requireDeclarations: bool = False,  # noqa: N803
    posture: str = "enforce",
) -> Context:
    grants = Grants(
        cluster_domain=clusterDomain,
        cluster_ranges=tuple(
            ClusterRange(network=parse_network(text), what=what)
            for what, texts in (clusterRanges or {}).items()
            for text in texts
        ),
        public_ports=frozenset(publicPorts),
        private_ranges=tuple(
            PrivateRange(network=parse_network(text), ports=None if ports is None else frozenset(ports))
            for text, ports in (privateRanges or {}).items()
        ),
        private_names=frozenset(privateNames),
        unix_sockets=frozenset(unixSockets),
        platform_subjects=frozenset(platformSubjects),
        backend_api=backendApi,
        dynamic_resolvers=frozenset(dynamicResolvers),
        exceptions=tuple(exception(label=label, **given) for label, given in (exceptions or {}).items()),
    )
    return Context(
        today=TODAY,
        grants=grants,
        posture=Posture(posture),
        client_namespaces=frozenset(clientNamespaces),
        namespaces=frozenset(namespaces),
        gateway_namespaces=frozenset(gatewayNamespaces),
        fetcher_namespaces=frozenset(fetcherNamespaces),
        egress_taints=tuple(Taint(**taint) for taint in egressTaints),
        egress_labels=frozenset((egressLabels or {}).items()),
        firewall_expected=firewallExpected,
        addresses_protected=addressesProtected,
        gateway_protected=gatewayProtected,
        require_declarations=requireDeclarations,
        problems=tuple(problems),
    )


def exception(
    *,
    rule: str,
    kind: str,
    name: str,
    namespace: str = "",
    expires: str = "2029-12-31",
    label: str = "legacy",
    owner: str = "team-a",
    ticket: str = "SEC-1",
    reason: str = "old appliance",
) -> RuleException:
    """An exception, with defaults for what does not matter."""
    return RuleException(
        label=label,
        rule=rule,
        ref=ObjectRef(kind=kind, namespace=namespace, name=name),
        owner=owner,
        reason=reason,
        ticket=ticket,
        expires=dt.date.fromisoformat(expires),
    )
