"""What network policies of other APIs let out: the cluster-wide ones of Kubernetes, Cilium's and Calico's."""

from collections.abc import Iterator
from typing import Final

from policy.facts.addresses import Network, canonical_network, parse_network
from policy.reading import Node, Reader, as_mapping, is_empty, root, shown
from policy.rule import Subject

_CLUSTER: Final = frozenset(
    f"policy.networking.k8s.io/{kind}"
    for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
)
_CILIUM: Final = frozenset({"cilium.io/CiliumClusterwideNetworkPolicy", "cilium.io/CiliumNetworkPolicy"})
_CALICO: Final = frozenset(
    f"{group}/{kind}"
    for group in ("crd.projectcalico.org", "projectcalico.org")
    for kind in ("GlobalNetworkPolicy", "NetworkPolicy")
)
PLUGIN_POLICY_KINDS: Final = _CLUSTER | _CILIUM | _CALICO
"""The kinds that `opened_networks` knows."""

_SHUT: Final = frozenset({"deny", "log", "pass"})
"""What a rule does that lets nothing out by itself; every other action may."""
_WORLD: Final = frozenset({"all", "world", "world-ipv4", "world-ipv6"})
_CILIUM_PEERS: Final = (
    "toCIDR",
    "toCIDRSet",
    "toEndpoints",
    "toEntities",
    "toFQDNs",
    "toGroups",
    "toNodes",
    "toRequires",
    "toServices",
)
_CALICO_PEERS: Final = ("domains", "namespaceSelector", "nets", "selector", "serviceAccounts", "services")


def opened_networks(subject: Subject, reader: Reader) -> list[tuple[Node, Network]]:
    """The networks that `subject`, of one of `PLUGIN_POLICY_KINDS`, lets out to.

    `reader` collects what opens every destination, and what cannot be read.
    """
    whole = root(subject.whole)
    spec = reader.field(whole, "spec")
    kind = subject.group_kind
    if kind in _CILIUM:
        specs = [spec, *reader.items(reader.field(whole, "specs"))]
        cidrs = [cidr for each in specs for cidr in _cilium(reader, each)]
    else:
        judge = _cluster if kind in _CLUSTER else _calico
        rules = reader.items(reader.field(spec, "egress"))
        cidrs = [cidr for rule in rules if _may_let_out(reader, rule) for cidr in judge(reader, rule)]
    return [(cidr, network) for cidr in cidrs for network in _network(reader, cidr)]


def _may_let_out(reader: Reader, rule: Node) -> bool:
    text = reader.text(reader.field(rule, "action"))
    return text is None or text.lower() not in _SHUT


def _cluster(reader: Reader, rule: Node) -> Iterator[Node]:
    peers = reader.field(rule, "to")
    if is_empty(peers) and _is_known(rule):
        reader.report(rule, "has no `to`, so it opens every destination")
    for peer in reader.items(peers):
        yield from reader.items(reader.field(peer, "networks"))


def _cilium(reader: Reader, spec: Node) -> Iterator[Node]:
    for rule in reader.items(reader.field(spec, "egress")):
        # A rule without anything in it lets nothing out; one of ports alone lets out to everywhere.
        if _is_known(rule) and not is_empty(rule) and all(is_empty(reader.field(rule, key)) for key in _CILIUM_PEERS):
            reader.report(rule, "names no destination, so it opens every one")
        for entity in reader.items(reader.field(rule, "toEntities")):
            text = reader.text(entity)
            if text is not None and text.lower() in _WORLD:
                reader.report(entity, f"{shown(text)} opens every destination")
        for name in reader.items(reader.field(rule, "toFQDNs")):
            pattern = reader.field(name, "matchPattern")
            text = reader.text(pattern)
            if text is not None and text.strip("*.") == "":
                reader.report(pattern, f"{shown(text)} opens every destination")
        yield from reader.items(reader.field(rule, "toCIDR"))
        for entry in reader.items(reader.field(rule, "toCIDRSet")):
            yield reader.field(entry, "cidr")


def _calico(reader: Reader, rule: Node) -> Iterator[Node]:
    destination = reader.field(rule, "destination")
    if _is_known(rule) and all(is_empty(reader.field(destination, key)) for key in _CALICO_PEERS):
        reader.report(rule, "names no destination, so it opens every one")
    yield from reader.items(reader.field(destination, "nets"))


def _is_known(rule: Node) -> bool:
    """Whether anything can be said of a rule besides that it cannot be read."""
    return rule.value is None or as_mapping(rule.value) is not None


def _network(reader: Reader, cidr: Node) -> Iterator[Network]:
    text = reader.text(cidr)
    if text is None:
        return
    try:
        yield canonical_network(parse_network(text))
    except ValueError:
        reader.report(cidr, f"{shown(text)} is not a CIDR in its plain form")
