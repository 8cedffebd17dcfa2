"""Elastic Compute Service, API 2014-05-26: security groups and their rules."""

import re
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network
from typing import Final, Literal

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf, Tags, Uses
from tests.engine.alibaba.vpc.networks import Networks

Direction = Literal["ingress", "egress"]
_PROTOCOLS: Final = {"TCP", "UDP", "ICMP", "GRE", "ALL"}
_WITHOUT_PORTS: Final = {"ICMP", "GRE", "ALL"}
_ALL_PORTS: Final = "-1/-1"
_MOST_RULES: Final = 1000
"""Of an elastic network interface, both ways (AuthorizeSecurityGroup); here of a group."""


@dataclass(kw_only=True)
class Rule:
    """A rule of a group."""

    id: str
    direction: Direction
    protocol: str
    ports: str
    cidr: str
    policy: str
    priority: int
    description: str

    def says(self, other: "Rule") -> bool:
        """Whether both are one rule to the API, which compares all but id and description."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("direction", "protocol", "ports", "cidr", "policy", "priority")
        )


@dataclass(kw_only=True)
class SecurityGroup:
    """A group; of the kind `enterprise` it lets nothing pass without a rule."""

    id: str
    vpc: str
    kind: str
    name: str
    description: str
    rules: list[Rule] = field(default_factory=list[Rule])


class EcsProduct:
    """The security groups of the account."""

    def __init__(self, *, networks: Networks, ids: Ids, uses: Uses, tags: Tags) -> None:
        self.groups: Shelf[SecurityGroup] = Shelf("InvalidSecurityGroupId.NotFound")
        self._networks, self._ids, self._uses, self._tags = networks, ids, uses, tags

    def actions(self) -> Actions:
        """The calls."""
        return {
            "CreateSecurityGroup": self._create,
            "DescribeSecurityGroups": self._describe,
            "DescribeSecurityGroupAttribute": self._describe_rules,
            "ModifySecurityGroupAttribute": self._modify,
            "DeleteSecurityGroup": self._delete,
            "AuthorizeSecurityGroup": partial(self._authorize, direction="ingress"),
            "AuthorizeSecurityGroupEgress": partial(self._authorize, direction="egress"),
            "ModifySecurityGroupRule": partial(self._describe_anew, direction="ingress"),
            "ModifySecurityGroupEgressRule": partial(self._describe_anew, direction="egress"),
            "RevokeSecurityGroup": partial(self._revoke, direction="ingress"),
            "RevokeSecurityGroupEgress": partial(self._revoke, direction="egress"),
        }

    def _create(self, p: Parameters) -> Answer:
        group = SecurityGroup(
            id=self._ids.new("sg"),
            vpc=self._networks.vpcs[p["VpcId"]].id,
            kind=p.get("SecurityGroupType", "normal"),
            name=p.get("SecurityGroupName"),
            description=p.get("Description"),
        )
        self.groups.put(group.id, group)
        self._tags.add(group.id, p)
        return {"SecurityGroupId": group.id}

    def _describe(self, p: Parameters) -> Answer:
        return {
            "SecurityGroups": {"SecurityGroup": [self._shown(each) for each in self.groups.read(p["SecurityGroupId"])]}
        }

    def _shown(self, group: SecurityGroup) -> Answer:
        return {
            "SecurityGroupId": group.id,
            "SecurityGroupName": group.name,
            "SecurityGroupType": group.kind,
            "Description": group.description,
            "VpcId": group.vpc,
            "ResourceGroupId": "rg-default",
            "CreationTime": "2026-11-23T00:00:00Z",
            "Tags": self._tags.of_group(group.id),
        }

    def _describe_rules(self, p: Parameters) -> Answer:
        group = self.groups[p["SecurityGroupId"]]
        wanted = {p.get("Direction") or "all"}
        rules = [each for each in group.rules if wanted & {"all", each.direction}]
        return {
            "SecurityGroupId": group.id,
            "SecurityGroupName": group.name,
            "Description": group.description,
            "VpcId": group.vpc,
            "InnerAccessPolicy": "Drop" if group.kind == "enterprise" else "Accept",
            "Permissions": {"Permission": [_shown_rule(each) for each in rules]},
        }

    def _modify(self, p: Parameters) -> Answer:
        group = self.groups[p["SecurityGroupId"]]
        group.name = p.get("SecurityGroupName", group.name)
        group.description = p.get("Description", group.description)
        return {}

    def _delete(self, p: Parameters) -> Answer:
        group = self.groups[p["SecurityGroupId"]]
        if users := self._uses.of(group.id):  # DeleteSecurityGroup: not one with instances; the plugin waits for it
            raise Refused("DependencyViolation", f"The group is used by {', '.join(users)}.", status=403)
        self.groups.take(group.id)
        return {}

    def _authorize(self, p: Parameters, *, direction: Direction) -> Answer:
        """A rule that is there already is no error, and is not added again (AuthorizeSecurityGroup)."""
        group = self.groups[p["SecurityGroupId"]]
        for each in p.parts("Permissions"):
            rule = self._rule(each, direction)
            if any(each.says(rule) for each in group.rules):
                continue
            if len(group.rules) >= _MOST_RULES:
                raise Refused("AuthorizationLimitExceed", "The group's limit of rules is reached.", status=403)
            group.rules.append(rule)
        return {}

    def _describe_anew(self, p: Parameters, *, direction: Direction) -> Answer:
        wanted = self._rule(p, direction)
        for each in self.groups[p["SecurityGroupId"]].rules:
            if each.says(wanted):
                each.description = wanted.description
        return {}

    def _revoke(self, p: Parameters, *, direction: Direction) -> Answer:
        """A rule that is not there is no error (RevokeSecurityGroup)."""
        group, wanted = self.groups[p["SecurityGroupId"]], self._rule(p, direction)
        group.rules = [each for each in group.rules if not each.says(wanted)]
        return {}

    def _rule(self, p: Parameters, direction: Direction) -> Rule:
        """With the codes of AuthorizeSecurityGroup."""
        protocol, ports, policy = p["IpProtocol"].upper(), p["PortRange"], p.get("Policy", "accept").capitalize()
        if protocol not in _PROTOCOLS:
            raise Refused("InvalidIpProtocol.ValueNotSupported", "IpProtocol is TCP, UDP, ICMP, GRE or All.")
        if (protocol in _WITHOUT_PORTS) != (ports == _ALL_PORTS) or not _is_port_range(ports):
            raise Refused("InvalidIpProtocol.Malformed", 'The specified parameter "PortRange" is not valid.')
        if policy not in {"Accept", "Drop"}:
            raise Refused("InvalidPolicy.Malformed", 'The specified parameter "Policy" is not valid.')
        if not 1 <= int(p.get("Priority", "1")) <= 100:
            raise Refused("InvalidPriority.ValueNotSupported", "The parameter Priority is invalid.")
        if p.get("NicType", "intranet") != "intranet":
            raise Refused("InvalidNicType.ValueNotSupported", "The specified NicType is not valid.")
        return Rule(
            id=self._ids.new("sgr"),
            direction=direction,
            protocol=protocol,
            ports=ports,
            cidr=_cidr(p, "SourceCidrIp" if direction == "ingress" else "DestCidrIp"),
            policy=policy,
            priority=int(p.get("Priority", "1")),
            description=p.get("Description"),
        )


def _is_port_range(text: str) -> bool:
    if text == _ALL_PORTS:
        return True
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    return match is not None and 1 <= int(match[1]) <= int(match[2]) <= 65535


def _cidr(p: Parameters, name: str) -> str:
    if not p.get(name):
        raise Refused("MissingParameter", f"{name} must be specified.", status=403)
    try:
        return str(IPv4Network(p[name]))
    except ValueError:
        raise Refused(f"Invalid{name}.Malformed", f'The specified parameter "{name}" is not valid.') from None


def _shown_rule(rule: Rule) -> Answer:
    side = "SourceCidrIp" if rule.direction == "ingress" else "DestCidrIp"
    return {
        "SecurityGroupRuleId": rule.id,
        "Direction": rule.direction,
        "IpProtocol": rule.protocol,
        "PortRange": rule.ports,
        "Policy": rule.policy,
        "Priority": str(rule.priority),
        "NicType": "intranet",
        "Description": rule.description,
        side: rule.cidr,
    }
