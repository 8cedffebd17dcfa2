"""Who may use the gateway: nobody, but for each client group's service accounts, tokens and permitted requests."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.plan.flows import Flow, ServiceAccount
from components.plan.groups import ClientGroup
from components.plan.mesh.address import SECURITY, GatewayAddress
from components.plan.mesh.gateway_ports import GatewayPorts
from components.plan.mesh.providers import authorizer_name
from components.plan.names import kube_name
from components.plan.objects import KubeObject
from components.settings.destinations import AllowedRequests, RequiredToken
from components.settings.mesh import Issuer


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way into a gateway, and the one thing behind it."""

    sni: str | None
    """The outer SNI; `None` where the flavour tells groups apart by port alone."""
    port: int
    host: str | None
    """The `Host` that tells it from others of its SNI and port; `None` where there are no others."""
    flow: Flow


def istio_api_doors(group: ClientGroup) -> list[Door]:
    """The doors of a group whose chunks have an SNI each."""
    return [
        Door(
            sni=chunk.sni,
            port=chunk.lanes[flow] if flow.needs_lane else flow.port,
            host=None if flow.needs_lane or len(chunk.hosts) == 1 else flow.host,
            flow=flow,
        )
        for chunk in group.chunks
        for flow in chunk.flows
    ]


def gateway_api_doors(group: ClientGroup, ports: GatewayPorts) -> list[Door]:
    """The doors of a group that has ports of its own."""
    hosts = Counter(ports.of(group, flow) for flow in group.flows)
    return [
        Door(
            sni=None,
            port=ports.of(group, flow),
            host=None if flow.needs_lane or hosts[ports.of(group, flow)] == 1 else flow.host,
            flow=flow,
        )
        for flow in group.flows
    ]


def allow(
    at: GatewayAddress,
    group: ClientGroup,
    doors: Sequence[Door],
    issuers: Mapping[str, Issuer],
    *,
    enforced: bool,
) -> KubeObject:
    """Who may use the group's doors: its service accounts; door by door where one has conditions of its own.

    In the ordinary case one rule holds for every chunk, present and future, so that the gateway's configuration does
    not grow with chunks times rules: every filter chain repeats all rules.
    """
    shared = all(door.flow.clients == group.clients and door.flow.is_plain for door in doors)
    if shared and doors[0].sni is not None:
        rules = [rule(at, group.clients, [f"*.{group.sni_domain}"])]
    elif shared:
        ports = sorted({f"{door.port}" for door in doors}, key=int)
        rules = [rule(at, group.clients, None, operation={"ports": ports})]
    else:
        rules = list(_rules(at, doors, issuers))
    return _policy(at, group.name, {"action": "ALLOW", "rules": rules}, enforced=enforced)


def ask(at: GatewayAddress, group: ClientGroup, doors: Sequence[Door]) -> Iterator[KubeObject]:
    """Which doors an external authorizer is asked about: a policy for each authorizer of the group.

    Envoy asks before it looks at ALLOW policies, and istiod takes no clients in these rules: the authorizer is also
    asked about requests that are refused after it. Every rule names ports, because istiod drops `hosts` from rules for
    TCP, and what is left would hold for connections of others.

    istiod knows no dry run of these, so `observe` goes without.
    """
    by_authorizer: defaultdict[str, list[Door]] = defaultdict(list)
    for door in doors:
        if door.flow.entry.authorizer is not None:
            by_authorizer[door.flow.entry.authorizer].append(door)
    for name, asked in sorted(by_authorizer.items()):
        rules = [
            {"to": [{"operation": operation}], **_when(sni)} for sni, operation in _operations(asked, allowed=None)
        ]
        spec = {"action": "CUSTOM", "provider": {"name": authorizer_name(name)}, "rules": rules}
        yield _policy(at, kube_name(group.name, name), spec, enforced=True)


def default_deny(at: GatewayAddress, *, enforced: bool) -> KubeObject:
    """Whatever no other policy allows is refused, at every gateway: an ALLOW policy without rules."""
    return at.object(
        "AuthorizationPolicy", "default-deny", {}, api_version=SECURITY, annotations=judged(enforced=enforced)
    )


def deny_at(at: GatewayAddress, *, enforced: bool) -> KubeObject:
    """The same for one gateway, where its namespace is not its own: an ALLOW policy for it without rules."""
    name = "default-deny" if at.name is None else kube_name("default-deny", at.name)
    return _policy(at, name, {}, enforced=enforced)


def _policy(at: GatewayAddress, name: str, spec: dict[str, Any], *, enforced: bool) -> KubeObject:
    return at.object(
        "AuthorizationPolicy",
        name,
        {"selector": {"matchLabels": at.labels}, **spec},
        api_version=SECURITY,
        annotations=judged(enforced=enforced),
    )


def judged(*, enforced: bool) -> dict[str, str]:
    """The annotation by which the proxy judges but refuses nothing (istio.io, "Dry Run"), unless it is `enforced`."""
    return {} if enforced else {"istio.io/dry-run": "true"}


def _rules(at: GatewayAddress, doors: Sequence[Door], issuers: Mapping[str, Issuer]) -> Iterator[dict[str, Any]]:
    """A rule for everything that is the same for several doors.

    Lanes and requests need rules of their own: istiod drops a whole rule from TCP listeners if any part of it is
    about HTTP.
    """
    alike: defaultdict[str, list[Door]] = defaultdict(list)
    for door in doors:
        token = door.flow.entry.token
        alike[repr((sorted(door.flow.clients), door.flow.needs_lane, token, door.flow.spec.allow))].append(door)
    for _, same in sorted(alike.items()):
        first = same[0].flow
        for sni, operation in _operations(same, allowed=first.spec.allow):
            if first.clients:
                snis = None if sni is None else [sni]
                token = first.entry.token
                yield rule(at, first.clients, snis, operation=operation, token=token, issuers=issuers)


def _operations(
    doors: Sequence[Door], *, allowed: AllowedRequests | None
) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """What these doors are at the gateway: lanes, and HTTP ports with their hosts; each with its SNI."""
    lanes: defaultdict[str | None, set[int]] = defaultdict(set)
    hosts: defaultdict[tuple[str | None, int], set[str | None]] = defaultdict(set)
    for door in doors:
        if door.flow.needs_lane:
            lanes[door.sni].add(door.port)
        else:
            hosts[door.sni, door.port].add(door.host)
    for sni, ports in sorted(lanes.items(), key=lambda each: each[0] or ""):
        yield sni, {"ports": [f"{port}" for port in sorted(ports)]}
    requests = requests_of(allowed)
    for (sni, port), names in sorted(hosts.items(), key=lambda each: (each[0][0] or "", each[0][1])):
        known = sorted(name for name in names if name is not None)
        own = {"hosts": [form for name in known for form in (name, f"{name}:*")]} if known else {}
        yield sni, {"ports": [f"{port}"], **own, **requests}


def requests_of(allowed: AllowedRequests | None) -> dict[str, Any]:
    """The permitted methods and paths, as fields of an operation; none where all are."""
    if allowed is None:
        return {}
    return {
        **({} if allowed.methods is None else {"methods": list(allowed.methods)}),
        **({} if allowed.paths is None else {"paths": list(allowed.paths)}),
    }


def rule(
    at: GatewayAddress,
    clients: frozenset[ServiceAccount],
    snis: list[str] | None,
    *,
    operation: dict[str, Any] | None = None,
    token: RequiredToken | None = None,
    issuers: Mapping[str, Issuer] | None = None,
) -> dict[str, Any]:
    """Who may do what: these clients, by these outer SNIs, with this operation and a token of theirs."""
    source: dict[str, Any] = {"principals": [at.principal(client) for client in sorted(clients)]}
    when = [] if snis is None else [{"key": "connection.sni", "values": snis}]
    if token is not None and issuers is not None:
        source["requestPrincipals"] = [f"{issuers[token.issuer].issuer}/*"]
        when += [
            {"key": f"request.auth.claims[{claim}]", "values": list(values)}
            for claim, values in sorted((token.claims or {}).items())
        ]
    made: dict[str, Any] = {"from": [{"source": source}]}
    if operation is not None:
        made["to"] = [{"operation": operation}]
    return {**made, "when": when} if when else made


def _when(sni: str | None) -> dict[str, Any]:
    return {} if sni is None else {"when": [{"key": "connection.sni", "values": [sni]}]}
