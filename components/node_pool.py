"""The egress nodes: who reaches them, the pool itself, and which pods have addresses of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_alicloud as alicloud

from components.kube import kube_object
from components.plan.cloud.nodes import NodePoolPlan, PodNetworkingPlan
from components.plan.cloud.security_groups import SecurityGroup, SecurityGroupRule
from components.plan.objects import KubeObject

_NOT_OURS: Final = ["scalingConfig.eipBandwidth", "scalingConfig.eipInternetChargeType"]
"""What the service says of elastic IP addresses of nodes, also where they have none."""
_READY: Final = {"pulumi.com/waitFor": "jsonpath={.status.status}=Ready"}
"""A pod that comes before Terway knows of its PodNetworking has an address among the others'."""


@dataclass(frozen=True, kw_only=True)
class EgressNodePoolArgs:
    """What to create, where, and what must be there first."""

    plan: NodePoolPlan
    vpc: str
    vswitches: Mapping[str, alicloud.vpc.Switch]
    """By their plan's name."""
    cluster: pulumi.ProviderResource
    after: Sequence[pulumi.Resource]
    """What nodes wait for: they could send as soon as they are there."""


class EgressNodePool(pulumi.ComponentResource):
    """Security groups with all their rules, then the pool; and a PodNetworking for each gateway, before its pods."""

    ready: Sequence[pulumi.Resource]
    """What the gateways' pods wait for."""

    def __init__(self, name: str, args: EgressNodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:cloud:EgressNodePool", name, None, opts)
        self._args = args
        groups: dict[str, alicloud.ecs.SecurityGroup] = {}
        rules: list[pulumi.Resource] = []
        for planned in args.plan.security_groups:
            group = groups[planned.name] = self._group(planned)
            rules += self._rules(planned, group)
        pool = self._pool(name, groups["nodes"], [*args.after, *rules])
        networks = [self._pod_networking(name, each, groups["pods"], rules) for each in args.plan.pod_networkings]
        self.ready = [pool, *networks]
        self.register_outputs({})

    def _group(self, planned: SecurityGroup) -> alicloud.ecs.SecurityGroup:
        return alicloud.ecs.SecurityGroup(
            planned.name,
            security_group_name=f"{self._args.plan.name}-{planned.name}",
            security_group_type="enterprise",
            vpc_id=self._args.vpc,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _rules(self, planned: SecurityGroup, group: alicloud.ecs.SecurityGroup) -> list[pulumi.Resource]:
        """What is dropped comes after what is accepted: one run may do both to what is in use."""
        accepted = [self._rule(planned, rule, group, []) for rule in planned.rules if rule.policy == "accept"]
        dropped = [self._rule(planned, rule, group, accepted) for rule in planned.rules if rule.policy == "drop"]
        return [*accepted, *dropped]

    def _rule(
        self,
        planned: SecurityGroup,
        rule: SecurityGroupRule,
        group: alicloud.ecs.SecurityGroup,
        after: Sequence[pulumi.Resource],
    ) -> pulumi.Resource:
        return alicloud.ecs.SecurityGroupRule(
            f"{planned.name}-{rule.name}",
            security_group_id=group.id,
            type=rule.direction,
            policy=rule.policy,
            ip_protocol=rule.protocol,
            port_range=rule.ports,
            cidr_ip=rule.cidr,
            priority=rule.priority,
            nic_type="intranet",  # in a VPC there is no other, but without it the provider finds no rule again
            description=rule.description,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*after]),
        )

    def _pool(
        self, name: str, group: alicloud.ecs.SecurityGroup, after: Sequence[pulumi.Resource]
    ) -> alicloud.cs.NodePool:
        plan, by_load = self._args.plan, self._args.plan.count is None
        return alicloud.cs.NodePool(
            name,
            node_pool_name=plan.name,
            cluster_id=plan.cluster_id,
            vswitch_ids=[self._args.vswitches[each.name].id for each in plan.vswitches],
            multi_az_policy="BALANCE",
            security_group_ids=[group.id],
            instance_types=[*plan.instance_types],
            instance_charge_type="PostPaid",
            spot_strategy="NoSpot",
            desired_size=str(plan.least if by_load else plan.count),
            scaling_config=alicloud.cs.NodePoolScalingConfigArgs(
                enable=by_load, type="cpu", min_size=plan.least, max_size=plan.most, is_bond_eip=False
            ),
            image_type=plan.image,
            security_hardening_os=True,
            instance_metadata_options=alicloud.cs.NodePoolInstanceMetadataOptionsArgs(http_tokens="required"),
            system_disk_category="cloud_essd",
            system_disk_size=plan.disk_gib,
            system_disk_encrypted=True,
            system_disk_encrypt_algorithm="aes-256",
            system_disk_kms_key=plan.kms_key,
            labels=[alicloud.cs.NodePoolLabelArgs(key=key, value=value) for key, value in plan.labels],
            taints=[
                alicloud.cs.NodePoolTaintArgs(key=key, value=taint.value, effect=taint.effect)
                for key, taint in plan.taints
            ],
            update_nodes=True,
            management=alicloud.cs.NodePoolManagementArgs(
                enable=True,
                auto_repair=True,
                auto_vul_fix=True,
                auto_upgrade=False,  # that goes with the cluster's own version
                max_unavailable=1,
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=[*_NOT_OURS, *(["desiredSize"] if by_load else [])],
                depends_on=[*after],
            ),
        )

    def _pod_networking(
        self,
        name: str,
        plan: PodNetworkingPlan,
        group: alicloud.ecs.SecurityGroup,
        after: Sequence[pulumi.Resource],
    ) -> pulumi.Resource:
        """Always `Elastic`: for pods of Deployments Terway passes over `Fixed` without a word."""
        planned = KubeObject(
            api_version="network.alibabacloud.com/v1beta1",
            kind="PodNetworking",
            name=plan.name,
            annotations=_READY,
            spec={
                "allocationType": {"type": "Elastic"},
                "selector": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": plan.namespace}},
                    "podSelector": {"matchLabels": dict(plan.labels)},
                },
                "securityGroupIDs": [group.id],
                "vSwitchOptions": [self._args.vswitches[each.name].id for each in plan.vswitches],
            },
        )
        return kube_object(self, f"{name}-{plan.name}", planned, after, provider=self._args.cluster)
