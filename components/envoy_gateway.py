"""Envoy Gateway, and the Gateway through which backends are offered."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import Secrets, helm_release, kube_object
from components.plan.envoy_gateway import EnvoyGatewayPlan


@dataclass(frozen=True, kw_only=True)
class EnvoyGatewayInstallArgs:
    """What to install, and what must be there first."""

    plan: EnvoyGatewayPlan
    secrets: Secrets
    after: Sequence[pulumi.Resource]


class EnvoyGatewayInstall(pulumi.ComponentResource):
    """The controller with its CRDs, then how its proxies look, their class, and the Gateway."""

    controller: pulumi.Resource
    """The controller's release, which brings the CRDs of Gateway API."""
    gateway: pulumi.Resource
    """The Gateway to which routes attach."""

    def __init__(self, name: str, args: EnvoyGatewayInstallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:north-south:EnvoyGatewayInstall", name, None, opts)
        plan = args.plan
        self.controller = helm_release(self, plan.release, args.secrets, args.after)
        proxy = kube_object(self, f"{name}-proxy", plan.proxy, [self.controller])
        gateway_class = kube_object(self, f"{name}-class", plan.gateway_class, [proxy])
        self.gateway = kube_object(self, f"{name}-gateway", plan.gateway, [gateway_class])
        self.register_outputs({})
