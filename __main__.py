"""What one declaration becomes: settings -> plan -> components -> outputs.

Runs unchanged under `pulumi preview|up` and offline under `egress preview`.
"""

import pulumi
import pulumi_kubernetes as kubernetes

from components.backends import ExternalBackends, ExternalBackendsArgs
from components.declaration import read_declaration
from components.egress_gateway import EgressGateway, EgressGatewayArgs
from components.envoy_gateway import EnvoyGatewayInstall, EnvoyGatewayInstallArgs
from components.istio import IstioInstall, IstioInstallArgs
from components.namespaces import OwnNamespaces
from components.network_lockdown import NetworkLockdown, NetworkLockdownArgs
from components.observability import Observability, ObservabilityArgs

declared = read_declaration()
plan, secrets = declared.plan, declared.secrets
cluster = kubernetes.Provider(
    "cluster",
    context=declared.settings.cluster.context,
    enable_config_map_mutable=True,  # what a gateway is patched with changes in place
)
on_cluster = pulumi.ResourceOptions(provider=cluster)

own = OwnNamespaces("own", plan.namespaces, on_cluster)
istio = IstioInstall(
    "istio",
    IstioInstallArgs(plan=plan.istio, namespace=own.each[plan.istio.namespace], secrets=secrets),
    on_cluster,
)
gateways = NetworkLockdown(
    "gateways", NetworkLockdownArgs(policies=plan.gateway_policies, after=[*own.each.values()]), on_cluster
)
closed = [istio.istiod, *own.each.values(), *gateways.policies]

Observability("logs", ObservabilityArgs(telemetry=plan.observability, after=closed), on_cluster)
envoy = None
if plan.envoy_gateway is not None:
    envoy = EnvoyGatewayInstall(
        "envoy", EnvoyGatewayInstallArgs(plan=plan.envoy_gateway, secrets=secrets, after=closed), on_cluster
    )
kinds_from = [envoy.controller] if envoy is not None and plan.egress_gateway.uses_gateway_api else []
egress = EgressGateway(
    "egress",
    EgressGatewayArgs(plan=plan.egress_gateway, secrets=secrets, after=closed, kinds_from=kinds_from),
    on_cluster,
)
clients = NetworkLockdown(
    "clients", NetworkLockdownArgs(policies=plan.client_policies, after=egress.service_entries), on_cluster
)
if envoy is not None and plan.backends is not None:
    ExternalBackends("backends", ExternalBackendsArgs(plan=plan.backends, after=[envoy.gateway]), on_cluster)

pulumi.export("handoff", plan.handoff)
