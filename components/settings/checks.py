"""What no single value shows: do the parts of a declaration fit together?"""

from collections import defaultdict
from collections.abc import Iterator

from components.settings.parts import Parts
from components.settings.problems import Path, Problem, did_you_mean
from components.settings.reserved import ISTIO_PORTS, KUBERNETES_NAMESPACES, LANES, MOST_TLS_PORTS, OFFER_PORT


def check(parts: Parts, *, file: str) -> list[Problem]:
    """Every problem between the parts of a declaration."""
    found = [
        *_clients(parts),
        *_claims(parts),
        *_offers(parts),
        *_ports(parts),
        *_one_kind_a_port(parts),
        *_many_tls_ports(parts),
        *_secrets(parts),
        *_own_namespaces(parts),
    ]
    return [Problem(file=file, path=path, wrong=wrong, instead=instead) for path, wrong, instead in found]


_Found = Iterator[tuple[Path, str, str]]


def _clients(parts: Parts) -> _Found:
    if parts.namespaces is None:
        return
    for name in sorted(KUBERNETES_NAMESPACES - {"default"}):
        if parts.namespaces.get(name) == "client":
            yield (
                ("cluster", "namespaces", name, "role"),
                f"namespace `{name}` is Kubernetes' own: locked down, it would cut the whole cluster's DNS",
                "`platform`, or leave the namespace out",
            )
    known = {name for name, role in parts.namespaces.items() if role == "client"}
    for name, destination in parts.destinations.items():
        for namespace in destination.clients:
            path = ("destinations", name, "clients", namespace)
            if namespace not in parts.namespaces:
                yield (
                    path,
                    f"namespace `{namespace}` is not under cluster.namespaces",
                    did_you_mean(namespace, known),
                )
            elif parts.namespaces[namespace] == "platform":
                yield (
                    path,
                    f"namespace `{namespace}` has the role `platform`, so it is not locked to its destinations",
                    f"`role: client` at cluster.namespaces.{namespace}, or another namespace",
                )


def _claims(parts: Parts) -> _Found:
    """A host and port means one thing only, whoever declares it; clients of equal claims are added up."""
    handling: dict[tuple[str, int], tuple[str, str]] = {}
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            path = ("destinations", name, "ports", port_name)
            for host in destination.hosts:
                first, protocol = handling.setdefault((host, port.port), (name, port.protocol))
                if protocol != port.protocol:
                    yield (
                        (*path, "protocol"),
                        f"{host}:{port.port} is {port.protocol} here and {protocol} in destinations.{first}",
                        f"the same protocol in both, for example {protocol}",
                    )
            if sum(other.port == port.port for other in destination.ports.values()) > 1:
                yield (*path, "port"), f"port {port.port} is there twice", "each port under one name"


def _offers(parts: Parts) -> _Found:
    """A hostname leads to one backend, and a name means one entry: `publicRanges` approves entries by name."""
    owners: dict[str, str] = {}
    outside = {host: name for name, each in parts.destinations.items() for host in each.hosts}
    for name, backend in parts.backends.items():
        if name in parts.destinations:
            yield ("backends", name), "has the name of a destination, whose approvals it would share", "another name"
        if backend.cidrs is not None and any(endpoint.ip is not None for endpoint in backend.endpoints):
            yield (
                ("backends", name, "cidrs"),
                "says what is behind names, and its endpoints are addresses",
                "`fqdn` endpoints, or leave `cidrs` out",
            )
        for index, hostname in enumerate(backend.hostnames):
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


def _ports(parts: Parts) -> _Found:
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            path = ("destinations", name, "ports", port_name, "port")
            if port.port in ISTIO_PORTS:
                yield (
                    path,
                    f"port {port.port} belongs to Istio's own proxies",
                    "another port of the same service",
                )
            if port.port in LANES and port.protocol != "TLS":
                yield (
                    path,
                    f"port {port.port} is one of the gateway's lanes",
                    "another port of the same service",
                )


def _one_kind_a_port(parts: Parts) -> _Found:
    """A sidecar reads a port as HTTP or as TLS, for all hosts that its namespace may reach; istiod drops the other."""
    first_use: dict[tuple[str, int], tuple[str, str]] = {}
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            if parts.backends and port.port == OFFER_PORT and port.protocol == "TLS":
                yield (
                    ("destinations", name, "ports", port_name, "protocol"),
                    f"port {OFFER_PORT} is HTTP in every client namespace, because backends are offered there",
                    "another port of the same service",
                )
            for namespace in destination.clients:
                first, protocol = first_use.setdefault((namespace, port.port), (name, port.protocol))
                both = set(destination.hosts) & set(parts.destinations[first].hosts)
                if (protocol == "TLS") != (port.protocol == "TLS") and not both:  # of one host, `_claims` speaks
                    yield (
                        ("destinations", name, "ports", port_name, "protocol"),
                        f"namespace `{namespace}` uses port {port.port} as {protocol} in destinations.{first}, "
                        f"and its sidecars cannot read it as {port.protocol} too",
                        "the same protocol, another port, or clients in another namespace",
                    )


def _many_tls_ports(parts: Parts) -> _Found:
    """A host's routes stay in one chunk, so its TLS ports need a lane each, whichever destinations name them."""
    ports_of: defaultdict[str, set[int]] = defaultdict(set)
    for name, destination in parts.destinations.items():
        own = {port.port for port in destination.ports.values() if port.protocol == "TLS"}
        for host in destination.hosts:
            ports_of[host] |= own
        host, count = max(((host, len(ports_of[host])) for host in destination.hosts), key=lambda each: each[1])
        if own and count > MOST_TLS_PORTS:
            yield (
                ("destinations", name, "ports"),
                f"makes {count} TLS ports for {host}; the gateway has lanes for {MOST_TLS_PORTS} of one host",
                "fewer ports",
            )


def _secrets(parts: Parts) -> _Found:
    registry = parts.chart_registry
    if registry is not None and registry.password_secret not in parts.secrets:
        yield (
            ("install", "chartRegistry", "passwordSecret"),
            f"there is no `{registry.password_secret}` under secrets",
            f"`pulumi config set --secret --path secrets.{registry.password_secret}`, or a name that is there",
        )


def _own_namespaces(parts: Parts) -> _Found:
    """Ours are created and deleted with the stack, so none of them may be a declared one, or Kubernetes' own."""
    taken = dict.fromkeys(KUBERNETES_NAMESPACES, "Kubernetes' own")
    taken |= dict.fromkeys(parts.namespaces or (), "under cluster.namespaces")
    for path, namespace in parts.own_namespaces.items():
        if namespace in taken:
            yield path, f"namespace `{namespace}` is {taken[namespace]} already", "a namespace of its own"
        taken[namespace] = "one of ours"
