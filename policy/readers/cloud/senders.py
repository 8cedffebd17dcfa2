"""Whose traffic a policy of Cloud Firewall is about."""

from collections.abc import Iterable
from dataclasses import dataclass

from policy.facts.addresses import Network, holds, parse_network
from policy.readers.cloud.firewall_policies import EVERY_ADDRESS, FirewallPolicy
from policy.reading import Reader, as_sequence, root
from policy.rule import Subject


@dataclass(frozen=True, kw_only=True)
class Senders:
    """The senders of a policy, as far as the program shows them."""

    said: tuple[str, str]
    """The type and the words; empty words where only the update knows them."""
    leads_to: frozenset[str]
    """The resources that their addresses come from, by URN."""
    networks: tuple[Network, ...] | None
    """`None` where the program does not show every one."""

    def include(self, others: "Senders") -> bool:
        """Whether certainly everything that `others` are is among these."""
        if EVERY_ADDRESS in (self.networks or ()):
            return True
        if self.networks is not None and others.networks is not None:
            return all(any(holds(outer, inner) for outer in self.networks) for inner in others.networks)
        if others.leads_to != frozenset() and self.leads_to >= others.leads_to:
            return True
        return self.said == others.said and self.said[1] != ""


def senders_of(policy: FirewallPolicy, books: Iterable[Subject]) -> Senders:
    """The senders of `policy`, with what stands in those of the stack's books that it names."""
    side = policy.source
    if side.type == "net":
        held, key, texts = policy.subject, side.node.path, [side.text]
    else:
        held, key, texts = _book(side.text, books), "addressLists", None
        if held is not None:
            texts = [*(as_sequence(Reader().field(root(held.whole), key).value) or (None,))]
    leads_to = () if held is None or held.registration is None else held.registration.leads_to.get(key, ())
    return Senders(said=(side.type, side.text or ""), leads_to=frozenset(leads_to), networks=_networks(texts))


def _book(name: str | None, books: Iterable[Subject]) -> Subject | None:
    names = ((book, Reader().field(root(book.whole), "groupName").value) for book in books)
    return next((book for book, said in names if said == name), None)


def _networks(texts: Iterable[object] | None) -> tuple[Network, ...] | None:
    try:
        return None if texts is None else tuple(parse_network(text if isinstance(text, str) else "") for text in texts)
    except ValueError:
        return None
