"""What network policies of other APIs let out: the cluster-wide ones of Kubernetes, Cilium's and Calico's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from policy.facts.addresses import Network, canonical_network, parse_network
from policy.facts.names import is_public_suffix
from policy.readers.selectors import selects_all
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
"""The kinds that `plugin_openings_of` knows."""
GROUPS: Final = MappingProxyType(
    {
        "cilium.io/CiliumCIDRGroup": "externalCIDRs",
        **{
            f"{group}/{kind}": "nets"
            for group in ("crd.projectcalico.org", "projectcalico.org")
            for kind in ("GlobalNetworkSet", "NetworkSet")
        },
    }
)
"""Kinds that only list networks, and where: policies select them by labels, as they select pods."""

_SHUT: Final = frozenset({"deny", "log", "pass"})
"""What a rule does that lets nothing out by itself; every other action may."""
_WORLD: Final = frozenset({"all", "world", "world-ipv4", "world-ipv6"})
_WORLD_LABEL: Final = re.compile(r"(any|reserved)[:.](all|world|world-ipv4|world-ipv6)")
_LEAVING_OUT: Final = ("DoesNotExist", "NotIn")
_CIDR_GROUPS: Final = ("cidrGroupRef", "cidrGroupSelector")
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
_DNS_PROTOCOLS: Final = frozenset({"ANY", "TCP", "UDP"})
NO_DESTINATION: Final = "names no destination, so it opens every one"


@dataclass(frozen=True, kw_only=True, eq=False)
class PluginOpenings:
    """What a policy lets out to, besides what opens everything."""

    networks: tuple[tuple[Node, Network], ...]
    """Each with where it stands."""
    dns_anywhere: tuple[Node, ...]
    """The rules without a destination that let DNS out, and nothing else."""


def plugin_openings_of(subject: Subject, reader: Reader) -> PluginOpenings:
    """Read `subject`, of one of `PLUGIN_POLICY_KINDS`.

    `reader` collects what opens every destination or the names of many owners, and what cannot be read.
    """
    dns: list[Node] = []
    cidrs = _cidrs(subject, reader, dns)
    networks = tuple((cidr, network) for cidr in cidrs for network in _network(reader, cidr))
    return PluginOpenings(networks=networks, dns_anywhere=tuple(dns))


def networks_of_group(subject: Subject, reader: Reader) -> tuple[Network, ...]:
    """The networks in `subject`, of one of `GROUPS`; `reader` collects what cannot be read."""
    items = reader.items(reader.field(root(subject.whole), "spec", GROUPS[subject.group_kind]))
    return tuple(network for item in items for network in _network(reader, item))


def _cidrs(subject: Subject, reader: Reader, dns: list[Node]) -> list[Node]:
    whole = root(subject.whole)
    spec = reader.field(whole, "spec")
    kind = subject.group_kind
    if kind in _CILIUM:
        specs = [spec, *reader.items(reader.field(whole, "specs"))]
        return [cidr for each in specs for cidr in _cilium(reader, each, dns)]
    judge = _cluster if kind in _CLUSTER else _calico
    rules = reader.items(reader.field(spec, "egress"))
    return [cidr for rule in rules if _may_let_out(reader, rule) for cidr in judge(reader, rule, dns)]


def _may_let_out(reader: Reader, rule: Node) -> bool:
    text = reader.text(reader.field(rule, "action"))
    return text is None or text.lower() not in _SHUT


def _cluster(reader: Reader, rule: Node, _dns: list[Node]) -> Iterator[Node]:
    peers = reader.field(rule, "to")
    if is_empty(peers) and _is_known(rule):
        reader.report(rule, "has no `to`, so it opens every destination")
    for peer in reader.items(peers):
        for name in reader.items(reader.field(peer, "domainNames")):
            _judge_name(reader, name)
        yield from reader.items(reader.field(peer, "networks"))
        nodes = reader.field(peer, "nodes")
        if nodes.value is not None and as_mapping(nodes.value) is not None and selects_all(Reader(), nodes):
            reader.report(nodes, "opens every node")


def _cilium(reader: Reader, spec: Node, dns: list[Node]) -> Iterator[Node]:
    for rule in reader.items(reader.field(spec, "egress")):
        # A rule without anything in it lets nothing out; one of ports alone lets out to everywhere.
        if _is_known(rule) and not is_empty(rule) and all(is_empty(reader.field(rule, key)) for key in _CILIUM_PEERS):
            _judge_unbounded(reader, rule, dns, only_dns=_is_only_dns_of_cilium(rule))
        for entity in reader.items(reader.field(rule, "toEntities")):
            text = reader.text(entity)
            if text is not None and text.lower() in _WORLD:
                reader.report(entity, f"{shown(text)} opens every destination")
        for name in reader.items(reader.field(rule, "toFQDNs")):
            _judge_name(reader, reader.field(name, "matchPattern"))
        yield from reader.items(reader.field(rule, "toCIDR"))
        for entry in reader.items(reader.field(rule, "toCIDRSet")):
            yield reader.field(entry, "cidr")
            for key in _CIDR_GROUPS:
                group = reader.field(entry, key)
                if group.value is not None:
                    reader.report(group, "leads to networks that stand elsewhere, so they cannot be judged")
        for endpoint in reader.items(reader.field(rule, "toEndpoints")):
            _judge_endpoint(reader, endpoint)


def _judge_endpoint(reader: Reader, endpoint: Node) -> None:
    """By a label of its own Cilium takes also what is no pod for an endpoint."""
    labels = reader.field(endpoint, "matchLabels")
    named = [Node(value=key, path=labels.path) for key in reader.mapping(labels)]
    expressions = reader.items(reader.field(endpoint, "matchExpressions"))
    named += [
        reader.field(item, "key") for item in expressions if reader.field(item, "operator").value not in _LEAVING_OUT
    ]
    for label in named:
        text = reader.text(label)
        if text is not None and _WORLD_LABEL.fullmatch(text):
            reader.report(label, f"{shown(text)} opens every destination")


def _calico(reader: Reader, rule: Node, dns: list[Node]) -> Iterator[Node]:
    destination = reader.field(rule, "destination")
    if _is_known(rule) and all(is_empty(reader.field(destination, key)) for key in _CALICO_PEERS):
        _judge_unbounded(reader, rule, dns, only_dns=_is_only_dns_of_calico(rule))
    for name in reader.items(reader.field(destination, "domains")):
        _judge_name(reader, name)
    yield from reader.items(reader.field(destination, "nets"))


def _judge_unbounded(reader: Reader, rule: Node, dns: list[Node], *, only_dns: bool) -> None:
    if only_dns:
        dns.append(rule)
    else:
        reader.report(rule, NO_DESTINATION)


# The two below have readers of their own: what cannot be read of the ports is not DNS alone.


def _is_only_dns_of_cilium(rule: Node) -> bool:
    reader = Reader()
    lists = [reader.items(reader.field(entry, "ports")) for entry in reader.items(reader.field(rule, "toPorts"))]
    return lists != [] and all(ports != [] and all(_is_dns_of_cilium(port) for port in ports) for ports in lists)


def _is_dns_of_cilium(port: Node) -> bool:
    reader = Reader()
    number, end, protocol = (reader.field(port, key).value for key in ("port", "endPort", "protocol"))
    return _is_dns_port(number) and end is None and (protocol is None or f"{protocol}" in _DNS_PROTOCOLS)


def _is_only_dns_of_calico(rule: Node) -> bool:
    reader = Reader()
    ports = reader.items(reader.field(rule, "destination", "ports"))
    protocol = reader.field(rule, "protocol").value
    return protocol in ("TCP", "UDP") and ports != [] and all(_is_dns_port(port.value) for port in ports)


def _is_dns_port(value: object) -> bool:
    return isinstance(value, int | str) and f"{value}" == "53"


def _judge_name(reader: Reader, name: Node) -> None:
    """A `*` stands for any text, in Cilium also within a label: what follows its label says whose names it opens."""
    text = reader.text(name)
    if text is None:
        return
    labels = text.lower().removesuffix(".").split(".")
    last = max((index for index, label in enumerate(labels) if "*" in label), default=None)
    if last is None:
        return
    suffix = ".".join(labels[last + 1 :])
    if suffix == "":
        reader.report(name, f"{shown(text)} opens every destination")
    elif is_public_suffix(suffix):
        reader.report(name, f"{shown(text)} opens the names of everybody under {suffix}")


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
