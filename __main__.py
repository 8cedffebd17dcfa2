"""What one declaration becomes: settings -> plan -> components -> outputs.

Runs unchanged under `pulumi preview|up` and offline under `egress preview`.
"""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.backends import ExternalBackends, ExternalBackendsArgs
from components.declaration import read_declaration
from components.egress_gateway import EgressGateway, EgressGatewayArgs
from components.envoy_gateway import EnvoyGatewayInstall, EnvoyGatewayInstallArgs
from components.istio import IstioInstall, IstioInstallArgs
from components.managed_mesh import ManagedMesh, ManagedMeshArgs
from components.namespaces import OwnNamespaces
from components.network_lockdown import NetworkLockdown, NetworkLockdownArgs
from components.observability import Observability, ObservabilityArgs
from components.plan.handoff import with_addresses

declared = read_declaration()
plan, secrets = declared.plan, declared.secrets
cluster = kubernetes.Provider(
    "cluster",
    context=declared.settings.cluster.context,
    enable_config_map_mutable=True,  # what a gateway is patched with changes in place
)
mesh = cluster if plan.managed_mesh is None else kubernetes.Provider("mesh", context=plan.managed_mesh.context)
on_cluster, on_mesh = pulumi.ResourceOptions(provider=cluster), pulumi.ResourceOptions(provider=mesh)

cloud = None
if plan.cloud is not None:
    from components.cloud import create_cloud  # only who needs it waits for its SDK

    cloud = create_cloud(plan.cloud, cluster)
nodes: Sequence[pulumi.Resource] = [] if cloud is None else cloud.ready
own = OwnNamespaces("own", plan.namespaces, on_cluster, after=nodes)
closed: list[pulumi.Resource] = [*own.each.values()] or [*nodes]
if plan.istio is not None:
    istio = IstioInstallArgs(plan=plan.istio, namespace=own.each[plan.istio.namespace], secrets=secrets)
    closed += IstioInstall("istio", istio, on_cluster).istiods
gateways = NetworkLockdown(
    "gateways", NetworkLockdownArgs(policies=plan.gateway_policies, after=[*own.each.values()]), on_cluster
)
closed += gateways.policies
if plan.managed_mesh is not None:
    closed += OwnNamespaces("mesh-own", plan.managed_mesh.namespaces, on_mesh).each.values()
    ManagedMesh("mesh", ManagedMeshArgs(plan=plan.managed_mesh, after=closed), on_cluster)

Observability("logs", ObservabilityArgs(plan=plan.observability, after=closed), on_mesh)
envoy = None
if plan.envoy_gateway is not None:
    envoy = EnvoyGatewayInstall(
        "envoy", EnvoyGatewayInstallArgs(plan=plan.envoy_gateway, secrets=secrets, after=closed), on_cluster
    )
kinds_from = [envoy.controller] if envoy is not None and plan.egress_gateway.uses_gateway_api else []
egress = EgressGateway(
    "egress",
    EgressGatewayArgs(plan=plan.egress_gateway, secrets=secrets, after=closed, kinds_from=kinds_from),
    on_mesh,
)
clients = NetworkLockdown(
    "clients", NetworkLockdownArgs(policies=plan.client_policies, after=egress.service_entries), on_cluster
)
if envoy is not None and plan.backends is not None:
    ExternalBackends("backends", ExternalBackendsArgs(plan=plan.backends, mesh=mesh, after=envoy.gateways), on_cluster)

pulumi.export("handoff", with_addresses(plan.handoff, None if cloud is None else cloud.cidrs))
if plan.cloud is not None:
    pulumi.export("quotas", {each.name: each.said for each in plan.cloud.quotas})
