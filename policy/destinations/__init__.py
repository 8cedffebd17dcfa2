"""Every place in an object that holds an address, a name, a port, a socket or a URL to connect to, read strictly.

The rules about destinations share this walk, so that none of them forgets a place that another knows.
"""

from collections.abc import Callable
from functools import lru_cache

from policy.destinations import asm, cloud_firewall, envoy_gateway, istio, kubernetes
from policy.destinations.places import AddressPlace, Destinations, NamePlace, PortPlace, SocketPlace
from policy.destinations.walk import Walk
from policy.readers.cloud.kinds import ADDRESS_BOOK, FIREWALL_POLICIES
from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, ENVOY_PROXY, readable_configurations_of
from policy.readers.mesh_config import MESH_CONFIG_KINDS
from policy.reading import Node, root
from policy.rule import Subject

__all__ = [
    "BACKEND",
    "DESTINATION_KINDS",
    "EGRESS_TRAFFIC_POLICY",
    "SERVICE_ENTRY",
    "AddressPlace",
    "Destinations",
    "NamePlace",
    "PortPlace",
    "SocketPlace",
    "destinations_of",
]

BACKEND = "gateway.envoyproxy.io/Backend"
EGRESS_TRAFFIC_POLICY = "istio.alibabacloud.com/ASMEgressTrafficPolicy"
SERVICE_ENTRY = "networking.istio.io/ServiceEntry"

_ROUTES = tuple(f"gateway.networking.k8s.io/{protocol}Route" for protocol in ("HTTP", "GRPC", "TLS", "TCP", "UDP"))
_WALKS: dict[str, Callable[[Walk, Node], None]] = {
    BACKEND: envoy_gateway.backend,
    "gateway.envoyproxy.io/SecurityPolicy": envoy_gateway.security_policy,
    "gateway.envoyproxy.io/EnvoyExtensionPolicy": envoy_gateway.extension_policy,
    "gateway.envoyproxy.io/BackendTrafficPolicy": envoy_gateway.backend_traffic_policy,
    ENVOY_PROXY: envoy_gateway.envoy_proxy,
    **dict.fromkeys(_ROUTES, envoy_gateway.route),
    EGRESS_TRAFFIC_POLICY: asm.egress_traffic_policy,
    SERVICE_ENTRY: istio.service_entry,
    "networking.istio.io/WorkloadEntry": istio.workload_entry,
    "networking.istio.io/WorkloadGroup": istio.workload_group,
    "networking.istio.io/VirtualService": istio.virtual_service,
    "networking.istio.io/DestinationRule": istio.destination_rule,
    "networking.istio.io/Sidecar": istio.sidecar,
    "extensions.istio.io/WasmPlugin": istio.wasm_plugin,
    "security.istio.io/RequestAuthentication": istio.request_authentication,
    "core/Endpoints": kubernetes.endpoints,
    "discovery.k8s.io/EndpointSlice": kubernetes.endpoint_slice,
    "core/Service": kubernetes.service,
}
DESTINATION_KINDS = MESH_CONFIG_KINDS | CONFIGURATION_KINDS | FIREWALL_POLICIES | frozenset(_WALKS)
"""The kinds that `destinations_of` knows."""


@lru_cache(maxsize=16)
def destinations_of(subject: Subject) -> Destinations:
    """What `subject`, of one of `DESTINATION_KINDS`, connects to; of an address book, what it holds.

    What a book is for, only the policies of its stack say, so it is of none of these kinds.
    """
    walk = Walk()
    if subject.group_kind in MESH_CONFIG_KINDS:
        istio.mesh_config(walk, subject)
    if subject.group_kind in CONFIGURATION_KINDS:
        for configuration in readable_configurations_of(subject):
            envoy_gateway.configuration(walk, configuration)
    if subject.group_kind in FIREWALL_POLICIES:
        cloud_firewall.firewall_policy(walk, subject)
    if subject.group_kind == ADDRESS_BOOK:
        cloud_firewall.address_book(walk, subject)
    if subject.group_kind in _WALKS:
        _WALKS[subject.group_kind](walk, root(subject.whole))
    return walk.destinations()
