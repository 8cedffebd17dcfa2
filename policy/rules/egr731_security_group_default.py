"""EGR731: egress nodes in a security group that lets out what no rule names."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import NODE_POOL, POD_NETWORKING, SECURITY_GROUP, SECURITY_GROUP_RULE
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.security_groups import group_owners, group_rules, groups_of
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_ADVANCED: Final = "enterprise"
_ACCEPT: Final = "accept"


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    used: dict[str, Subject] = {}
    for owner in group_owners(stack, context):
        leads = groups_of(stack, owner)
        if not leads.is_known:
            yield Finding(path=_path(owner), message="leads to a security group that cannot be followed").of(owner)
        elif leads.handles == frozenset() and owner.group_kind == NODE_POOL:
            message = "is missing, so the nodes get the cluster's group, which lets everything out"
            yield Finding(path=_path(owner), message=message).of(owner)
        for handle in sorted(leads.handles):
            group = stack.find(handle)
            if group is not None:
                used[handle] = group
            elif owner.registration is not None:  # beside a manifest, nobody expects cloud resources
                message = f"{shown(handle)} is no security group of the stack, so nobody sees what it lets out"
                yield Finding(path=_path(owner), message=message).of(owner)
    closed = frozenset[str]().union(
        *(
            rule.groups.handles
            for rule in group_rules(stack)
            if rule.is_egress and not rule.accepts and rule.is_for_everything
        )
    )
    for handle, group in used.items():
        yield from (finding.of(group) for finding in _judge(group, is_closed=handle in closed))


def _judge(group: Subject, *, is_closed: bool) -> Iterator[Finding]:
    reader, whole = Reader(), root(group.whole)
    kind, inner = reader.field(whole, "securityGroupType"), reader.field(whole, "innerAccessPolicy")
    if kind.value == _ADVANCED:
        return  # closed both ways, whatever is read back as its inner policy
    if not is_closed:
        said = "is missing, which means normal" if kind.value in (None, "") else shown(kind.value)
        yield Finding(path=kind.path, message=f"{said}: what no rule names goes out")
    if inner.value in (None, "") or f"{inner.value}".lower() == _ACCEPT:
        said = shown(inner.value) if inner.value else "is missing, which means Accept"
        yield Finding(path=inner.path, message=f"{said}: everybody in the group reaches everybody else in it")


def _path(owner: Subject) -> str:
    return "securityGroupIds" if owner.group_kind == NODE_POOL else "spec.securityGroupIDs"


RULE = StackRule(
    id="EGR731",
    name="security-group-default",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE_POOL, POD_NETWORKING, SECURITY_GROUP, SECURITY_GROUP_RULE}),
    lockdown=True,
    summary="Egress nodes and gateways' pods are in security groups of the stack that drop what no rule accepts, also "
    "between their own members.",
    why="A basic security group, and the one that comes with a cluster, lets out everything that no rule drops, and "
    "its members reach each other on every port. What a group elsewhere lets out, no preview shows.",
    remediation="create a group with securityGroupType: enterprise for the pool, accept in its rules what the nodes "
    "need, and give its id in securityGroupIds",
    example="""\
type: alicloud:ecs/securityGroup:SecurityGroup
urn: nodes
inputs: {vpcId: vpc-1, securityGroupName: egress, securityGroupType: enterprise}
""",
    url="https://www.alibabacloud.com/help/en/ecs/user-guide/security-group-rules",
    source="ECS: Security group rules, Basic and enterprise security groups; API 2014-05-26: CreateSecurityGroup, "
    "ModifySecurityGroupPolicy",
    check=_check,
)
