"""EGR770: a role of nodes that may open a way out, or change what the firewall lets pass."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import (
    CLUSTERS,
    NODE_POOL,
    PRINCIPAL_ATTACHMENT,
    RAM_POLICIES,
    ROLE_POLICY_ATTACHMENT,
)
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.ram import OPENING_POLICIES, ROLE, node_attachments, opening_actions, policies_of
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_SYSTEM: Final = "System"


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    given: dict[Subject, None] = {}
    for attachment in node_attachments(stack):
        name = Reader().field(root(attachment.whole), "policyName")
        if isinstance(name.value, str) and name.value in OPENING_POLICIES:
            message = f"{name.value} lets every pod that reaches the node's credentials open a way out"
            yield Finding(path=name.path, message=message).of(attachment)
            continue
        shown_here = [*policies_of(stack, attachment)]
        given |= dict.fromkeys(shown_here)
        if not shown_here and Reader().field(root(attachment.whole), "policyType").value != _SYSTEM:
            message = f"{shown(name.value)} is no policy of the stack, so nobody sees what it allows nodes"
            yield Finding(path=name.path, message=message).of(attachment)
        elif not shown_here and not isinstance(name.value, str):
            yield Finding(path=name.path, message="is not known, so nobody sees what it allows nodes").of(attachment)
    for policy in given:
        yield from (finding.of(policy) for finding in _judge(policy))


def _judge(policy: Subject) -> Iterator[Finding]:
    actions = opening_actions(policy)
    if actions is None:
        yield Finding(path="policyDocument", message="cannot be read, so nobody knows what nodes may do")
    elif actions:
        more = f" and {len(actions) - 1} more" if len(actions) > 1 else ""
        yield Finding(path="policyDocument", message=f"allows nodes {actions[0]}{more}, with which a way out is opened")


RULE = StackRule(
    id="EGR770",
    name="node-may-open",
    severity=Severity.BLOCK,
    applies_to=CLUSTERS | RAM_POLICIES | {NODE_POOL, PRINCIPAL_ATTACHMENT, ROLE, ROLE_POLICY_ATTACHMENT},
    summary="The roles of nodes may neither change Cloud Firewall, nor give out public addresses, NAT or routes.",
    why="The metadata service gives a node's credentials to whoever asks from the node. With these actions one "
    "request puts an EIP on a pod, an SNAT entry beside the egress, or an accept before the last policy.",
    remediation="leave yundun-cloudfirewall, EIP, NAT, route and public address actions out; give a controller that "
    "needs them a role of its own through RRSA",
    example="""\
type: alicloud:ram/policy:Policy
urn: logs
inputs:
  policyName: node-logs
  policyDocument: >-
    {"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["log:PostLogStoreLogs"], "Resource": ["*"]}]}
---
type: alicloud:ram/rolePolicyAttachment:RolePolicyAttachment
urn: logs-of-nodes
inputs: {policyName: node-logs, policyType: Custom, roleName: KubernetesWorkerRole-1}
""",
    url="https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/use-custom-worker-ram-roles",
    source="ACK: Use custom worker RAM roles; RAM: policy elements; Cloud Firewall, VPC, ECS: RAM authorization",
    check=_check,
)
