"""Nodes of the cluster as `kubectl get nodes` shows them: which are the egress', and what keeps others off them.

Source: kubernetes/api, core/v1/types.go: NodeSpec, NodeAddress, and core/v1/toleration.go, ToleratesTaint; ACK writes
the region and the id of the instance into providerID.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from policy.reading import Node, Reader, root
from policy.rule import Context, Subject, Taint

_HARD: Final = frozenset({"NoSchedule", "NoExecute"})
"""Effects of taints that keep pods away for certain."""
_ZONES: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_EXTERNAL: Final = "ExternalIP"


def is_egress_node(node: Subject, context: Context) -> bool:
    """Whether a node has the labels by which gateways find egress nodes; none has where nobody says which."""
    labels = Reader().mapping(Reader().field(root(node.whole), "metadata", "labels"))
    wanted = context.egress_labels
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted)


def instance_of(node: Subject) -> str | None:
    """The id of the instance that a node is."""
    provider = Reader().text(Reader().field(root(node.whole), "spec", "providerID"))
    return provider.rpartition("/")[2].rpartition(".")[2] if provider else None


def zone_of_node(node: Subject) -> str | None:
    """The zone of a node, if it says one."""
    labels = Reader().mapping(Reader().field(root(node.whole), "metadata", "labels"))
    return next((zone for key in _ZONES if isinstance(zone := labels.get(key), str)), None)


def external_addresses(reader: Reader, node: Subject) -> Iterator[Node]:
    """The addresses by which the internet knows a node."""
    for address in reader.items(reader.field(root(node.whole), "status", "addresses")):
        if reader.field(address, "type").value == _EXTERNAL:
            yield reader.field(address, "address")


def taints_in(reader: Reader, taints: Node) -> list[Taint]:
    """The taints of a node or of a node pool."""
    found: list[Taint] = []
    for item in reader.items(taints):
        key, value, effect = (reader.text(reader.field(item, name)) for name in ("key", "value", "effect"))
        found.append(Taint(key=key or "", value=value or "", effect=effect or ""))
    return found


def missing_taint(own: Iterable[Taint], context: Context) -> str | None:
    """Why egress nodes with these taints are open to other pods; `None` where they are not."""
    hard = [each for each in own if each.effect in _HARD]
    if not hard:
        return "no taint keeps other pods away for certain"
    if context.egress_taints and not any(_is_same(each, known) for each in hard for known in context.egress_taints):
        return "is none of the taints that the settings give the egress nodes"
    return None


def _is_same(own: Taint, known: Taint) -> bool:
    """Whether a taint is one that the settings name."""
    return own.key == known.key and own.effect == known.effect and known.value in (None, own.value)
