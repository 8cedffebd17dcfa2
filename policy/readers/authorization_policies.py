"""Whom an AuthorizationPolicy of Istio allows: for each rule, whether it names somebody at all.

A policy of another action than ALLOW allows nobody. Facts: istio/api, security/v1beta1/authorization_policy.proto;
istio/istio, pilot/pkg/security/authz/model.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from policy.facts.addresses import is_wide, parse_network
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import Finding, Subject

AUTHORIZATION_POLICY = "security.istio.io/AuthorizationPolicy"
_ACTIONS = frozenset({"ALLOW", "DENY", "AUDIT", "CUSTOM"})
_POSITIVE_SOURCES = (
    "principals",
    "requestPrincipals",
    "namespaces",
    "serviceAccounts",
    "trustDomains",
    "ipBlocks",
    "remoteIpBlocks",
)
_OPERATIONS = ("hosts", "ports", "methods", "paths")
_EVERY_OPERATION = frozenset({"*", "/*", "/**", "/{**}"})
_WHO_KEYS = {  # conditions that say the same as a field of a source
    "source.principal": "principals",
    "source.namespace": "namespaces",
    "source.serviceAccount": "serviceAccounts",
    "source.trustDomain": "trustDomains",
    "source.ip": "ipBlocks",
    "remote.ip": "remoteIpBlocks",
    "request.auth.principal": "requestPrincipals",
}
_NAMED_NAMESPACE = re.compile(r"(^|[/*])ns/[^/*]+/")


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What is wrong with whom a policy allows."""

    anybody: tuple[Finding, ...]
    """It allows everybody, or cannot be read."""
    unnamed: tuple[Finding, ...]
    """It allows whoever is known at all, or everybody but only to do something."""


class _Reach(IntEnum):
    """Whom values let in, the narrowest first."""

    SOMEBODY = 0
    KNOWN = 1
    ANYBODY = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class _Said:
    """What an object says of callers in one place."""

    reach: _Reach
    node: Node | None = None
    """Where; None if nowhere."""
    message: str = ""
    by_address: bool = False


def _narrowness(said: _Said) -> tuple[_Reach, bool]:
    """Whom it lets in; a name is worth more than an address."""
    return said.reach, said.by_address


@lru_cache(maxsize=16)
def allowed_by(subject: Subject) -> Allowed:
    """Read `subject`, an AuthorizationPolicy."""
    reading = _Reading()
    reading.read(reading.reader.field(root(subject.whole), "spec"))
    return Allowed(anybody=tuple(reading.reader.findings), unnamed=tuple(reading.unnamed.findings))


class _Reading:
    """Walks one policy."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.unnamed = Reader()
        self._networks: list[IPv4Network | IPv6Network] = []

    def read(self, spec: Node) -> None:
        action = self.reader.field(spec, "action")
        text = self.reader.text(action)
        if self.reader.findings or text not in (None, "ALLOW"):
            if text is not None and text not in _ACTIONS:
                self.reader.report(action, f"{shown(text)} is no known action")
            return
        rules = self.reader.field(spec, "rules")
        for rule in self.reader.items(rules):
            self._read_rule(rule)
        if is_wide(self._networks) and not self.reader.findings:
            self.reader.report(rules, "names address blocks that are too wide together")

    def _read_rule(self, rule: Node) -> None:
        found, known_networks = len(self.reader.findings), len(self._networks)
        conditions, narrows_request = self._read_conditions(rule)
        # Everything is read, so that what cannot be read is said even where another restriction holds.
        sources = [
            self._reach_of(self.reader.field(source, "source"))
            for source in self.reader.items(self.reader.field(rule, "from"))
        ]
        narrows_request = self._narrows_operations(rule) or narrows_request
        if conditions.reach is _Reach.SOMEBODY and not conditions.by_address:
            del self._networks[known_networks:]
        if conditions.reach is _Reach.SOMEBODY or len(self.reader.findings) > found:
            return
        if not sources and conditions.node is not None:
            self._say(conditions.node, conditions.reach, conditions.message)
        elif not sources and narrows_request:
            self._say(rule, _Reach.KNOWN, "says what is allowed, but not to whom")
        elif not sources:
            self._say(rule, _Reach.ANYBODY, "allows everybody everything")
        for source in sources:
            self._say(source.node or rule, min(source.reach, conditions.reach), source.message)

    def _say(self, node: Node, reach: _Reach, message: str) -> None:
        if reach is _Reach.ANYBODY:
            self.reader.report(node, message)
        elif reach is _Reach.KNOWN:
            self.unnamed.report(node, message)

    def _read_conditions(self, rule: Node) -> tuple[_Said, bool]:
        """What the conditions say of the caller, and whether they say anything else."""
        said, narrows_request = _Said(reach=_Reach.ANYBODY), False
        for condition in self.reader.items(self.reader.field(rule, "when")):
            key_node = self.reader.field(condition, "key")
            key = self.reader.text(key_node)
            if key is None and key_node.value is None:
                self.reader.report(key_node, "is missing")
            values = self.reader.field(condition, "values")
            self.reader.items(self.reader.field(condition, "notValues"))
            if key is None or is_empty(values):
                continue
            if key in _WHO_KEYS or key.startswith("request.auth."):
                each = self._values(_WHO_KEYS.get(key, "requestPrincipals"), values)
                said = each if said.node is None else min(said, each, key=_narrowness)
            else:
                texts = [self.reader.text(item) for item in self.reader.items(values)]
                narrows_request = narrows_request or "*" not in texts
        return said, narrows_request

    def _reach_of(self, source: Node) -> _Said:
        known_networks = len(self._networks)
        fields = [(name, self.reader.field(source, name)) for name in _POSITIVE_SOURCES]
        given = [self._values(name, node) for name, node in fields if not is_empty(node)]
        if not given:
            message = "is everybody" if is_empty(source) else "only says who it is not"
            return _Said(reach=_Reach.ANYBODY, node=source, message=message)
        said = min(given, key=_narrowness)
        if not said.by_address:
            del self._networks[known_networks:]
        return said

    def _values(self, name: str, node: Node) -> _Said:
        """Whom the values of one field of a source let in."""
        texts = [(item, self.reader.text(item)) for item in self.reader.items(node)]
        told = shown(", ".join(f"{text}" for _, text in texts))
        if name in ("ipBlocks", "remoteIpBlocks"):
            networks = [network for item, text in texts if (network := self._network(item, text)) is not None]
            if is_wide(networks):
                return _Said(reach=_Reach.ANYBODY, node=node, message=f"{told} is too wide", by_address=True)
            self._networks += networks
            return _Said(reach=_Reach.SOMEBODY, node=node, by_address=True)
        if any(text is None or _is_known_only(name, text) for _, text in texts):
            return _Said(reach=_Reach.KNOWN, node=node, message=f"{told} is whoever is known at all")
        return _Said(reach=_Reach.SOMEBODY, node=node)

    def _network(self, item: Node, text: str | None) -> IPv4Network | IPv6Network | None:
        if text is None:
            if item.value is None:
                self.reader.report(item, "is missing")
            return None
        try:
            return parse_network(text)
        except ValueError:
            self.reader.report(item, f"{shown(text)} is not an address or CIDR in its plain form")
            return None

    def _narrows_operations(self, rule: Node) -> bool:
        """Whether every operation that the rule allows says which requests it means."""
        operations = [self.reader.field(to, "operation") for to in self.reader.items(self.reader.field(rule, "to"))]
        narrow = [self._narrows(operation) for operation in operations]
        return bool(narrow) and all(narrow)

    def _narrows(self, operation: Node) -> bool:
        narrows = False
        for key in _OPERATIONS:
            texts = [self.reader.text(item) for item in self.reader.items(self.reader.field(operation, key))]
            narrows = narrows or (bool(texts) and _EVERY_OPERATION.isdisjoint(texts))
        return narrows


def _is_known_only(name: str, text: str) -> bool:
    """Whether a value of a source stands for everybody of its sort, such as every workload of the mesh."""
    if name == "principals":
        return "*" in text and _NAMED_NAMESPACE.search(text) is None
    if name == "trustDomains":  # whoever has a certificate of the mesh
        return True
    return text.strip("*") == "" or (name == "serviceAccounts" and "*" in text)
