"""EGR762: a PodNetworking without a vSwitch in a zone of the egress nodes."""

from collections.abc import Iterator

from policy.readers.cloud.egress_network import egress_networkings, egress_pools, vswitches_of, zone_of
from policy.readers.cloud.kinds import NODE_POOL, POD_NETWORKING, SWITCHES
from policy.readers.cloud.links import CloudStack
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    nodes = {
        zone
        for pool in egress_pools(stack, context)
        for vswitch in vswitches_of(stack, pool).handles
        if (zone := zone_of(stack, vswitch)) is not None
    }
    for networking in egress_networkings(stack, context):
        vswitches = vswitches_of(stack, networking)
        pods = {zone_of(stack, vswitch) for vswitch in vswitches.handles}
        if not vswitches.is_known:
            message = "leads to a vSwitch that cannot be followed"
            yield Finding(path="spec.vSwitchOptions", message=message).of(networking)
        elif None not in pods:  # of vSwitches from elsewhere nobody sees the zone here
            for zone in sorted(nodes - pods):
                message = f"has no vSwitch in {zone}, where there are egress nodes"
                yield Finding(path="spec.vSwitchOptions", message=message).of(networking)


RULE = StackRule(
    id="EGR762",
    name="pod-network-zone-missing",
    severity=Severity.BLOCK,
    applies_to=SWITCHES | {NODE_POOL, POD_NETWORKING},
    summary="A PodNetworking of the gateways has a vSwitch in each zone of the egress nodes.",
    why="On a node in another zone Terway takes the vSwitch of the node: the gateway's pod leaves with an address that "
    "no firewall outside knows, in one zone only, and often after a failure of another.",
    remediation="give the vSwitch for pods of each zone in vSwitchOptions",
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
    "increase-pod-vswitches-in-a-terway-cluster",
    source="ACK: Modify the vSwitch for Pods; terway: pkg/controller/webhook/mutating.go",
    check=_check,
)
