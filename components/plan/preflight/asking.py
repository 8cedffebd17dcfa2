"""What entries need of the network, each with where it is written down and what it is approved as."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.plan import network_needs
from components.plan.network_needs import Need
from components.settings import Settings
from components.settings.problems import Path

ISSUERS: Path = ("egress", "mesh", "issuers")
"""Where issuers of tokens for the egress gateways are declared."""
NODE_FETCHES: Path = ("egress", "nodes", "fetches")
"""Where what the egress nodes themselves reach is declared."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a part of an entry needs."""

    path: Path
    """The part, which may have `cidrs`."""
    entry: str
    """The name under which it is approved."""
    need: Need
    written: Mapping[str, tuple[str, ...]]
    """The addresses and ranges that it lists itself, by their key."""


def asked_by(settings: Settings) -> Iterator[Asked]:
    """What every part of every entry needs, each part once."""
    for name, destination in settings.destinations.items():
        written = {"cidrs": destination.cidrs or (), "addresses": destination.addresses or ()}
        need = network_needs.of_destination(destination)
        yield Asked(path=("destinations", name), entry=name, need=need, written=written)
    needs = network_needs.of_backends(settings)
    for name, backend in (settings.backends or {}).items():
        written = {"cidrs": backend.cidrs or ()}
        yield Asked(path=("backends", name), entry=name, need=needs[name], written=written)
    # Two fetchers may need the same.
    fetches = {("backends", each.backend, "access", each.key): each for each in network_needs.of_fetches(settings)}
    for path, fetch in fetches.items():
        yield Asked(path=path, entry=fetch.backend, need=fetch.need, written={"cidrs": fetch.need.cidrs or ()})
    for name, fetch in network_needs.node_fetches(settings).items():
        need = network_needs.of_node_fetch(fetch)
        yield Asked(path=(*NODE_FETCHES, name), entry=name, need=need, written={"cidrs": fetch.cidrs or ()})
    for name, need in network_needs.of_issuers(settings).items():
        yield Asked(path=(*ISSUERS, name), entry=name, need=need, written={"cidrs": need.cidrs or ()})
