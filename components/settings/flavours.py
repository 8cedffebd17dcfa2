"""Can the mesh flavour do what a destination or a gateway asks? What it cannot is refused, with the reason."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from components.settings.destinations import DestinationPort, HeaderChanges, Retries, Routing
from components.settings.mesh import TOKEN_HEADER
from components.settings.parts import Parts
from components.settings.plain import at, is_map
from components.settings.problems import Path, dotted
from components.settings.reserved import MOST_SHARED, MOST_SINGLE

_Found = Iterator[tuple[Path, str, str]]

MOST_HEADERS: Final = 16
"""Headers that a filter of Gateway API may set, and that it may remove (CRD of HTTPRoute and GRPCRoute)."""
REMOVED_ANYWAY: Final = 9
"""Request headers that the gateway always removes, because they tell of the inside."""
OVERRIDING_HEADERS: Final = 5
"""Those that it removes where only some requests are permitted."""
TRACE_HEADERS: Final = 2
"""Those that it removes where there are traces."""
_MOST_BACKENDS: Final = 16
"""Backends of a rule (the same CRDs)."""
_DURATION: Final = re.compile(r"([0-9]{1,5})(ms|s|m|h)")
"""A duration of Gateway API, of one part (GEP-2257)."""
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def check(parts: Parts) -> _Found:
    """Everything that the flavour cannot honour."""
    if parts.flavour == "gateway-api":
        yield from _crds(parts)
        yield from _one_way_a_host(parts)
        yield from _wildcards(parts)
        yield from _handling(parts)
        yield from _ports(parts)
        yield from _secrets(parts)
    yield from _one_a_node(parts)
    for path in parts.on_node_network if parts.flavour == "istio-api" and not parts.is_ambient else ():
        yield (
            (*path, "hostNetwork"),
            "Istio's gateway chart has no such value, and adding it keeps istiod from filling in the proxy's image",
            "`flavour: gateway-api`, whose gateways istiod deploys itself; or leave it out",
        )


def _one_a_node(parts: Parts) -> _Found:
    """Every gateway's proxy has the same ports for health and metrics, and on a node's network those are the node's."""
    first_use: dict[str, Path] = {}
    shared = at(parts.plain, "egress", "nodes", "labels")
    for path in parts.on_node_network:
        labels = at(parts.plain, *path, "nodes", "labels") or shared
        first = first_use.setdefault(repr(sorted(labels.items()) if is_map(labels) else labels), path)
        if first != path:
            yield (
                (*path, "hostNetwork"),
                f"{dotted(first)} is on the network of the same nodes, and both need the same ports there",
                "`nodes` of its own",
            )


def _secrets(parts: Parts) -> _Found:
    """Istio's chart lets its gateway read the namespace's Secrets; istiod's own deployment brings no such Role."""
    deployed = {path[-1] if path[-2] == "gateways" else None for path in parts.on_node_network}
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            if port.tls is not None and port.tls.secret is not None and destination.gateway in deployed:
                yield (
                    ("destinations", name, "ports", port_name, "tls", "secret"),
                    f"cannot be read by the gateway `{destination.gateway or 'default'}`: it has `hostNetwork`, so "
                    "istiod deploys it, and gives it no right to read Secrets",
                    "another gateway for this destination, or a host that a public authority vouches for",
                )


def _crds(parts: Parts) -> _Found:
    if not parts.backends and parts.gateway_api is None:
        yield (
            ("egress", "mesh", "flavour"),
            "needs the CRDs of Gateway API, which come with Envoy Gateway, and it is installed for backends only",
            "`install.gatewayApi: standard` (or `experimental`), if the cluster has them from elsewhere",
        )


def _one_way_a_host(parts: Parts) -> _Found:
    """A route holds for every sidecar that sees its ServiceEntry; only a VirtualService is exported to namespaces."""
    first_use: dict[str, tuple[str, str]] = {}
    straight: dict[str, tuple[str, set[str]]] = {}
    for name, destination in parts.destinations.items():
        direct = {namespace for namespace in destination.clients if parts.is_direct(namespace)}
        for index, host in enumerate(destination.hosts):
            path: Path = ("destinations", name, "hosts", index)
            for namespace in destination.clients:
                first, other = first_use.setdefault(host, (name, namespace))
                if parts.is_direct(namespace) is not parts.is_direct(other):
                    yield (
                        path,
                        f"{host} has clients with and without a gateway (`{other}` in destinations.{first}, "
                        f"`{namespace}` here), and a route of Gateway API is the same for all of them",
                        "the same `outbound` for these namespaces, or `flavour: istio-api`",
                    )
                    break
            first, others = straight.setdefault(host, (name, direct))
            if direct and others and direct != others:
                yield (
                    path,
                    f"{host} has other namespaces without a gateway in destinations.{first}, and a route of Gateway "
                    "API is the same for all of them",
                    "the same clients in both, or `flavour: istio-api`",
                )


def _wildcards(parts: Parts) -> _Found:
    for name, destination in parts.destinations.items():
        for index, host in enumerate(destination.hosts):
            if host.startswith("*") and any(port.is_http for port in destination.ports.values()):
                yield (
                    ("destinations", name, "hosts", index),
                    f"{host} is a wildcard, for which istiod gives sidecars no HTTP route made from Gateway API: "
                    "requests would go around the gateway",
                    "each host by its full name, `protocol: TLS`, or `flavour: istio-api`",
                )


def _handling(parts: Parts) -> _Found:
    for name, destination in parts.destinations.items():
        always = REMOVED_ANYWAY + len(_token_headers(parts)) + (TRACE_HEADERS if _is_traced(parts) else 0)
        for port_name, port in destination.ports.items():
            routing = port.routing
            ours = always + (0 if port.allow is None else OVERRIDING_HEADERS)
            yield from _permitted(("destinations", name, "ports", port_name), port, ours)
            if routing is not None:
                path: Path = ("destinations", name, "ports", port_name, "routing")
                yield from _headers((*path, "requestHeaders"), routing.request_headers, ours)
                yield from _headers((*path, "responseHeaders"), routing.response_headers, 0)
                yield from _split(path, routing)
                yield from _durations(path, port)
                if routing.retries is not None:
                    yield from _retries(parts, path, routing, routing.retries)


def _token_headers(parts: Parts) -> set[str]:
    issuers = at(parts.plain, "egress", "mesh", "issuers")
    return {f"{at(each, 'header') or TOKEN_HEADER}" for each in (issuers.values() if is_map(issuers) else ())}


def _is_traced(parts: Parts) -> bool:
    return at(parts.plain, "egress", "mesh", "tracing") is not None


def _permitted(path: Path, port: DestinationPort, ours: int) -> _Found:
    """Where only some requests are permitted, more must be taken away or refused than a rule can say."""
    if port.allow is None:
        return
    if any(permitted.endswith("*") for permitted in port.allow.paths or ()):
        yield (
            (*path, "allow", "paths"),
            "permits everything below a path, and no route of Gateway API can refuse one with a slash in code, which "
            "the host outside may read as another path",
            "each path to the letter, or `flavour: istio-api`",
        )
    if ours > MOST_HEADERS:
        yield (
            (*path, "allow"),
            f"needs {ours} headers taken away, with those of tokens and traces; Gateway API takes {MOST_HEADERS}",
            "fewer issuers, no tracing, or `flavour: istio-api`",
        )


def _headers(path: Path, changes: HeaderChanges | None, ours: int) -> _Found:
    if changes is None:
        return
    for key, given, most in (
        ("set", changes.set, MOST_HEADERS),
        ("remove", changes.remove, max(0, MOST_HEADERS - ours)),
    ):
        if given is not None and len(given) > most:
            yield (
                (*path, key),
                f"names {len(given)} headers; Gateway API takes {MOST_HEADERS}"
                + (f", of which {ours} are removed anyway" if key == "remove" and ours else ""),
                f"at most {most}, or `flavour: istio-api`",
            )


def _split(path: Path, routing: Routing) -> _Found:
    if routing.split is not None and len(routing.split) >= _MOST_BACKENDS:
        yield (
            (*path, "split"),
            f"names {len(routing.split)} others; a rule of Gateway API has {_MOST_BACKENDS} backends, with its own",
            f"at most {_MOST_BACKENDS - 1}, or `flavour: istio-api`",
        )


def _durations(path: Path, port: DestinationPort) -> _Found:
    routing = port.routing
    if routing is None:
        return
    tries = None if routing.retries is None else routing.retries.per_try_timeout
    for where, text in (((*path, "timeout"), routing.timeout), ((*path, "retries", "perTryTimeout"), tries)):
        if text is not None and _milliseconds(text) is None:
            yield where, f"{text} has more digits than Gateway API takes", "at most five, in a larger unit"


def _retries(parts: Parts, path: Path, routing: Routing, retries: Retries) -> _Found:
    if parts.gateway_api == "standard":
        yield (
            (*path, "retries"),
            "is a field of Gateway API's experimental channel, and install.gatewayApi says `standard`",
            "leave it out (Istio's default asks again twice), or install that channel's CRDs",
        )
    whole = None if routing.timeout is None else _milliseconds(routing.timeout)
    single = None if retries.per_try_timeout is None else _milliseconds(retries.per_try_timeout)
    if whole is not None and single is not None and single > whole:
        yield (
            (*path, "retries", "perTryTimeout"),
            f"{retries.per_try_timeout} is longer than `timeout`, {routing.timeout}, which Gateway API refuses",
            f"at most {routing.timeout}",
        )


def _milliseconds(text: str) -> int | None:
    found = _DURATION.fullmatch(text)
    return None if found is None else int(found[1]) * _MILLISECONDS[found[2]]


def _ports(parts: Parts) -> _Found:
    """Every TLS and TCP port of a host, and every HTTP port of hosts with the same clients, is one of the gateway's."""
    single: defaultdict[str | None, set[tuple[str, int]]] = defaultdict(set)
    clients: defaultdict[tuple[str | None, str], set[tuple[str, str]]] = defaultdict(set)
    called: defaultdict[tuple[str | None, str], set[int]] = defaultdict(set)
    last: dict[str | None, str] = {}
    for name, destination in parts.destinations.items():
        who = {
            (namespace, account)
            for namespace, client in destination.clients.items()
            if not parts.is_direct(namespace)
            for account in client.service_accounts or ("*",)
        }
        if not who:
            continue
        last[destination.gateway] = name
        for host in destination.hosts:
            clients[destination.gateway, host] |= who
            for port in destination.ports.values():
                if port.is_http:
                    called[destination.gateway, host].add(port.client_port)
                else:
                    single[destination.gateway].add((host, port.port))
    shared: defaultdict[str | None, set[tuple[frozenset[tuple[str, str]], int]]] = defaultdict(set)
    for (gateway, host), numbers in called.items():
        shared[gateway] |= {(frozenset(clients[gateway, host]), number) for number in numbers}
    for gateway, name in last.items():
        for count, most, what in (
            (len(single[gateway]), MOST_SINGLE, "TLS and TCP ports of hosts"),
            (len(shared[gateway]), MOST_SHARED, "HTTP ports of hosts with the same clients"),
        ):
            if count > most:
                yield (
                    ("destinations", name, "ports"),
                    f"makes {count} {what} at the gateway `{gateway or 'default'}`, which has ports for {most}",
                    "a gateway of its own under egress.mesh.gateways, or `flavour: istio-api`",
                )
