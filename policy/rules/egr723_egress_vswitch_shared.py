"""EGR723: nodes, pods or instances in a vSwitch of the egress that are none of it."""

import re
from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import dedicated_vswitches, egress_instances, is_egress_pool
from policy.readers.cloud.kinds import (
    CLUSTERS,
    CONFIG_MAP,
    CONTAINER_GROUPS,
    INSTANCES,
    INTERFACES,
    NODE,
    NODE_POOL,
    POD_NETWORKING,
    PROVISIONING_GROUP,
    SCALING_GROUP,
    SWITCHES,
)
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.pod_networking import PROFILES
from policy.reading import Reader, as_mapping, root
from policy.rule import UNKNOWN, Context, Finding, Severity, StackRule, Subject

_KEYS: Final = ("vswitchId", "vswitchIds", "workerVswitchIds", "masterVswitchIds", "podVswitchIds")
_HOLDERS: Final = ("networkInterfaces", "launchTemplateConfigs")
"""What holds such ids somewhere."""
_TERWAY: Final = "eni_conf"
"""The key of Terway's configuration, for all nodes or for those with a label."""
_CONFIGURATIONS: Final = PROFILES | {"eni-config"}
_VSWITCH: Final = re.compile(r"vsw-[a-z0-9-]+")
_UNATTACHED: Final = "Available"
"""The status of an interface (ECS, API 2014-05-26: DescribeNetworkInterfaces)."""
_MACHINES: Final = CLUSTERS | CONTAINER_GROUPS | INSTANCES | INTERFACES | {NODE_POOL, PROVISIONING_GROUP, SCALING_GROUP}


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    egress, machines = dedicated_vswitches(stack, context), egress_instances(stack, context)
    for subject in stack.each(_MACHINES):
        if (subject.group_kind == NODE_POOL and is_egress_pool(subject, context)) or _is_of(subject, machines):
            continue
        if _is_unattached(subject):
            continue
        found = {key: stack.follow(subject, key, SWITCHES) for key in _KEYS}
        found |= {key: stack.follow(subject, key, SWITCHES, _ids(subject, key)) for key in _HOLDERS}
        for key, leads in found.items():
            if not egress.isdisjoint(leads.handles):
                yield Finding(path=key, message="is a vSwitch of the egress, so it leaves like a gateway").of(subject)
    for subject in stack.each({CONFIG_MAP}):
        if not egress.isdisjoint(_configured(stack, subject)):
            message = "puts pods into a vSwitch of the egress, so they leave like gateways"
            yield Finding(path="data", message=message).of(subject)


def _is_of(subject: Subject, machines: frozenset[str]) -> bool:
    """Whether it is an egress node as the cloud shows it, or an interface of one."""
    whole = as_mapping(subject.whole) or {}
    return subject.registration is None and not machines.isdisjoint(
        {f"{whole.get(key)}" for key in ("id", "instanceId")}
    )


def _is_unattached(subject: Subject) -> bool:
    """Whether it is an interface that the cloud shows on nothing, so that nothing is sent from it.

    One in use without an instance is a cloud service's.
    """
    whole = as_mapping(subject.whole) or {}
    is_shown = subject.registration is None and subject.group_kind in INTERFACES
    return is_shown and whole.get("instanceId") in (None, "") and whole.get("status") == _UNATTACHED


def _ids(subject: Subject, key: str) -> list[object]:
    return [*_VSWITCH.findall(f"{Reader().field(root(subject.whole), key).value}")]


def _configured(stack: CloudStack, subject: Subject) -> frozenset[str]:
    """The vSwitches that a ConfigMap tells Terway, or virtual nodes, to take."""
    data = as_mapping(Reader().field(root(subject.whole), "data").value) or {}
    if subject.ref.name not in _CONFIGURATIONS and _TERWAY not in data:
        return frozenset()
    texts = [value for value in data.values() if isinstance(value, str)]
    ids: list[object] = [found for text in texts for found in _VSWITCH.findall(text)]
    unknown = [value for value in data.values() if value is UNKNOWN]
    return stack.follow(subject, "data", SWITCHES, [*ids, *unknown]).handles


RULE = StackRule(
    id="EGR723",
    name="egress-vswitch-shared",
    severity=Severity.BLOCK,
    applies_to=_MACHINES | SWITCHES | {CONFIG_MAP, NODE, POD_NETWORKING},
    summary="In the vSwitches of the egress there are egress nodes and the gateways' pods, and nothing else.",
    why="An SNAT entry is for everything in its vSwitch. Workers, instances or other pods in it leave with the "
    "addresses that firewalls outside trust, and Cloud Firewall takes them for gateways.",
    remediation="give it vSwitches of its own, without an SNAT entry",
    example="""\
apiVersion: network.alibabacloud.com/v1beta1
kind: PodNetworking
metadata: {name: egress}
spec:
  allocationType: {type: Elastic}
  selector:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: istio-egress}}
  vSwitchOptions: [vsw-1, vsw-2]
  securityGroupIDs: [sg-1]
---
type: alicloud:ecs/instance:Instance
urn: bastion
inputs: {instanceName: bastion, vswitchId: vsw-9}
""",
    url="https://www.alibabacloud.com/help/en/nat-gateway/user-guide/create-and-manage-internet-nat-gateways",
    source="VPC, API 2016-04-28: CreateSnatEntry, SourceVSwitchId; terway: docs/dynamic-config.md; ECI and ACS: "
    "eci-profile, acs-profile",
    check=_check,
)
