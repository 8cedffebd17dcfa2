"""Whose traffic a policy of Cloud Firewall is about."""

from collections.abc import Iterable
from dataclasses import dataclass

from policy.facts.addresses import Network, parse_network
from policy.readers.cloud.firewall_policies import FirewallPolicy
from policy.readers.cloud.kinds import ADDRESS_BOOK
from policy.reading import Reader, as_sequence, root
from policy.rule import Subject


@dataclass(frozen=True, kw_only=True)
class Senders:
    """The senders of a policy, as far as the program shows them."""

    said: tuple[str, str]
    """The type and the words; empty words where only the update knows them."""
    leads_to: frozenset[str]
    """The resources that they come from, by URN."""
    networks: tuple[Network, ...] | None
    """`None` where the program does not show every one."""

    def include(self, others: "Senders") -> bool:
        """Whether certainly everything that `others` are is among these."""
        if self.networks is not None and others.networks is not None:
            return all(any(_holds(outer, inner) for outer in self.networks) for inner in others.networks)
        if "" in (self.said[1], others.said[1]):
            return self.leads_to != frozenset() and self.leads_to >= others.leads_to != frozenset()
        return self.said == others.said


def senders_of(policy: FirewallPolicy, books: Iterable[Subject]) -> Senders:
    """The senders of `policy`, with what stands in those of the stack's books that it names."""
    registration, side = policy.subject.registration, policy.source
    leads_to = () if registration is None else registration.leads_to.get(side.node.path, ())
    texts: list[object] | None = [side.text] if side.type == "net" else None
    for book in books:
        name = Reader().field(root(book.whole), "groupName").value
        if book.group_kind == ADDRESS_BOOK and side.type == "group" and name == side.text:
            texts = [*(as_sequence(Reader().field(root(book.whole), "addressLists").value) or (None,))]
    return Senders(said=(side.type, side.text or ""), leads_to=frozenset(leads_to), networks=_networks(texts))


def _networks(texts: list[object] | None) -> tuple[Network, ...] | None:
    try:
        return None if texts is None else tuple(parse_network(text if isinstance(text, str) else "") for text in texts)
    except ValueError:
        return None


def _holds(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and outer.prefixlen <= inner.prefixlen and outer.overlaps(inner)
