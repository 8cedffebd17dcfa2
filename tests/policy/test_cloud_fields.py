"""What must be known of cloud resources in a preview: the table of fields, row by row, against literal lists."""

from typing import Any, cast

import pytest

from policy.readers.cloud.fields import FIELD_KINDS, unreadable_fields
from policy.rule import UNKNOWN, Registration
from policy.subjects import subjects_of_resource

POLICY = {
    "aclAction": "accept",
    "proto": "TCP",
    "sourceType": "net",
    "destinationType": "domain",
    "destination": "edition.cnn.com",
    "destPortType": "port",
    "destPort": "443/443",
    "destPortGroup": "ports",
    "applicationNameLists": ["HTTPS"],
    "release": "true",
    "repeatType": "Permanent",
}
PUBLIC = {"internetMaxBandwidthOut": 0, "allocatePublicIp": False}
CLUSTER = {"newNatGateway": False, "addons": [{"name": "metrics-server"}]}
PUBLISHED = {"routeDest": "10.0.0.0/8", "publishVpc": True}
POD = {"autoCreateEip": False, "enablePublicNetwork": False}
JUDGED: dict[str, dict[str, Any]] = {
    "cloudfirewall/natFirewall:NatFirewall": {
        "strictMode": 1,
        "status": "normal",
        "firewallSwitch": "open",
        "natRouteEntryLists": [{"destinationCidr": "0.0.0.0/0", "nexthopType": "NatGateway"}],
    },
    "cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy": {
        **POLICY,
        "direction": "out",
        "ipVersion": "4",
        "domainResolveType": 0,
        "newOrder": "1",
    },
    "cloudfirewall/controlPolicy:ControlPolicy": {
        **POLICY,
        "direction": "out",
        "ipVersion": "4",
        "domainResolveType": "FQDN",
        "applicationName": "HTTPS",
    },
    "cloudfirewall/controlPolicyOrder:ControlPolicyOrder": {"order": 1},
    "cloudfirewall/addressBook:AddressBook": {"groupType": "ip", "groupName": "a"},
    "cloudfirewall/policyAdvancedConfig:PolicyAdvancedConfig": {"internetSwitch": "on"},
    "vpc/natGateway:NatGateway": {"networkType": "internet", "deletionProtection": True},
    "ecs/eipAddress:EipAddress": {"deletionProtection": True},
    "ecs/eip:Eip": {"deletionProtection": True},
    "ecs/eipSegmentAddress:EipSegmentAddress": {"deletionProtection": True},
    "ecs/eipAssociation:EipAssociation": {"instanceType": "Nat"},
    "eipanycast/anycastEipAddressAttachment:AnycastEipAddressAttachment": {"bindInstanceType": "SlbInstance"},
    "vpc/forwardEntry:ForwardEntry": {"externalPort": "443", "internalPort": "443", "ipProtocol": "tcp"},
    "vpc/routeEntry:RouteEntry": {"destinationCidrblock": "0.0.0.0/0", "nexthopType": "NatGateway"},
    "vpc/vPCRouteEntry:VPCRouteEntry": {
        "destinationCidrBlock": "0.0.0.0/0",
        "nexthopType": "NatGateway",
        "nextHops": [{"nexthopType": "NatGateway"}],
    },
    "vpc/ipv4Gateway:Ipv4Gateway": {"enabled": True, "internetMode": "private"},
    "ecs/securityGroup:SecurityGroup": {"securityGroupType": "enterprise", "innerAccessPolicy": "Drop"},
    "ecs/securityGroupRule:SecurityGroupRule": {
        "type": "egress",
        "policy": "accept",
        "ipProtocol": "tcp",
        "portRange": "443/443",
        "cidrIp": "47.96.10.20/32",
        "ipv6CidrIp": "::1/128",
    },
    "cs/nodePool:NodePool": {
        "internetMaxBandwidthOut": 0,
        "scalingConfig": {"isBondEip": False},
        "systemDiskEncrypted": True,
        "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
        "labels": [{"key": "a", "value": "b"}],
        "dataDisks": [{"encrypted": "true"}],
        "multiAzPolicy": "BALANCE",
        "instanceMetadataOptions": {"httpTokens": "required"},
        "spotStrategy": "NoSpot",
    },
    "cs/managedKubernetes:ManagedKubernetes": CLUSTER,
    "cs/kubernetes:Kubernetes": CLUSTER,
    "cs/serverlessKubernetes:ServerlessKubernetes": CLUSTER,
    "cs/edgeKubernetes:EdgeKubernetes": CLUSTER,
    "cs/kubernetesAddon:KubernetesAddon": {"name": "metrics-server"},
    "servicemesh/serviceMesh:ServiceMesh": {
        "meshConfig": {"outboundTrafficPolicy": "REGISTRY_ONLY", "includeIpRanges": "*"}
    },
    "vpc/switch:Switch": {"enableIpv6": False},
    "vpc/subnet:Subnet": {"enableIpv6": False},
    "vpn/routeEntry:RouteEntry": PUBLISHED,
    "vpn/pbrRouteEntry:PbrRouteEntry": PUBLISHED,
    "vpn/gatewayVcoRoute:GatewayVcoRoute": PUBLISHED,
    "cen/childInstanceRouteEntryToAttachment:ChildInstanceRouteEntryToAttachment": {
        "destinationCidrBlock": "10.0.0.0/8"
    },
    "ram/rolePolicyAttachment:RolePolicyAttachment": {"policyType": "Custom"},
    "resourcemanager/policyAttachment:PolicyAttachment": {"policyType": "Custom"},
    "ecs/instance:Instance": PUBLIC,
    "ecs/ecsInstanceSet:EcsInstanceSet": PUBLIC,
    "ecs/ecsLaunchTemplate:EcsLaunchTemplate": PUBLIC,
    "ecs/launchTemplate:LaunchTemplate": PUBLIC,
    "ess/scalingConfiguration:ScalingConfiguration": PUBLIC,
    "eci/containerGroup:ContainerGroup": POD,
    "eci/virtualNode:VirtualNode": POD,
    "ess/eciScalingConfiguration:EciScalingConfiguration": POD,
}
"""By type: every judged field, with a value that is in order."""
WORDS = {
    "cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy": {
        "aclAction": {"accept", "drop", "log"},
        "proto": {"ANY", "TCP", "UDP", "ICMP"},
        "direction": {"out"},
        "sourceType": {"net", "group", "location"},
        "destinationType": {"net", "group", "domain", "location"},
        "destPortType": {"port", "group"},
        "ipVersion": {"4"},
        "release": {"true", "false"},
        "repeatType": {"Permanent", "None", "Daily", "Weekly", "Monthly"},
    },
    "cloudfirewall/controlPolicy:ControlPolicy": {
        "direction": {"in", "out"},
        "ipVersion": {"4", "6"},
        "domainResolveType": {"FQDN", "DNS", "FQDN_AND_DNS"},
    },
    "cloudfirewall/addressBook:AddressBook": {
        "groupType": {"ip", "ipv6", "domain", "port", "tag", "asset", "assetIpv6"}
    },
    "cloudfirewall/policyAdvancedConfig:PolicyAdvancedConfig": {"internetSwitch": {"on", "off"}},
    "vpc/natGateway:NatGateway": {"networkType": {"internet", "intranet"}},
    "ecs/securityGroupRule:SecurityGroupRule": {"type": {"ingress", "egress"}, "policy": {"accept", "drop"}},
    "ram/rolePolicyAttachment:RolePolicyAttachment": {"policyType": {"Custom", "System"}},
    "resourcemanager/policyAttachment:PolicyAttachment": {"policyType": {"Custom", "System"}},
}


def _unreadable(token: str, inputs: dict[str, Any]) -> list[tuple[str, str]]:
    [subject] = subjects_of_resource(f"alicloud:{token}", inputs, Registration(urn="x"))
    return [(found.path, found.message) for found in unreadable_fields(subject)]


def _changed(value: Any, new: object) -> list[tuple[str, Any]]:
    """`value` with `new` in the place of each value in it, one at a time, and the path to it."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return [
            (f".{key}{path}", fields | {key: inner})
            for key, each in fields.items()
            for path, inner in _changed(each, new)
        ]
    if isinstance(value, list):
        return [(f"[0]{path}", [inner]) for path, inner in _changed(value[0], new)]
    return [("", new)]


def test_every_kind_is_tested() -> None:
    """Guards against a row that is not tested here, and against a kind that no resource has."""
    kinds = {f"alicloud:{token.partition('/')[0]}/{token.rpartition(':')[2]}" for token in JUDGED}
    assert kinds == FIELD_KINDS


@pytest.mark.parametrize("token", JUDGED)
def test_a_judged_field_must_be_known(token: str) -> None:
    """Guards against a value that opens a way out and that only the update knows."""
    assert _unreadable(token, JUDGED[token]) == []
    assert _unreadable(token, {}) == []
    for path, inputs in _changed(JUDGED[token], UNKNOWN):
        assert _unreadable(token, inputs) == [(path[1:], "is not known before the update, so it cannot be judged")]


@pytest.mark.parametrize("token", JUDGED)
def test_a_judged_field_has_its_type(token: str) -> None:
    """Guards against a text where a rule compares with a number, and a number where it compares with a text."""
    wrong: object
    for path, right in _leaves(JUDGED[token]):
        for wrong in ("1", 1.5, True, 3, {"a": 1}):
            inputs = dict(_changed(JUDGED[token], wrong))[path]
            expected = type(wrong) is type(right) and _is_word(token, path, wrong)
            assert (_unreadable(token, inputs) == []) is expected, (path, wrong)


def _leaves(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return [(f".{key}{path}", leaf) for key, each in fields.items() for path, leaf in _leaves(each)]
    return [(f"[0]{path}", leaf) for path, leaf in _leaves(value[0])] if isinstance(value, list) else [("", value)]


def _is_word(token: str, path: str, value: object) -> bool:
    words = _words(token).get(path[1:])
    return words is None or value in words


def _words(token: str) -> dict[str, set[str]]:
    own = WORDS.get(token, {})
    shared = (
        WORDS["cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy"] if "ontrolPolicy:" in token else {}
    )
    return {key: words for key, words in (shared | own).items() if key != "domainResolveType" or "/control" in token}


@pytest.mark.parametrize("token", WORDS)
def test_words_are_those_of_the_api(token: str) -> None:
    """Guards against a word that the API refuses in the middle of an update, and against refusing one that it takes."""
    for key, words in _words(token).items():
        for word in words:
            assert _unreadable(token, JUDGED[token] | {key: word}) == []
            [(path, message)] = _unreadable(token, JUDGED[token] | {key: f"{word}s"})
            assert (path, message) == (key, f"'{word}s' is none of {', '.join(sorted(words))}")
