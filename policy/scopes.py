"""Which kinds live in a namespace, of those that rules judge."""

from policy.destinations import DESTINATION_KINDS
from policy.readers.cloud.kinds import FIREWALL_POLICIES, POD_EIP, POD_ENI
from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS
from policy.readers.mesh_config import MESH_CONFIG_KINDS
from policy.readers.pods import CLUSTER_WORKLOAD_KINDS, WORKLOAD_KINDS

NAMESPACED_KINDS = (
    (DESTINATION_KINDS - MESH_CONFIG_KINDS - CONFIGURATION_KINDS - FIREWALL_POLICIES)
    | (WORKLOAD_KINDS - CLUSTER_WORKLOAD_KINDS)
    | {
        POD_EIP,
        POD_ENI,
        "argoproj.io/Application",
        "cilium.io/CiliumNetworkPolicy",
        "core/ConfigMap",
        "crd.projectcalico.org/NetworkPolicy",
        "crd.projectcalico.org/NetworkSet",
        "extensions.istio.io/TrafficExtension",
        "gateway.envoyproxy.io/BackendTrafficPolicy",
        "gateway.envoyproxy.io/ClientTrafficPolicy",
        "gateway.envoyproxy.io/EnvoyPatchPolicy",
        "gateway.envoyproxy.io/HTTPRouteFilter",
        "gateway.networking.k8s.io/BackendTLSPolicy",
        "gateway.networking.k8s.io/Gateway",
        "gateway.networking.k8s.io/ListenerSet",
        "gateway.networking.k8s.io/ReferenceGrant",
        "gateway.networking.x-k8s.io/XListenerSet",
        "helm.cattle.io/HelmChart",
        "helm.cattle.io/HelmChartConfig",
        "helm.toolkit.fluxcd.io/HelmRelease",
        "networking.istio.io/EnvoyFilter",
        "networking.istio.io/Gateway",
        "networking.istio.io/ProxyConfig",
        "networking.k8s.io/NetworkPolicy",
        "projectcalico.org/NetworkPolicy",
        "projectcalico.org/NetworkSet",
        "rbac.authorization.k8s.io/Role",
        "rbac.authorization.k8s.io/RoleBinding",
        "security.istio.io/AuthorizationPolicy",
        "security.istio.io/PeerAuthentication",
    }
)
"""As group/Kind. Of no other kind is it known here."""
