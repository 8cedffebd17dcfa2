"""The Gateways through which backends are offered: class, proxies and listeners of each."""

from dataclasses import dataclass
from typing import Any, Final

from components.plan.objects import KubeObject
from components.plan.offers.listeners import Listener, gateway_name, gateways_of, listeners_of
from components.plan.offers.proxies import envoy_proxy
from components.settings import Settings

_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"


@dataclass(frozen=True, kw_only=True)
class GatewayPlan:
    """One Gateway, and what must be there before it."""

    name: str
    """Its name in the settings."""
    proxy: KubeObject
    gateway_class: KubeObject
    gateway: KubeObject


def plan_gateways(settings: Settings) -> tuple[GatewayPlan, ...]:
    """Every Gateway, by name."""
    return tuple(_gateway(settings, name) for name in sorted(gateways_of(settings)))


def _gateway(settings: Settings, name: str) -> GatewayPlan:
    namespace, own = settings.install.envoy_gateway.namespace, gateway_name(name)
    return GatewayPlan(
        name=name,
        proxy=envoy_proxy(settings, name),
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
        gateway=KubeObject(
            api_version="gateway.networking.k8s.io/v1",
            kind="Gateway",
            name=own,
            namespace=namespace,
            spec={
                "gatewayClassName": own,
                "listeners": [_listener(each) for each in listeners_of(settings, name)],
            },
        ),
    )


def _listener(listener: Listener) -> dict[str, Any]:
    return {
        "name": listener.name,
        "protocol": listener.protocol,
        "port": listener.port,
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
