"""The whole plan: one part a layer, in the order in which they are installed."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.plan.cloud.planning import CloudPlan, plan_cloud
from components.plan.egress_gateway import EgressGatewayPlan, direct_namespaces, plan_egress_gateway
from components.plan.envoy_gateway import EnvoyGatewayPlan, plan_envoy_gateway
from components.plan.groups import ClientGroup, client_groups
from components.plan.handoff import handoff
from components.plan.istio import IstioPlan, plan_istio
from components.plan.lockdown import client_policies, gateway_policies
from components.plan.managed_mesh import ManagedMeshPlan, plan_managed_gateways, plan_managed_mesh
from components.plan.objects import KubeObject, Plain
from components.plan.observability import ObservabilityPlan, plan_observability
from components.plan.offers import BackendsPlan, plan_backends
from components.plan.waypoints import plan_waypoints
from components.settings import Settings
from policy.approvals import Approvals


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every layer registers. `None` where the declaration does not ask for a layer."""

    namespaces: tuple[str, ...]
    """Namespaces of ours: created with the stack, deleted with it."""
    cloud: CloudPlan | None
    istio: IstioPlan | None
    managed_mesh: ManagedMeshPlan | None
    """Instead of `istio`, where somebody else runs the mesh."""
    egress_gateway: EgressGatewayPlan
    envoy_gateway: EnvoyGatewayPlan | None
    backends: BackendsPlan | None
    gateway_policies: tuple[KubeObject, ...]
    client_policies: tuple[KubeObject, ...]
    observability: ObservabilityPlan
    handoff: Plain


def make_plan(settings: Settings, approvals: Approvals, *, stack: str) -> Plan:
    """Plan every layer. `settings` and `approvals` have passed `components.plan.preflight.check`."""
    domain = approvals.cluster.domain
    groups = client_groups(settings.destinations, direct_namespaces=direct_namespaces(settings))
    offers = settings.backends is not None
    backends = plan_backends(settings, approvals) if offers else None
    enforced = settings.egress.posture == "enforce"
    gateways = gateway_policies(settings, approvals, groups)
    clients = client_policies(settings, approvals, groups)
    managed = settings.egress.mesh.asm
    own = [] if managed is not None else [settings.install.istio.namespace, settings.egress.mesh.gateway.namespace]
    return Plan(
        namespaces=(*own, settings.install.envoy_gateway.namespace) if offers else tuple(own),
        cloud=plan_cloud(settings, approvals),
        istio=plan_istio(settings, cluster_domain=domain) if managed is None else None,
        managed_mesh=None if managed is None else plan_managed_mesh(settings, managed),
        egress_gateway=_egress_gateway(settings, groups, cluster_domain=domain),
        envoy_gateway=plan_envoy_gateway(settings, approvals) if offers else None,
        backends=backends,
        gateway_policies=gateways if enforced else (),
        client_policies=clients if enforced else (),
        observability=plan_observability(settings, backends, cluster_domain=domain),
        handoff=handoff(settings, stack=stack, planned=() if enforced else (*gateways, *clients)),
    )


def _egress_gateway(settings: Settings, groups: Sequence[ClientGroup], *, cluster_domain: str) -> EgressGatewayPlan:
    managed = settings.egress.mesh.asm
    if managed is not None:
        return plan_managed_gateways(settings, managed, groups, cluster_domain=cluster_domain)
    if settings.egress.mesh.data_plane == "ambient":
        return plan_waypoints(settings, groups, cluster_domain=cluster_domain)
    return plan_egress_gateway(settings, groups, cluster_domain=cluster_domain)
