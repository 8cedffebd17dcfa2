"""What whoever runs this may do on Alibaba Cloud: the rights that the provider needs, by kind of resource, and no more.

Which calls a resource makes: terraform-provider-alicloud v1.285.0, which the plugin of pulumi-alicloud 3.105.0 bundles,
alicloud/resource_alicloud_*.go, less those for arguments that nothing here uses. What a right is called: the
"Authorization" of each API's page; Cloud Firewall's have the prefix `yundun-cloudfirewall`.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

LONGEST: Final = 6144
"""Characters of a policy's document (Resource Access Management, CreatePolicy)."""

_EIP: Final = "vpc:DescribeEipAddresses"
_BANDWIDTH: Final = "vpc:DescribeCommonBandwidthPackages"
_TABLES: Final = "vpc:DescribeRouteTableList"
_GROUP: Final = "ecs:DescribeSecurityGroupAttribute"
_CONTROL: Final = "yundun-cloudfirewall:DescribeControlPolicy"

ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "vpc.Switch": (
        "vpc:CreateVSwitch",
        "vpc:DeleteVSwitch",
        "vpc:DescribeVSwitchAttributes",
        "vpc:ModifyVSwitchAttribute",
    ),
    "vpc.RouteTable": (
        "vpc:CreateRouteTable",
        "vpc:DeleteRouteTable",
        "vpc:ModifyRouteTableAttributes",
        _TABLES,
    ),
    "vpc.RouteTableAttachment": ("vpc:AssociateRouteTable", "vpc:UnassociateRouteTable", _TABLES),
    "vpc.VPCRouteEntry": (
        "vpc:CreateRouteEntry",
        "vpc:DeleteRouteEntry",
        "vpc:DescribeRouteEntryList",
        "vpc:ListVpcPublishedRouteEntries",
        "vpc:ModifyRouteEntry",
    ),
    "vpc.NatGateway": (
        "vpc:CreateNatGateway",
        "vpc:DeleteNatGateway",
        "vpc:DeletionProtection",
        "vpc:DescribeNatGateways",
        "vpc:ListTagResources",
        "vpc:ModifyNatGatewayAttribute",
    ),
    "vpc.SnatEntry": (
        "vpc:CreateSnatEntry",
        "vpc:DeleteSnatEntry",
        "vpc:DescribeSnatTableEntries",
        "vpc:ModifySnatEntry",
    ),
    "vpc.CommonBandwithPackage": (
        "vpc:CreateCommonBandwidthPackage",
        "vpc:DeleteCommonBandwidthPackage",
        "vpc:ListTagResources",
        "vpc:ModifyCommonBandwidthPackageAttribute",
        "vpc:ModifyCommonBandwidthPackageSpec",
        _BANDWIDTH,
    ),
    "vpc.CommonBandwithPackageAttachment": (
        "vpc:AddCommonBandwidthPackageIp",
        "vpc:RemoveCommonBandwidthPackageIp",
        _BANDWIDTH,
        _EIP,
    ),
    "ecs.EipAddress": (
        "vpc:AllocateEipAddress",
        "vpc:DeletionProtection",
        "vpc:ModifyEipAddressAttribute",
        "vpc:ReleaseEipAddress",
        _EIP,
    ),
    "ecs.EipAssociation": ("vpc:AssociateEipAddress", "vpc:UnassociateEipAddress", _EIP),
    "ecs.SecurityGroup": (
        "ecs:CreateSecurityGroup",
        "ecs:DeleteSecurityGroup",
        "ecs:DescribeSecurityGroups",
        "ecs:ModifySecurityGroupAttribute",
        _GROUP,
    ),
    "ecs.SecurityGroupRule": (
        "ecs:AuthorizeSecurityGroup",
        "ecs:AuthorizeSecurityGroupEgress",
        "ecs:ModifySecurityGroupEgressRule",
        "ecs:ModifySecurityGroupRule",
        "ecs:RevokeSecurityGroup",
        "ecs:RevokeSecurityGroupEgress",
        _GROUP,
    ),
    "cs.NodePool": (
        "cs:CreateClusterNodePool",
        "cs:DeleteClusterNodepool",  # so it is spelt
        "cs:DescribeClusterNodePoolDetail",
        "cs:DescribeTaskInfo",
        "cs:ModifyClusterNodePool",
    ),
    "cloudfirewall.NatFirewall": (
        "yundun-cloudfirewall:CreateSecurityProxy",
        "yundun-cloudfirewall:DeleteSecurityProxy",
        "yundun-cloudfirewall:DescribeNatFirewallList",
        "yundun-cloudfirewall:SwitchSecurityProxy",
    ),
    "cloudfirewall.AddressBook": (
        "yundun-cloudfirewall:AddAddressBook",
        "yundun-cloudfirewall:DeleteAddressBook",
        "yundun-cloudfirewall:DescribeAddressBook",
        "yundun-cloudfirewall:ModifyAddressBook",
    ),
    "cloudfirewall.NatFirewallControlPolicy": (
        "yundun-cloudfirewall:CreateNatFirewallControlPolicy",
        "yundun-cloudfirewall:DeleteNatFirewallControlPolicy",
        "yundun-cloudfirewall:DescribeNatFirewallControlPolicy",
        "yundun-cloudfirewall:ModifyNatFirewallControlPolicy",
        "yundun-cloudfirewall:ModifyNatFirewallControlPolicyPosition",
    ),
    "cloudfirewall.ControlPolicy": (
        "yundun-cloudfirewall:AddControlPolicy",
        "yundun-cloudfirewall:DeleteControlPolicy",
        "yundun-cloudfirewall:ModifyControlPolicy",
        _CONTROL,
    ),
    "cloudfirewall.ControlPolicyOrder": ("yundun-cloudfirewall:ModifyControlPolicyPriority", _CONTROL),
}
"""The rights for each kind of resource, by its name in the SDK."""

_EVERYTHING: Final = "*"
_UNBOUND: Final = frozenset({"cs:DescribeTaskInfo"})
"""Reads of what is no resource: a task has an id alone."""


def policy_document(*, region: str, account: str, cluster: str) -> dict[str, Any]:
    """The policy of whoever runs this: within one region of one account, and of one cluster.

    Cloud Firewall knows no resources that its rights could be bound to: its API pages name all of them, or differ.
    """
    scopes = {
        "vpc": f"acs:vpc:{region}:{account}:*",
        "ecs": f"acs:ecs:{region}:{account}:*",
        "cs": f"acs:cs:{region}:{account}:cluster/{cluster}",
    }
    actions_of: defaultdict[str, list[str]] = defaultdict(list)
    for action in sorted({action for each in ACTIONS.values() for action in each}):
        actions_of[_EVERYTHING if action in _UNBOUND else scopes.get(action.partition(":")[0], _EVERYTHING)].append(
            action
        )
    return {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": resource} for resource, actions in actions_of.items()
        ],
    }


def as_text(document: Mapping[str, Any]) -> str:
    """A document as it is given to the console or to the API."""
    return json.dumps(document, indent=2)
