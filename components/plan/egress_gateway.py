"""The egress gateways and everything that leads through them, whatever the flavour."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.plan.client_groups import ClientGroupPlan, by_gateway_api, by_istio_api
from components.plan.gateway_pods import gateway_pods
from components.plan.groups import ClientGroup
from components.plan.mesh import ambient, asm, authorization, destination_rules
from components.plan.mesh.address import GatewayAddress, gateway_labels, gateway_name
from components.plan.mesh.gateway_ports import gateway_ports
from components.plan.mesh.node_network import DeployedGateway, deployed_gateway
from components.plan.mesh.proxy import TELL_NOTHING
from components.plan.mesh.requests import others_of
from components.plan.mesh.sidecars import sidecars
from components.plan.mesh.tokens import request_authentication
from components.plan.mesh_config import outbound_mode
from components.plan.objects import KubeObject, Release
from components.plan.releases import release
from components.plan.revisions import CANARY, gateway_version, is_canary
from components.settings import Settings
from components.settings.egress import FurtherGateway
from components.settings.reserved import LANES


@dataclass(frozen=True, kw_only=True)
class EgressGatewayPlan:
    """The gateways, and everything that leads through them."""

    namespace: str
    guards: tuple[KubeObject, ...]
    """What must hold before a gateway runs: nobody passes, tokens are checked."""
    releases: tuple[Release, ...]
    """The gateways in the cluster's network, by Helm."""
    on_node_network: tuple[DeployedGateway, ...]
    """Gateways on their nodes' network, which istiod deploys."""
    waypoints: tuple[DeployedGateway, ...]
    """Gateways of an ambient mesh, which istiod deploys too."""
    managed: tuple[KubeObject, ...]
    """Gateways that a managed mesh makes from these objects."""
    clients: tuple[KubeObject, ...]
    """What client namespaces' sidecars are told of outside hosts and gateways."""
    groups: tuple[ClientGroupPlan, ...]
    uses_gateway_api: bool
    """Whether anything in it is of a kind of Gateway API, whose CRDs must be there first."""


def plan_egress_gateway(settings: Settings, groups: Sequence[ClientGroup], *, cluster_domain: str) -> EgressGatewayPlan:
    """The gateways for all client groups."""
    mesh = settings.egress.mesh
    enforced = settings.egress.posture == "enforce"
    issuers = mesh.issuers or {}
    places = places_of(settings, cluster_domain=cluster_domain)
    main = places[None]
    ports = {name: gateway_ports(group for group in groups if group.gateway == name) for name in places}
    by_port = mesh.flavour == "gateway-api"
    others = others_of(settings.destinations, groups)
    guards = [authorization.default_deny(main, enforced=enforced)]
    if enforced:  # a wrong token is refused, which `observe` never does
        guards += [item for at in places.values() if (item := request_authentication(at, issuers)) is not None]
    releases = [
        (at, _release(settings, at.name, gateways_of(settings)[at.name], open_ports(settings, groups, at.name)))
        for at in places.values()
    ]
    return EgressGatewayPlan(
        namespace=main.namespace,
        guards=tuple(guards),
        releases=tuple(each for at, each in releases if not gateways_of(settings)[at.name].host_network),
        on_node_network=tuple(
            deployed_gateway(at, each) for at, each in releases if gateways_of(settings)[at.name].host_network
        ),
        waypoints=(),
        managed=(),
        clients=tuple(_clients(settings, places, groups)),
        groups=tuple(
            by_gateway_api(settings, places[group.gateway], group, ports[group.gateway], others)
            if by_port
            else by_istio_api(settings, places[group.gateway], group, others)
            for group in groups
        ),
        uses_gateway_api=by_port,
    )


def open_ports(settings: Settings, groups: Sequence[ClientGroup], gateway: str | None) -> list[tuple[str, int]]:
    """The ports on which a gateway's Service takes clients: name and number."""
    if settings.egress.mesh.data_plane == "ambient":
        return [("hbone", ambient.HBONE_PORT)]
    if settings.egress.mesh.flavour == "gateway-api":
        return gateway_ports(group for group in groups if group.gateway == gateway).named
    if settings.egress.mesh.flavour == "asm":
        return [(f"client-{port}", port) for port in asm.ports(settings.destinations, gateway)]
    plain = [(f"http2-{port}", port) for port in plain_ports(settings, gateway)]
    return [*plain, *((f"tls-{lane}", lane) for lane in LANES)]


def gateways_of(settings: Settings) -> dict[str | None, FurtherGateway]:
    """Every egress gateway, by its name; `None` is egress.mesh.gateway."""
    return {None: settings.egress.mesh.gateway, **dict(sorted((settings.egress.mesh.gateways or {}).items()))}


def places_of(settings: Settings, *, cluster_domain: str) -> dict[str | None, GatewayAddress]:
    """Every egress gateway of our own install as the mesh knows it, by its name."""
    return {
        name: GatewayAddress(
            name=name,
            namespace=settings.egress.mesh.gateway.namespace,
            cluster_domain=cluster_domain,
            trust_domain=settings.egress.mesh.trust_domain,
        )
        for name in gateways_of(settings)
    }


def client_namespaces(settings: Settings) -> list[str]:
    """The namespaces of role `client`, sorted."""
    return sorted(name for name, each in settings.cluster.namespaces.items() if each.role == "client")


def known_namespaces(settings: Settings) -> list[str]:
    """The namespaces of the declaration, and that of the backends: whose ServiceEntries clients may need."""
    offers = [settings.install.envoy_gateway.namespace] if settings.backends is not None else []
    return sorted({*settings.cluster.namespaces, *offers})


def direct_namespaces(settings: Settings) -> frozenset[str]:
    """The namespaces whose clients go without a gateway."""
    return frozenset(name for name in client_namespaces(settings) if outbound(settings, name) != "gateway")


def outbound(settings: Settings, namespace: str) -> str:
    """How a namespace's declared traffic leaves."""
    return settings.cluster.namespaces[namespace].outbound


def plain_ports(settings: Settings, gateway: str | None) -> list[int]:
    """A gateway's ports for HTTP and GRPC: those that clients call."""
    return sorted(
        {
            port.client_port
            for destination in settings.destinations.values()
            if destination.gateway == gateway
            for port in destination.ports.values()
            if port.is_http
        }
    )


def _clients(
    settings: Settings, places: dict[str | None, GatewayAddress], groups: Sequence[ClientGroup]
) -> list[KubeObject]:
    main = places[None]
    found: list[KubeObject] = []
    for namespace in client_namespaces(settings):
        mode = "ALLOW_ANY" if outbound(settings, namespace) == "allow-any" else outbound_mode(settings)
        found += sidecars(
            namespace,
            mode,
            groups,
            entries_in=main.namespace,
            cluster_domain=main.cluster_domain,
            known=known_namespaces(settings),
        )
        for name, at in places.items():
            own = [group for group in groups if group.gateway == name]
            rule = (
                destination_rules.to_gateway_ports(at, namespace, own)
                if settings.egress.mesh.flavour == "gateway-api"
                else destination_rules.to_gateway(at, namespace, own)
            )
            if rule is not None:
                found.append(rule)
    shared = destination_rules.originate_tls(main, groups)
    return found if shared is None else [*found, shared]


def _release(
    settings: Settings, name: str | None, gateway: FurtherGateway, clients_call: Sequence[tuple[str, int]]
) -> Release:
    istio, labels = settings.install.istio, gateway_labels(name)
    ports = [("status-port", 15021), *clients_call]
    values: dict[str, Any] = {
        "labels": labels,
        "podAnnotations": {"proxy.istio.io/config": json.dumps(TELL_NOTHING, sort_keys=True)},
        "service": {
            "type": "ClusterIP",
            **({"ipFamilyPolicy": "PreferDualStack"} if len(settings.cluster.ip_families) > 1 else {}),
            # Only clients' sidecars learn of the gateway's ports.
            "annotations": {"networking.istio.io/exportTo": ",".join([".", *client_namespaces(settings)])},
            "ports": [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in ports],
        },
        **gateway_pods(settings, gateway, labels),
    }
    if is_canary(settings, name):
        values["revision"] = CANARY
    return release(
        settings,
        name=gateway_name(name),
        namespace=settings.egress.mesh.gateway.namespace,
        chart=istio.gateway,
        version=gateway_version(settings, name),
        values=values,
    )
