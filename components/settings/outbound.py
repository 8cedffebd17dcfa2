"""Does every destination have a way that can honour it? Gateways, clients, tokens, other destinations, flavours."""

from collections import defaultdict
from collections.abc import Iterator

from components.settings.destinations import Destination
from components.settings.parts import Parts
from components.settings.problems import Path, did_you_mean
from components.settings.reserved import DEFAULT_GATEWAY

_Found = Iterator[tuple[Path, str, str]]


def check(parts: Parts) -> _Found:
    """Every destination that asks for what its way out cannot do."""
    yield from _references(parts)
    yield from _conditions(parts)
    for name, destination in parts.destinations.items():
        yield from _how_clients_are_known(parts, name, destination)
        yield from _direct_clients(parts, name, destination)
        yield from _tcp_clients(parts, name, destination)
        yield from _other_destinations(parts, name, destination)
    yield from _labels(parts)
    yield from _wildcards_around(parts)


def _references(parts: Parts) -> _Found:
    """Names of gateways, issuers and authorizers that must be there, also where the rest of a destination is wrong."""
    asked: list[tuple[Path, frozenset[str] | None, str]] = [
        (("gateway",), parts.gateways, "egress.mesh.gateways"),
        (("authorizer",), parts.authorizers, "egress.mesh.authorizers"),
        (("token", "issuer"), parts.issuers, "egress.mesh.issuers"),
    ]
    for name in parts.destination_names:
        for keys, known, where in asked:
            path: Path = ("destinations", name, *keys)
            word = parts.name_at(*path)
            if word is not None and known is not None and word not in known:
                instead = did_you_mean(word, known) if known else "leave it out, or write it there"
                yield path, f"there is no `{word}` under {where}", instead
    for name in parts.issuers or ():
        for section, entries in (("destinations", parts.destinations), ("backends", parts.backends)):
            if name in entries:
                path = ("egress", "mesh", "issuers", name)
                yield path, f"has the name of an entry under {section}, whose approvals it would share", "another name"
    if DEFAULT_GATEWAY in (parts.gateways or ()):
        path = ("egress", "mesh", "gateways", DEFAULT_GATEWAY)
        yield path, f"`{DEFAULT_GATEWAY}` is what egress.mesh.gateway is called", "another name"


def _conditions(parts: Parts) -> _Found:
    """Tokens and authorizers are about requests, which nobody sees in TLS that is passed through, or in TCP."""
    for name, destination in parts.destinations.items():
        given = [key for key in ("token", "authorizer") if getattr(destination, key) is not None]
        for port_name, port in destination.ports.items():
            if given and not port.is_http:
                yield (
                    ("destinations", name, given[0]),
                    f"is about requests, and the gateway sees none in the port `{port_name}` ({port.protocol})",
                    "`protocol: HTTP` with `tls` for that port, or another destination for it",
                )


def _tcp_clients(parts: Parts, name: str, destination: Destination) -> _Found:
    """A lane of TCP knows its clients by the whole name in their certificates, which has no wildcard."""
    if any(port.protocol == "TCP" for port in destination.ports.values()):
        for namespace, client in destination.clients.items():
            if client.everyone and parts.is_direct(namespace) is False:
                yield (
                    ("destinations", name, "clients", namespace, "everyone"),
                    "a host that speaks first, as TCP hosts may, would be heard by other namespaces too",
                    "`serviceAccounts`, each by its name",
                )


def _how_clients_are_known(parts: Parts, name: str, destination: Destination) -> _Found:
    """A gateway sees certificates and no labels; a sidecar knows its pod's labels, and nobody checks certificates."""
    for namespace, client in destination.clients.items():
        path: Path = ("destinations", name, "clients", namespace)
        if parts.is_direct(namespace) and client.service_accounts is not None:
            yield (
                (*path, "serviceAccounts"),
                f"namespace `{namespace}` goes without a gateway, and only a gateway checks service accounts",
                "`everyone: true` or `labels`; or `outbound: gateway` for the namespace",
            )
        if parts.outbound.get(namespace) == "allow-any" and client.labels is not None:
            yield (
                (*path, "labels"),
                f"namespace `{namespace}` lets everything through, so labels keep nobody out",
                "`everyone: true`; or `outbound: registry-only` for the namespace",
            )
        if parts.is_direct(namespace) is False and client.labels is not None:
            yield (
                (*path, "labels"),
                "the egress gateway sees certificates, and no labels",
                f"`serviceAccounts`; or `outbound: registry-only` at cluster.namespaces.{namespace}",
            )


def _direct_clients(parts: Parts, name: str, destination: Destination) -> _Found:
    """Without a gateway nobody checks tokens or requests, and only addresses bound what is reached."""
    direct = [namespace for namespace in destination.clients if parts.is_direct(namespace)]
    if not direct:
        return
    bounded = [namespace for namespace in direct if parts.outbound[namespace] == "registry-only"]
    if bounded and destination.cidrs is None and destination.addresses is None:
        yield (
            ("destinations", name, "cidrs"),
            f"is missing, and clients in `{bounded[0]}` go without a gateway: only addresses bound what they reach",
            f"the addresses as `cidrs` or `addresses`; or `outbound: gateway` at cluster.namespaces.{bounded[0]}",
        )
    given = [key for key in ("token", "authorizer", "gateway") if getattr(destination, key) is not None]
    for key in given:
        yield (
            ("destinations", name, key),
            f"needs a gateway, and clients in `{direct[0]}` go without one",
            f"leave it out, or `outbound: gateway` at cluster.namespaces.{direct[0]}",
        )
    for port_name, port in destination.ports.items():
        path = ("destinations", name, "ports", port_name)
        if port.allow is not None:
            yield (
                (*path, "allow"),
                f"needs a gateway, and clients in `{direct[0]}` go without one",
                f"leave it out, or `outbound: gateway` at cluster.namespaces.{direct[0]}",
            )
        if port.tls is not None and port.tls.secret is not None:
            yield (
                (*path, "tls", "secret"),
                f"is read by gateways only: in `{direct[0]}`, which goes without one, every service account "
                "would need the right to read all Secrets of the namespace",
                f"`outbound: gateway` at cluster.namespaces.{direct[0]}, or a host that a public authority vouches for",
            )


def _other_destinations(parts: Parts, name: str, destination: Destination) -> _Found:
    """Where requests are split or copied to."""
    for port_name, port in destination.ports.items():
        routing = port.routing
        if routing is None:
            continue
        path: Path = ("destinations", name, "ports", port_name, "routing")
        if routing.split is not None and sum(routing.split.values()) > 100:  # noqa: PLR2004 - percent
            yield (*path, "split"), f"adds up to {sum(routing.split.values())} in a hundred", "at most 100"
        others = [((*path, "split", other), other) for other in routing.split or {}]
        others += [] if routing.mirror is None else [((*path, "mirror", "to"), routing.mirror.to)]
        for at, other in others:
            yield from _may_send(parts, destination, at, other)
        if routing.mirror is not None:
            yield from _may_copy(parts, (*path, "mirror", "to"), routing.mirror.to)


def _may_send(parts: Parts, destination: Destination, at: Path, other: str) -> _Found:
    target = parts.destinations.get(other)
    if target is None:
        if other not in parts.destination_names:
            yield at, f"there is no `{other}` under destinations", did_you_mean(other, parts.destination_names)
        return
    http = [port for port in target.ports.values() if port.is_http]
    if len(target.hosts) != 1 or target.hosts[0].startswith("*") or len(http) != 1:
        yield (
            at,
            f"destinations.{other} has not exactly one host by its full name, and one HTTP or GRPC port",
            "a destination of its own for what is meant",
        )
    elif target.clients != destination.clients or target.gateway != destination.gateway:
        yield (
            at,
            f"destinations.{other} has other clients, or another gateway: these clients would reach it uninvited",
            "the same `clients` and `gateway` for both",
        )
    elif not target.is_plain or any(port.allow is not None for port in http):
        yield (
            at,
            f"destinations.{other} asks for more than a service account, which this way would not be asked",
            "a destination without `token`, `authorizer` and `allow`",
        )


def _may_copy(parts: Parts, at: Path, other: str) -> _Found:
    """A copy keeps the `Host` of its original, from which TLS would take the server's name."""
    target = parts.destinations.get(other)
    ports = () if target is None else [port for port in target.ports.values() if port.is_http]
    for port in ports:
        if port.tls is not None and port.tls.server_name is None:
            yield (
                at,
                f"destinations.{other} starts TLS for the host that a request names, and a copy names the original's",
                f"`serverName` in the `tls` of destinations.{other}",
            )


def _labels(parts: Parts) -> _Found:
    """Istio takes one Sidecar for a pod, so no pod may be two clients: sets of labels differ in the values only."""
    first_keys: defaultdict[str, dict[frozenset[str], str]] = defaultdict(dict)
    for name, destination in parts.destinations.items():
        for namespace, client in destination.clients.items():
            if client.labels is not None:
                first_keys[namespace].setdefault(frozenset(client.labels), name)
                if len(first_keys[namespace]) > 1:
                    first = next(iter(first_keys[namespace].values()))
                    yield (
                        ("destinations", name, "clients", namespace, "labels"),
                        f"has other keys than destinations.{first}, so a pod could be both, and Istio would take one",
                        "the same keys, with other values",
                    )


def _wildcards_around(parts: Parts) -> _Found:
    """A wildcard leads to all its names, also to one of which another destination asks more."""
    asking = {
        host: name
        for name, destination in parts.destinations.items()
        for host in destination.hosts
        if not destination.is_plain or any(port.allow is not None for port in destination.ports.values())
    }
    for name, destination in parts.destinations.items():
        for index, wildcard in enumerate(destination.hosts):
            covered = [host for host in asking if wildcard.startswith("*.") and host.endswith(wildcard[1:])]
            others = sorted(host for host in covered if asking[host] != name)
            if others:
                yield (
                    ("destinations", name, "hosts", index),
                    f"covers {others[0]}, for which destinations.{asking[others[0]]} asks more than a service account: "
                    "by the wildcard nobody would be asked",
                    "each host by its full name",
                )
