"""What is taken: ports at the egress gateway, and namespaces that no stack creates or deletes."""

from typing import Final

ISTIO_PORTS: Final = frozenset({15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090})
"""What every Istio proxy keeps for itself (istio.io, "Ports used by Istio")."""

LANES: Final = range(20000, 20032)
"""The egress gateway's lanes: ports for TLS that is passed through, and for TCP. See docs/adr/0003-lanes.md."""

ORIGINATION: Final = range(20040, 20048)
"""Port numbers by which proxies know the TLS side of a host whose TLS they start: one for each such port of it.
Nothing listens there."""

SHARED_PORTS: Final = range(21000, 22000)
"""Flavour gateway-api: a gateway's ports for HTTP and GRPC, one for each client group and port that clients call."""

SINGLE_PORTS: Final = range(22000, 30000)
"""Flavour gateway-api: a gateway's ports for TLS and TCP, one for each port of a host. Below Linux' ephemeral ports,
and below Kubernetes' node ports."""

IDLE_PORT: Final = 20999
"""Flavour gateway-api: the one listener of a gateway that istiod deploys itself. Nothing is routed from it; a Gateway
must have one, and those of client groups are Gateways of their own."""

MOST_SHARED: Final = 250
"""How many of `SHARED_PORTS` a gateway may use: a quarter, so that few collide."""

MOST_SINGLE: Final = 1000
"""How many of `SINGLE_PORTS` a gateway may use: each is a listener in every pod, and few may collide."""

MOST_TLS_PORTS: Final = 24
"""TLS and TCP ports of one host, and of one chunk: three quarters of the lanes, so that few collide."""

ASM_PORTS: Final = range(20000, 30000)
"""Gateway ports in the flavour `asm`, one for each port of each host. No proxy, no kubelet and no NodePort listens
there, so that they are free on a node's network too."""

MOST_ASM_PORTS: Final = 1000
"""Of these, how many one gateway may use: a tenth, so that few collide, and so that who answers for them fits into
the annotations of one object (256 KiB)."""

ASM_NAMESPACE: Final = "istio-egress"
"""Where ASM reads egress policies (Alibaba Cloud: ASMEgressTrafficPolicy CRD description)."""

CONTROL_PLANE: Final = "control-plane"
"""The entry by which a managed mesh's control plane is approved."""

KUBERNETES_NAMESPACES: Final = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""What every cluster has from the start (kubernetes.io, "Namespaces")."""

OFFER_PORT: Final = 80
"""Where backends are offered in plain text, unless they say otherwise."""
OFFER_TLS_PORT: Final = 443
"""Where they are offered with TLS."""
PROXY_PORTS: Final = frozenset({19000, 19001, 19002, 19003})
"""What a proxy of Envoy Gateway keeps for itself: admin, metrics, draining, readiness (envoyproxy/gateway:
internal/xds/bootstrap/bootstrap.go, internal/cmd/envoy/shutdown_manager.go)."""
_UNPRIVILEGED: Final = 1024
_MOVED_UP: Final = 10000
DEFAULT_GATEWAY: Final = "default"
"""What egress.mesh.gateway is called where egress gateways are named; and the Gateway of backends that name none."""


def pod_port(port: int) -> int:
    """Where proxies listen for a port of their Gateway: those below 1024 move up, so that no privilege is needed."""
    return port if port >= _UNPRIVILEGED else port + _MOVED_UP
