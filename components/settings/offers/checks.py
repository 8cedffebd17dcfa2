"""Do backends fit their Gateways, each other, and the rest of the declaration?"""

from components.settings.offers import calling, limiting, listening, observing, routing, targeting
from components.settings.parts import Parts
from components.settings.problems import Found


def check(parts: Parts) -> Found:
    """Everything about backends that one entry alone does not say."""
    yield from _names(parts)
    yield from listening.check(parts)
    yield from targeting.check(parts)
    yield from routing.check(parts)
    yield from calling.check(parts)
    yield from limiting.check(parts)
    yield from observing.check(parts)


def _names(parts: Parts) -> Found:
    """A hostname leads to one backend, and a name means one entry: `publicRanges` approves entries by name."""
    owners: dict[str, str] = {}
    outside = {host: name for name, each in parts.destinations.items() for host in each.hosts}
    for name, backend in parts.backends.items():
        if name in parts.destinations:
            yield ("backends", name), "has the name of a destination, whose approvals it would share", "another name"
        for index, hostname in enumerate(backend.hostnames or ()):
            if hostname in outside:
                yield (
                    ("backends", name, "hostnames", index),
                    f"{hostname} is a host of destinations.{outside[hostname]}, so sidecars would not know where to go",
                    "a hostname of your own, which only the backend has",
                )
            first = owners.setdefault(hostname, name)
            if first != name:
                path = ("backends", name, "hostnames", index)
                yield path, f"{hostname} is offered by backends.{first} already", "a hostname of its own"
