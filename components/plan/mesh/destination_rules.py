"""DestinationRules: how sidecars talk to the gateway, and how whoever is last on the way talks to the host outside."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.groups import ClientGroup
from components.plan.mesh.address import MUTUAL, NETWORKING, GatewayAddress, gateway_name
from components.plan.names import digest, kube_name
from components.plan.objects import KubeObject
from components.settings.destinations import Connections, OriginatedTls

_ANY: Final = "originate-tls"
"""The rule for hosts that need none of their own."""


def to_gateway(at: GatewayAddress, namespace: str, groups: Sequence[ClientGroup]) -> KubeObject | None:
    """How a client namespace's sidecars talk to a gateway: mutual TLS, and an outer SNI for each chunk."""
    chunks = [chunk for group in groups if namespace in group.namespaces for chunk in group.chunks]
    if not chunks:
        return None
    return _rule(
        gateway_name(at.name),
        namespace,
        at.service,
        {
            "trafficPolicy": {"tls": {"mode": MUTUAL}},
            "subsets": [
                {"name": chunk.name, "trafficPolicy": {"tls": {"mode": MUTUAL, "sni": chunk.sni}}} for chunk in chunks
            ],
        },
    )


def to_gateway_ports(at: GatewayAddress, namespace: str, groups: Sequence[ClientGroup]) -> KubeObject | None:
    """The same where routes cannot choose a subset: istiod makes an outer SNI of each port's number."""
    if not any(namespace in group.namespaces for group in groups):
        return None
    return _rule(gateway_name(at.name), namespace, at.service, {"trafficPolicy": {"tls": {"mode": MUTUAL}}})


def originate_tls(at: GatewayAddress, groups: Sequence[ClientGroup]) -> KubeObject | None:
    """How gateways start TLS to the hosts without a rule of their own: one rule for all.

    The server's name comes from the request's `Host`, which its route has compared with the declared hosts, and the
    certificate must bear it (istiod sets Envoy's auto_sni and auto_san_validation where a rule names neither).
    """
    ports = sorted(
        {
            flow.known_as
            for group in groups
            for flow in group.flows
            if flow.clients and flow.spec.tls is not None and not _is_special(flow)
        }
    )
    if not ports:
        return None
    settings = [{"port": {"number": port}, "tls": {"mode": "SIMPLE"}} for port in ports]
    return _rule(_ANY, at.namespace, "*", {"trafficPolicy": {"portLevelSettings": settings}})


def to_outside(at: GatewayAddress, group: ClientGroup) -> Iterator[KubeObject]:
    """Rules for hosts with limits or TLS of their own, for the gateway and for namespaces without one.

    A namespace without a gateway needs one for every host whose TLS its sidecars start: a rule for any host there
    would hide what the owners of other Services say.
    """
    flows_of: defaultdict[str, list[Flow]] = defaultdict(list)
    for flow in group.flows:
        flows_of[flow.host].append(flow)
    for host, flows in flows_of.items():
        name = kube_name(group.name, "to", digest(host, 8))
        own = [flow for flow in flows if flow.clients]
        if any(map(_is_special, own)):
            yield _rule(name, at.namespace, host, _policy(own))
        for namespace in group.direct_namespaces:
            own = [flow for flow in flows if flow.is_direct_for(namespace)]
            if any(_is_special(flow) or flow.spec.tls is not None for flow in own):
                yield _rule(name, namespace, host, _policy(own))


def _is_special(flow: Flow) -> bool:
    tls = flow.spec.tls
    own_tls = tls is not None and (tls.secret is not None or tls.server_name is not None)
    return own_tls or flow.spec.connections is not None or flow.spec.outliers is not None


def _policy(flows: Sequence[Flow]) -> dict[str, Any]:
    settings: list[dict[str, Any]] = []
    for flow in flows:
        spec, own = flow.spec, dict[str, Any]()
        if spec.tls is not None:
            own["tls"] = _tls(spec.tls)
        if spec.connections is not None:
            own["connectionPool"] = _pool(spec.connections, is_http=spec.is_http)
        if spec.outliers is not None:
            own["outlierDetection"] = {
                "consecutive5xxErrors": spec.outliers.consecutive_errors,
                "interval": spec.outliers.interval,
                "baseEjectionTime": spec.outliers.ejection_time,
                "maxEjectionPercent": spec.outliers.max_percent,
            }
        if own:
            settings.append({"port": {"number": flow.known_as}, **own})
    return {"trafficPolicy": {"portLevelSettings": settings}}


def _tls(tls: OriginatedTls) -> dict[str, Any]:
    """Without an authority of its own: the public ones that the proxy's image knows, istiod's default."""
    settings: dict[str, Any] = {"mode": "MUTUAL" if tls.client_certificate else "SIMPLE"}
    if tls.secret is not None:
        settings["credentialName"] = tls.secret
    if tls.server_name is not None:
        settings |= {"sni": tls.server_name, "subjectAltNames": [tls.server_name]}
    return settings


def _pool(limits: Connections, *, is_http: bool) -> dict[str, Any]:
    tcp = {"maxConnections": limits.max_connections, "connectTimeout": limits.connect_timeout}
    http = {
        "http1MaxPendingRequests": limits.max_pending_requests,
        "maxRequestsPerConnection": limits.max_requests_per_connection,
        "idleTimeout": limits.idle_timeout,
    }
    kinds = {"tcp": tcp, **({"http": http} if is_http else {})}
    given = {kind: {key: value for key, value in keys.items() if value is not None} for kind, keys in kinds.items()}
    return {kind: keys for kind, keys in given.items() if keys}


def _rule(name: str, namespace: str, host: str, spec: dict[str, Any]) -> KubeObject:
    return KubeObject(
        api_version=NETWORKING,
        kind="DestinationRule",
        name=name,
        namespace=namespace,
        spec={"host": host, "exportTo": ["."], **spec},
    )
