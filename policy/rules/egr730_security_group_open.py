"""EGR730: a rule of the egress nodes' security groups that opens everything."""

from collections.abc import Iterator

from policy.readers.cloud.kinds import NODE_POOL, POD_NETWORKING, SECURITY_GROUP, SECURITY_GROUP_RULE
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.security_groups import GroupRule, group_owners, group_rules, groups_of, is_wide_public
from policy.reading import shown
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    groups = [groups_of(stack, owner) for owner in group_owners(stack, context)]
    handles = frozenset[str]().union(*(each.handles for each in groups))
    for rule in group_rules(stack):
        # A rule whose group cannot be followed may be of one of these.
        is_ours = not rule.groups.is_known or not handles.isdisjoint(rule.groups.handles)
        if groups and is_ours and rule.accepts:
            yield from (finding.of(rule.subject) for finding in _judge(rule))


def _judge(rule: GroupRule) -> Iterator[Finding]:
    if rule.is_egress and not rule.opens_every_port:
        return
    what = "opens all of it, on every port" if rule.is_egress else "lets all of it in"
    for node, network in rule.peers:
        if is_wide_public(network):
            yield Finding(path=node.path, message=f"{network} {what}")
    if rule.prefix_list.value not in (None, ""):
        yield Finding(path=rule.prefix_list.path, message=f"{shown(rule.prefix_list.value)}: nobody sees what is in it")


RULE = StackRule(
    id="EGR730",
    name="security-group-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE_POOL, POD_NETWORKING, SECURITY_GROUP, SECURITY_GROUP_RULE}),
    lockdown=True,
    summary="The security groups of the egress nodes and of the gateways' pods let nobody in from the internet, and "
    "out to it on the destinations' ports only.",
    why="They hold where the firewall does not: between nodes, to other networks of the VPC, and while the firewall is "
    "switched on or off. A rule for every address and port takes that away.",
    remediation="write the destinations' ports in portRange, and in cidrIp of ingress rules the ranges of those who "
    "call",
    example="""\
type: alicloud:ecs/securityGroup:SecurityGroup
urn: nodes
inputs: {vpcId: vpc-1, securityGroupName: egress, securityGroupType: enterprise}
---
type: alicloud:ecs/securityGroupRule:SecurityGroupRule
urn: https
inputs: {type: egress, policy: accept, ipProtocol: tcp, portRange: 443/443, cidrIp: 0.0.0.0/0, nicType: intranet}
propertyDependencies: {securityGroupId: [nodes]}
""",
    url="https://www.alibabacloud.com/help/en/ecs/user-guide/security-group-rules",
    source="ECS: Security group rules; API 2014-05-26: AuthorizeSecurityGroupEgress",
    check=_check,
)
