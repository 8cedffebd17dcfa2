"""The Gateways through which backends are offered: class, proxies and listeners of each."""

from dataclasses import dataclass
from typing import Any, Final

from components.plan.objects import KubeObject
from components.plan.offers import client_traffic
from components.plan.offers.certificates import certificates, listener_tls
from components.plan.offers.listeners import Listener, gateway_name, gateways_of, listeners_of
from components.plan.offers.proxies import envoy_proxy
from components.plan.offers.routes import ROUTE_KINDS
from components.plan.offers.telemetry import log_receivers
from components.settings import Settings
from policy.approvals import Approvals

_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
_SHARED: Final = ("HTTPRoute", "GRPCRoute")
"""The kinds of routes that may attach to a listener for more than one backend: that of plain HTTP."""


@dataclass(frozen=True, kw_only=True)
class GatewayPlan:
    """One Gateway, and what must be there before it."""

    name: str
    """Its name in the settings."""
    proxy: KubeObject
    gateway_class: KubeObject
    in_force: tuple[KubeObject, ...]
    """Certificates, who takes logs, and the policy for what callers send: there before anybody is listened to."""
    gateway: KubeObject


def plan_gateways(settings: Settings, approvals: Approvals) -> tuple[GatewayPlan, ...]:
    """Every Gateway, by name."""
    return tuple(_gateway(settings, approvals, name) for name in sorted(gateways_of(settings)))


def _gateway(settings: Settings, approvals: Approvals, name: str) -> GatewayPlan:
    namespace, own = settings.install.envoy_gateway.namespace, gateway_name(name)
    return GatewayPlan(
        name=name,
        proxy=envoy_proxy(settings, approvals, name),
        gateway_class=KubeObject(
            api_version="gateway.networking.k8s.io/v1",
            kind="GatewayClass",
            name=own,
            spec={
                "controllerName": _CONTROLLER,
                "parametersRef": {
                    "group": "gateway.envoyproxy.io",
                    "kind": "EnvoyProxy",
                    "name": own,
                    "namespace": namespace,
                },
            },
        ),
        in_force=(
            *certificates(settings, name),
            *log_receivers(settings, name),
            client_traffic.of_gateway(settings, name),
        ),
        gateway=KubeObject(
            api_version="gateway.networking.k8s.io/v1",
            kind="Gateway",
            name=own,
            namespace=namespace,
            spec={
                "gatewayClassName": own,
                "listeners": [_listener(settings, each) for each in listeners_of(settings, name)],
            },
        ),
    )


def _listener(settings: Settings, listener: Listener) -> dict[str, Any]:
    """A listener of one backend takes its kind of route alone.

    When a backend's protocol changes, its old route ends here, before what is asked of callers changes.
    """
    owner = None if listener.backend is None else (settings.backends or {})[listener.backend]
    taken = _SHARED if owner is None else (ROUTE_KINDS[owner.protocol],)
    kinds = [{"group": "gateway.networking.k8s.io", "kind": kind} for kind in taken]
    return {
        "name": listener.name,
        "protocol": listener.protocol,
        "port": listener.port,
        **({} if listener.hostname is None else {"hostname": listener.hostname}),
        **listener_tls(listener),
        "allowedRoutes": {"namespaces": {"from": "Same"}, "kinds": kinds},
    }
