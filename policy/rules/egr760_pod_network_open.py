"""EGR760: a PodNetworking that gives addresses of the egress to other pods, or that leaves its network to defaults."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import EGRESS_KINDS, dedicated_vswitches, vswitches_of
from policy.readers.cloud.kinds import POD_NETWORKING, SWITCHES
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.pod_networking import (
    ELASTIC,
    FIXED,
    PodNetworking,
    may_select_gateways,
    named_namespaces,
    pod_networking_of,
)
from policy.readers.selectors import names_values
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import UNKNOWN, Context, Finding, Severity, StackRule, Subject

_DEFAULTED: Final = ("vSwitchOptions", "securityGroupIDs")


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    for subject in stack.each({POD_NETWORKING}):
        is_ours = may_select_gateways(subject, context) or _shares(stack, subject, context)
        yield from (finding.of(subject) for finding in _judge(subject, context, is_ours=is_ours))


def _shares(stack: CloudStack, subject: Subject, context: Context) -> bool:
    """Whether its pods get addresses of the egress; also where nobody can say."""
    vswitches = vswitches_of(stack, subject)
    return not vswitches.is_known or not vswitches.handles.isdisjoint(dedicated_vswitches(stack, context))


def _judge(subject: Subject, context: Context, *, is_ours: bool) -> Iterator[Finding]:
    reader = Reader()
    networking = pod_networking_of(subject)
    spec = reader.field(root(subject.whole), "spec")
    allocation = reader.field(spec, "allocationType", "type")
    if reader.text(allocation) not in (None, ELASTIC, FIXED):
        reader.report(allocation, f"{shown(allocation.value)} is neither {ELASTIC} nor {FIXED}")
    if is_ours:
        _judge_selectors(reader, networking, context)
    for key in _DEFAULTED:
        listed = reader.field(spec, key)
        if is_empty(listed):
            reader.report(listed, "is missing, so Terway takes what every pod has")
    yield from reader.findings


def _judge_selectors(reader: Reader, networking: PodNetworking, context: Context) -> None:
    namespaces = networking.namespaces
    if namespaces.value is UNKNOWN:
        reader.mapping(namespaces)
    elif networking.pods.value is None and namespaces.value is None:
        reader.report(namespaces, "is missing, and so is podSelector: it is for no pod at all")
    elif not _names_values(reader, namespaces):
        reader.report(namespaces, "names no namespaces by a label and its value, so other pods are selected as well")
    elif context.gateway_namespaces:
        named = named_namespaces(namespaces)
        others = None if named is None else named - context.gateway_namespaces
        if others is None:
            reader.report(namespaces, "does not name the namespaces of the gateways by kubernetes.io/metadata.name")
        elif others:
            reader.report(namespaces, f"{shown(', '.join(sorted(others)))}: no namespace of gateways")


def _names_values(reader: Reader, selector: Node) -> bool:
    return selector.value is not None and names_values(reader, selector)


RULE = StackRule(
    id="EGR760",
    name="pod-network-open",
    severity=Severity.BLOCK,
    applies_to=EGRESS_KINDS | SWITCHES,
    summary="A PodNetworking selects pods of named namespaces, and names its vSwitches and security groups. One with a "
    "vSwitch of the egress selects the gateways' namespaces only, where the settings say which.",
    why="Its pods get the addresses that firewalls outside trust. A selector without a namespace takes every pod with "
    "some label, and anybody may label their pods; an empty one takes all. Without vSwitches or groups of its own it "
    "gives the gateways the addresses and the rules of all other pods.",
    remediation="write namespaceSelector with the label kubernetes.io/metadata.name and the gateways' namespaces, and "
    "vSwitchOptions and securityGroupIDs with ids",
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
""",
    url="https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "configure-a-static-ip-address-a-separate-vswitch-and-a-separate-security-group-for-each-pod",
    source="terway: pkg/controller/webhook/mutating.go, matchOnePodNetworking and podNetworkingWebhook",
    check=_check,
)
