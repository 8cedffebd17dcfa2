"""Envoy Gateway, and the Gateways through which backends are offered."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import Secrets, helm_release, kube_object
from components.plan.envoy_gateway import EnvoyGatewayPlan
from components.plan.offers.gateways import GatewayPlan
from components.settings.reserved import DEFAULT_GATEWAY


@dataclass(frozen=True, kw_only=True)
class EnvoyGatewayInstallArgs:
    """What to install, and what must be there first."""

    plan: EnvoyGatewayPlan
    secrets: Secrets
    after: Sequence[pulumi.Resource]


class EnvoyGatewayInstall(pulumi.ComponentResource):
    """The controller with its CRDs, then, for each Gateway, how its proxies look, its class, and itself.

    The policy for what callers send waits for the class, and the Gateway for it: nobody is listened to before.
    """

    controller: pulumi.Resource
    """The controller's release, which brings the CRDs of Gateway API."""
    gateways: list[pulumi.Resource]
    """The Gateways to which routes attach."""

    def __init__(self, name: str, args: EnvoyGatewayInstallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:north-south:EnvoyGatewayInstall", name, None, opts)
        self.controller = helm_release(self, args.plan.release, args.secrets, args.after)
        self.gateways = [self._gateway(name, each) for each in args.plan.gateways]
        self.register_outputs({})

    def _gateway(self, name: str, plan: GatewayPlan) -> pulumi.Resource:
        which = "" if plan.name == DEFAULT_GATEWAY else f"-{plan.name}"
        proxy = kube_object(self, f"{name}-proxy{which}", plan.proxy, [self.controller])
        gateway_class = kube_object(self, f"{name}-class{which}", plan.gateway_class, [proxy])
        in_force = [kube_object(self, f"{name}-{each.name}", each, [gateway_class]) for each in plan.in_force]
        return kube_object(self, f"{name}-gateway{which}", plan.gateway, [gateway_class, *in_force])
