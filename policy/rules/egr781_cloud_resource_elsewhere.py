"""EGR781: cloud resources that a template creates, or another provider's names hide, so that no rule sees them."""

from collections.abc import Iterator
from typing import Final

from policy.rule import ANY_KIND, Context, Finding, ObjectRule, Severity, Subject

_TEMPLATES: Final = frozenset(
    {
        "alicloud:compute/NestServiceInstance",
        "alicloud:oos/Execution",
        "alicloud:ros/ChangeSet",
        "alicloud:ros/Stack",
        "alicloud:ros/StackGroup",
        "alicloud:ros/StackInstance",
        "alicloud:ros/StackInstances",
    }
)
"""What creates whatever a template of Alibaba Cloud's says."""
_BRIDGED: Final = "alicloud:index"
"""The module of every resource where the Terraform provider itself is bridged (`terraform-provider`)."""
_OWN: Final = frozenset(
    {
        "MilvusInstance",
        "MscSubContract",
        "MscSubSubscription",
        "MscSubWebhook",
        "OpenApiExplorerApiMcpServer",
        "PolarDbExtension",
    }
)
"""What the package itself has in that module."""


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    if subject.group_kind in _TEMPLATES:
        yield Finding(path="", message="creates what its template says, which no program shows")
    elif subject.group == _BRIDGED and subject.ref.kind not in _OWN:
        yield Finding(path="", message="is of a bridged Terraform provider, whose resources no rule knows")


RULE = ObjectRule(
    id="EGR781",
    name="cloud-resource-elsewhere",
    severity=Severity.BLOCK,
    applies_to=frozenset({ANY_KIND}),
    summary="Resources of Alibaba Cloud are registered by the package alicloud, one by one.",
    why="A template brings a NAT gateway, an EIP or an accept with it, and to the pack it is one object without any of "
    "these. A resource of another package is not judged at all.",
    remediation="register each resource of the template with the package alicloud; keep templates that have nothing to "
    "do with the network in a stack of their own",
    example="""\
type: alicloud:vpc/switch:Switch
urn: nodes-h
inputs: {vpcId: vpc-1, cidrBlock: 172.16.8.0/24, zoneId: cn-hangzhou-h}
""",
    url="https://www.alibabacloud.com/help/en/ros/product-overview/what-is-ros",
    source="pulumi-alicloud 3.105.0: the type tokens; Resource Orchestration Service: What is ROS; Pulumi: Any "
    "Terraform provider",
    check=_check,
)
