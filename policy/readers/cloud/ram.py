"""RAM policies of nodes: whether whoever is on a node may open the way out.

Sources: RAM, policy elements; Cloud Firewall (yundun-cloudfirewall), VPC and ECS, RAM authorization.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from policy.readers.cloud.kinds import (
    CLUSTERS,
    NODE_POOL,
    PRINCIPAL_ATTACHMENT,
    RAM_POLICIES,
    ROLE_POLICY_ATTACHMENT,
)
from policy.readers.cloud.links import CloudStack
from policy.reading import Node, Reader, as_mapping, as_sequence, root
from policy.rule import Subject

ROLE: Final = "alicloud:ram/Role"
OPENING_ACTIONS: Final = (
    "cs:CreateClusterNodePool",
    "cs:ModifyClusterNodePool",
    "ecs:AllocatePublicIpAddress",
    "ecs:AuthorizeSecurityGroupEgress",
    "ecs:CreateInstance",
    "ecs:JoinSecurityGroup",
    "ecs:ModifyInstanceNetworkSpec",
    "ecs:ModifySecurityGroupEgressRule",
    "ecs:ModifySecurityGroupPolicy",
    "ecs:RevokeSecurityGroupEgress",
    "ecs:RunInstances",
    "eipanycast:AssociateAnycastEipAddress",
    "ess:CreateScalingConfiguration",
    "ess:ModifyScalingConfiguration",
    "ram:AttachPolicyToRole",
    "ram:AttachPolicyToUser",
    "ram:CreateAccessKey",
    "ram:CreatePolicyVersion",
    "ram:SetDefaultPolicyVersion",
    "ram:UpdateRole",
    "resourcemanager:AttachPolicy",
    "resourcemanager:CreatePolicyVersion",
    "vpc:AllocateEipAddress",
    "vpc:AllocateIpv6InternetBandwidth",
    "vpc:AssociateEipAddress",
    "vpc:AssociateRouteTable",
    "vpc:CreateForwardEntry",
    "vpc:CreateNatGateway",
    "vpc:CreateRouteEntry",
    "vpc:CreateSnatEntry",
    "vpc:DeleteIpv4Gateway",
    "vpc:DeleteRouteEntry",
    "vpc:ModifyRouteEntry",
    "vpc:ModifySnatEntry",
    "vpc:UnassociateRouteTable",
    "yundun-cloudfirewall:AddAddressBook",
    "yundun-cloudfirewall:AddControlPolicy",
    "yundun-cloudfirewall:CreateNatFirewallControlPolicy",
    "yundun-cloudfirewall:DeleteControlPolicy",
    "yundun-cloudfirewall:DeleteNatFirewallControlPolicy",
    "yundun-cloudfirewall:DeleteSecurityProxy",
    "yundun-cloudfirewall:ModifyAddressBook",
    "yundun-cloudfirewall:ModifyControlPolicy",
    "yundun-cloudfirewall:ModifyControlPolicyPosition",
    "yundun-cloudfirewall:ModifyNatFirewallControlPolicy",
    "yundun-cloudfirewall:ModifyNatFirewallControlPolicyPosition",
    "yundun-cloudfirewall:ModifyPolicyAdvancedConfig",
    "yundun-cloudfirewall:PutDisableFwSwitch",
    "yundun-cloudfirewall:SwitchSecurityProxy",
    "yundun-cloudfirewall:UpdateSecurityProxy",
)
"""What opens a way out, or changes what the firewall lets pass; reading is none of it."""
OPENING_POLICIES: Final = frozenset(
    {
        "AdministratorAccess",
        "AliyunCSFullAccess",
        "AliyunECSFullAccess",
        "AliyunEIPFullAccess",
        "AliyunESSFullAccess",
        "AliyunNATGatewayFullAccess",
        "AliyunRAMFullAccess",
        "AliyunVPCFullAccess",
        "AliyunYundunCloudFirewallFullAccess",
        "PowerUserAccess",
    }
)
"""System policies with such actions."""
_NODE_ROLES: Final = ("KubernetesWorkerRole-", "KubernetesMasterRole-")
"""As ACK calls the roles of nodes."""
_ROLE_KEYS: Final = {ROLE_POLICY_ATTACHMENT: "roleName", PRINCIPAL_ATTACHMENT: "principalName"}
_ROLE_DOMAIN: Final = "@role."
"""What stands behind the name of a role that is a principal, and before the account."""


def node_attachments(stack: CloudStack) -> Iterator[Subject]:
    """What gives policies to roles that nodes have."""
    named: set[str] = set()
    registered: set[str] = set()
    for pool in stack.each({NODE_POOL}):
        leads = stack.follow(pool, "ramRoleName", {ROLE})
        named |= {name for name in leads.handles if stack.find(name) is None}
        registered |= {handle for handle in leads.handles if stack.find(handle) is not None}
    for attachment in stack.each(_ROLE_KEYS):
        key = _ROLE_KEYS[attachment.group_kind]
        role = Reader().field(root(attachment.whole), key).value
        if isinstance(role, str):
            role = role.partition(_ROLE_DOMAIN)[0]
        leads = stack.follow(attachment, key, {ROLE})
        of_cluster = stack.follow(attachment, key, CLUSTERS).handles & {
            stack.handle_of(cluster) for cluster in stack.each(CLUSTERS)
        }
        if (
            of_cluster
            or (isinstance(role, str) and (role in named or role.startswith(_NODE_ROLES)))
            or not registered.isdisjoint(leads.handles)
        ):
            yield attachment


def policies_of(stack: CloudStack, attachment: Subject) -> Iterator[Subject]:
    """The policies of the stack that an attachment gives."""
    name = Reader().field(root(attachment.whole), "policyName").value
    handles = stack.follow(attachment, "policyName", RAM_POLICIES).handles
    for policy in stack.each(RAM_POLICIES):
        reader, whole = Reader(), root(policy.whole)
        names = [reader.field(whole, key).value for key in ("policyName", "name")]
        if stack.handle_of(policy) in handles or (isinstance(name, str) and name != "" and name in names):
            yield policy


def opening_actions(policy: Subject) -> list[str] | None:
    """The actions among `OPENING_ACTIONS` that a policy allows, sorted; `None` if it cannot be read."""
    statements = _statements(root(policy.whole))
    if statements is None:
        return None
    found: set[str] = set()
    for statement in statements:
        fields = {f"{key}".lower(): value for key, value in (as_mapping(statement) or {}).items()}
        if f"{fields.get('effect')}".lower() != "deny":
            found |= {action for action in OPENING_ACTIONS if _allows(fields, action)}
    return sorted(found)


def _allows(fields: dict[str, object], action: str) -> bool:
    for key in ("action", "actions"):
        if any(_matches(pattern, action) for pattern in _texts(fields.get(key))):
            return True
    if "notaction" in fields:
        return not any(_matches(pattern, action) for pattern in _texts(fields["notaction"]))
    return False


def _matches(pattern: str, action: str) -> bool:
    """RAM compares without regard to case; `[` is no pattern there."""
    return fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]"))


def _texts(value: object) -> list[str]:
    items = as_sequence(value)
    return [f"{each}" for each in ([value] if items is None else items) if each is not None]


def _statements(whole: Node) -> list[object] | None:
    reader = Reader()
    listed = as_sequence(reader.field(whole, "statements").value)
    if listed is not None:
        return [*listed]
    text = next((value for key in ("policyDocument", "document") if (value := reader.field(whole, key).value)), None)
    try:
        document = as_mapping(json.loads(text)) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        document = None
    if document is None:
        return None
    statement = document.get("Statement")
    items = as_sequence(statement)
    if items is None:
        return None if statement is None else [statement]
    return [*items]
