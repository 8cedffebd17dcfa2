"""What rules ask for out of a stack's settings: read leniently, for the program itself says what is wrong with them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from components.settings.cloud.nodes import DedicatedNodes
from components.settings.egress import EgressGateway
from components.settings.install import EnvoyGateway, Istio
from policy.reading import Node, Reader, root
from policy.rule import Posture, Taint

PROJECT = "cluster-egress"
_DEDICATED: Final = "dedicated"
_DEFAULTS: Final = DedicatedNodes.model_construct().model_dump(include={"labels", "taints"})


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """The settings that rules ask for, as `policy.rule.Context` says, and why some of them cannot be read."""

    posture: Posture
    client_namespaces: frozenset[str]
    namespaces: frozenset[str]
    gateway_namespaces: frozenset[str]
    fetcher_namespaces: frozenset[str]
    egress_taints: tuple[Taint, ...]
    egress_labels: frozenset[tuple[str, str]]
    firewall_expected: bool
    addresses_protected: bool
    gateway_protected: bool
    problems: tuple[str, ...]


def read_settings(config: str) -> StackSettings:
    """The settings in `config`, the engine's JSON of JSON."""
    reader = Reader()
    cluster = _section(reader, config, "cluster")
    egress = _section(reader, config, "egress")
    install = _install(reader, config)
    namespaces = reader.field(cluster, "namespaces")
    names = [f"{name}" for name in reader.mapping(namespaces)]
    roles = {name: reader.text(reader.field(namespaces, name, "role")) for name in names}
    posture = reader.text(reader.field(egress, "posture"))
    protected = reader.text(reader.field(egress, "addresses", "protected"))
    return StackSettings(
        posture=Posture.OBSERVE if posture == Posture.OBSERVE else Posture.ENFORCE,
        client_namespaces=frozenset(name for name, role in roles.items() if role == "client"),
        namespaces=frozenset(roles),
        gateway_namespaces=_gateway_namespaces(reader, egress, install),
        fetcher_namespaces=_fetcher_namespaces(reader, egress, install),
        egress_taints=_egress_taints(reader, egress),
        egress_labels=frozenset(_egress_labels(reader, egress)),
        firewall_expected=reader.text(reader.field(egress, "firewall", "mode")) == "cloud-firewall",
        addresses_protected=protected != "nothing",
        gateway_protected=protected not in ("addresses", "nothing"),
        problems=tuple(f"{finding.path} {finding.message}".strip() for finding in reader.findings),
    )


def _install(reader: Reader, config: str) -> Node:
    """The section `install`, which may be left out."""
    if f"{PROJECT}:install" in reader.mapping(_parsed(reader, config, "PULUMI_CONFIG")):
        return _section(reader, config, "install")
    return Node(value=None, path=f"{PROJECT}:install")


def _fetcher_namespaces(reader: Reader, egress: Node, install: Node) -> frozenset[str]:
    """The namespace of istiod, if there is an issuer whose keys it fetches from addresses that nobody wrote down."""
    issuers = reader.field(egress, "mesh", "issuers")
    fetched = [
        name
        for name in map(str, reader.mapping(issuers))
        if reader.field(issuers, name, "jwksUri").value is not None
        and reader.field(issuers, name, "cidrs").value is None
    ]
    if not fetched:
        return frozenset()
    node = reader.field(install, "istio", "namespace")
    return frozenset({Istio().namespace if node.value is None else reader.text(node) or ""}) - {""}


def _gateway_namespaces(reader: Reader, egress: Node, install: Node) -> frozenset[str]:
    """The namespaces of the egress gateways and of Envoy Gateway: what the settings say, or their defaults.

    ASM has its gateways in its own namespace.
    """
    gateway = reader.field(egress, "mesh", "gateway", "namespace"), EgressGateway().namespace
    if reader.field(egress, "mesh", "flavour").value == "asm":
        gateway = reader.field(install, "istio", "namespace"), Istio().namespace
    named = (
        gateway,
        (reader.field(install, "envoyGateway", "namespace"), EnvoyGateway().namespace),
    )
    return frozenset(default if node.value is None else reader.text(node) or "" for node, default in named) - {""}


def _egress_taints(reader: Reader, egress: Node) -> tuple[Taint, ...]:
    """The taints of all egress nodes: those that every gateway may use, and those of single gateways."""
    further = reader.field(egress, "mesh", "gateways")
    pools = [egress, reader.field(egress, "mesh", "gateway")]
    pools += [reader.field(further, f"{name}") for name in reader.mapping(further)]
    found = dict.fromkeys(taint for pool in pools for taint in _taints(reader, _of_nodes(reader, pool, "taints")))
    return tuple(found)


def _egress_labels(reader: Reader, egress: Node) -> Iterator[tuple[str, str]]:
    """The labels of the egress nodes that every gateway may use."""
    labels = _of_nodes(reader, egress, "labels")
    for key in reader.mapping(labels):
        yield f"{key}", reader.text(reader.field(labels, f"{key}")) or ""


def _of_nodes(reader: Reader, pool: Node, key: str) -> Node:
    """The labels or taints of nodes. Those of a pool that is created have a default."""
    nodes = reader.field(pool, "nodes")
    said = reader.field(nodes, key)
    if said.value is not None or reader.text(reader.field(nodes, "mode")) != _DEDICATED:
        return said
    return Node(value=_DEFAULTS[key], path=said.path)


def _taints(reader: Reader, taints: Node) -> Iterator[Taint]:
    for key in reader.mapping(taints):
        yield Taint(
            key=f"{key}",
            value=reader.text(reader.field(taints, f"{key}", "value")),
            effect=reader.text(reader.field(taints, f"{key}", "effect")) or "",
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
