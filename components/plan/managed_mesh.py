"""A mesh that somebody else runs: no install of ours, but who joins, its gateways, and what leads through them."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.plan.egress_gateway import (
    ClientGroupPlan,
    EgressGatewayPlan,
    client_namespaces,
    gateways_of,
    known_namespaces,
)
from components.plan.groups import ClientGroup
from components.plan.istio import members
from components.plan.mesh import asm, authorization
from components.plan.mesh.address import gateway_name, pods_of_gateway
from components.plan.mesh.sidecars import sidecars
from components.plan.mesh_config import outbound_mode
from components.plan.objects import KubeObject, NamespaceLabels
from components.settings import Settings
from components.settings.mesh import Asm
from components.settings.reserved import ASM_NAMESPACE


@dataclass(frozen=True, kw_only=True)
class ManagedMeshPlan:
    """What the cluster and the mesh get in place of an install."""

    context: str
    """The kubeconfig context of the mesh's API server."""
    namespaces: tuple[str, ...]
    """Namespaces of ours in the mesh's API server."""
    members: tuple[NamespaceLabels, ...]
    """Labels of the cluster's namespaces."""
    disruption_budgets: tuple[KubeObject, ...]
    """For the gateways' pods, which are in the cluster: ASM has no field for them."""


def plan_managed_mesh(settings: Settings, mesh: Asm) -> ManagedMeshPlan:
    """What goes with a mesh of ASM."""
    offers = () if settings.backends is None else (settings.install.envoy_gateway.namespace,)
    return ManagedMeshPlan(
        context=mesh.context,
        namespaces=(ASM_NAMESPACE, *offers),
        members=members(settings),
        disruption_budgets=tuple(_disruption_budget(settings, name) for name in gateways_of(settings)),
    )


def plan_managed_gateways(
    settings: Settings, mesh: Asm, groups: Sequence[ClientGroup], *, cluster_domain: str
) -> EgressGatewayPlan:
    """The gateways that ASM makes, for all client groups.

    They are in the namespace that holds for the whole mesh, so each denies for itself and not for its namespace.
    """
    namespace, enforced = settings.install.istio.namespace, settings.egress.posture == "enforce"
    places = {
        name: asm.AsmGateway(
            name=name,
            namespace=namespace,
            cluster_domain=cluster_domain,
            trust_domain=settings.egress.mesh.trust_domain,
        )
        for name in gateways_of(settings)
    }
    return EgressGatewayPlan(
        namespace=namespace,
        guards=tuple(authorization.deny_at(at, enforced=enforced) for at in places.values()),
        releases=(),
        on_node_network=(),
        waypoints=(),
        uses_gateway_api=False,
        managed=tuple(
            asm.istio_gateway(
                at, mesh, gateways_of(settings)[name], settings.egress.nodes, asm.port_of(groups, name).values()
            )
            for name, at in places.items()
        ),
        clients=tuple(
            sidecar
            for client in client_namespaces(settings)
            for sidecar in sidecars(
                client,
                outbound_mode(settings),
                groups,
                entries_in=ASM_NAMESPACE,
                cluster_domain=cluster_domain,
                known=known_namespaces(settings),
            )
        ),
        groups=tuple(_leads_through(settings, at, groups) for at in places.values()),
    )


def _leads_through(settings: Settings, at: asm.AsmGateway, groups: Sequence[ClientGroup]) -> ClientGroupPlan:
    """Everything at one gateway. Its hosts come last, all at once: they are one object."""
    own = [group for group in groups if group.gateway == at.name]
    port_of = asm.port_of(groups, at.name)
    enforced = settings.egress.posture == "enforce"
    return ClientGroupPlan(
        listeners=tuple(
            authorization.allow(at, group, asm.doors(group, port_of), {}, enforced=enforced) for group in own
        ),
        routes=(),
        service_entries=(asm.egress_policy(at, own, port_of, settings.destinations),),
    )


def _disruption_budget(settings: Settings, gateway: str | None) -> KubeObject:
    namespace, labels = pods_of_gateway(settings, gateway)
    return KubeObject(
        api_version="policy/v1",
        kind="PodDisruptionBudget",
        name=gateway_name(gateway),
        namespace=namespace,
        spec={"maxUnavailable": 1, "selector": {"matchLabels": labels}},
    )
