"""Declarations that no one wrote: small ones full of overlaps for Hypothesis, and large ones for counting."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.support import NEVER, Values, dev_values

NAMESPACES = ("news", "shop", "a", "a-b", "a-namespace-with-a-name-as-long-as-kubernetes-lets-anybody-have")
ACCOUNTS = ("reader", "writer", "a.dotted.account")
HOSTS = (
    "a.com",
    "a.com.uk",
    "xa.com",
    "b.com",
    "api.b.com",
    "c.net",
    "www.c.net",
    f"{'long-' * 10}name.{'label-' * 8}x.org",
    *(f"host-{index}.example.org" for index in range(8)),
)
PORTS = (80, 443, 8080, 8443, 20005, 9000)
CIDRS = ("8.8.8.0/24", "8.8.0.0/16", "1.1.1.1/32", "2606:4700::/40", "93.184.216.0/24")
_KINDS = {"http": [("http", 80, "HTTP")], "tls": [("https", 443, "TLS")]}
_KINDS["both"] = _KINDS["http"] + _KINDS["tls"]
KINDS = tuple(_KINDS)


@st.composite
def declarations(draw: st.DrawFn, *, posture: str = "enforce") -> Values:
    """A declaration whose destinations share hosts, ports and clients in every way that is allowed."""
    clients = draw(st.lists(st.sampled_from(NAMESPACES), min_size=1, max_size=4, unique=True))
    meanings: dict[tuple[str, int], str] = {}
    # A sidecar reads a port as TLS or as plain text, and port 80 is that of backends; a lane's number is TLS.
    is_tls = {port: port == 20005 or (port != 80 and draw(st.booleans())) for port in PORTS}
    destinations: Values = {}
    for index in range(draw(st.integers(1, 7))):
        ports = draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=3, unique=True))
        protocols = {port: "TLS" if is_tls[port] else draw(st.sampled_from(("HTTP", "GRPC"))) for port in ports}
        drawn = draw(st.lists(st.sampled_from(HOSTS), min_size=1, max_size=6, unique=True))
        hosts = [h for h in drawn if all(meanings.get((h, p), kind) == kind for p, kind in protocols.items())]
        if not hosts:
            continue
        meanings |= {(host, port): protocol for host in hosts for port, protocol in protocols.items()}
        destinations[f"entry-{index}"] = {
            "hosts": hosts,
            "ports": {f"p{port}": {"port": port, "protocol": kind} for port, kind in protocols.items()},
            "clients": {
                namespace: {"serviceAccounts": draw(_some(ACCOUNTS))} for namespace in draw(_some(tuple(clients)))
            },
            **({"cidrs": draw(_some(CIDRS))} if draw(st.booleans()) else {}),
            **answerable(index),
        }
    return base(clients, destinations, posture=posture)


def _some(items: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=len(items), unique=True)


def answerable(index: int = 0) -> dict[str, str]:
    """Who answers for an entry."""
    return {"owner": f"team-{index}", "ticket": f"FW-{index}", "expires": NEVER}


def base(clients: Sequence[str], destinations: Values, *, posture: str = "enforce") -> Values:
    """The `dev` stack's way out, for other clients and destinations."""
    dev = dev_values()
    return {
        "cluster": {"name": "test", "namespaces": {name: {"role": "client"} for name in clients}},
        "egress": {**dev["egress"], "posture": posture},
        "destinations": destinations,
        "backends": dev["backends"],
    }


def large(hosts: int, groups: int, *, namespaces_each: int = 1, kinds: tuple[str, ...] = KINDS) -> Values:
    """`hosts` hosts (HTTP 80, TLS 443, or both, in turn) in client groups of one or more namespaces."""
    clients = [f"ns-{index}" for index in range(groups)]
    destinations: Values = {}
    for group in range(groups):
        members = [clients[(group + step) % groups] for step in range(namespaces_each)]
        for offset, kind in enumerate(kinds):
            step = groups * len(kinds)
            own = range(group * len(kinds) + offset, hosts, step)
            if own:
                destinations[f"group-{group}-{kind}"] = {
                    "hosts": [f"host-{index}.example.org" for index in own],
                    "ports": {name: {"port": port, "protocol": protocol} for name, port, protocol in _KINDS[kind]},
                    "clients": {name: {"serviceAccounts": ["app"]} for name in members},
                    **answerable(group),
                }
    return base(clients, destinations)


def with_host(values: Values, destination: str, host: str) -> Values:
    """The same declaration with one host more in a destination."""
    entry: dict[str, Any] = values["destinations"][destination]
    return {
        **values,
        "destinations": {**values["destinations"], destination: {**entry, "hosts": [*entry["hosts"], host]}},
    }
