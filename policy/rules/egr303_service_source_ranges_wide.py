"""EGR303: a load balancer whose list of callers lets everybody call."""

from collections.abc import Iterator

from policy.address_findings import is_in_private_range
from policy.facts.addresses import Network, canonical_network, is_wide, parse_network
from policy.readers.services import SERVICE_KINDS, service_templates_of
from policy.reading import Node, Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
"""The older way to say the same, with commas between the ranges."""


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for service in service_templates_of(subject, reader):
        ranges = reader.field(service.spec, "loadBalancerSourceRanges")
        _judge(reader, ranges, reader.items(ranges))
        annotation = reader.field(service.metadata, "annotations", _ANNOTATION)
        text = reader.text(annotation)
        listed = [] if text is None or text.strip() == "" else text.split(",")
        _judge(reader, annotation, [Node(value=item, path=annotation.path) for item in listed])
    yield from reader.findings


def _judge(reader: Reader, ranges: Node, items: list[Node]) -> None:
    networks = [network for item in items for network in _network(reader, item)]
    # Private callers restrict more than no list at all would, however many they are.
    if is_wide(network for network in networks if not is_in_private_range(network)):
        listed = shown(", ".join(f"{network}" for network in networks))
        reader.report(ranges, f"{listed} together are too wide")


def _network(reader: Reader, item: Node) -> Iterator[Network]:
    text = reader.text(item)
    if text is None:
        return
    try:
        # Kubernetes itself takes white space around a range (apis/core/validation).
        yield canonical_network(parse_network(text.strip()))
    except ValueError:
        reader.report(item, f"{shown(text)} is not a CIDR in its plain form")


RULE = ObjectRule(
    id="EGR303",
    name="service-source-ranges-wide",
    severity=Severity.BLOCK,
    applies_to=SERVICE_KINDS,
    summary="The public source ranges of a load balancer are narrow, together too.",
    why="A list that holds everybody reads like a restriction and is none. Reviewers trust it, and so may whoever "
    "puts a backend without a login behind it.",
    remediation="list the callers' own blocks in loadBalancerSourceRanges, or leave it out where the service is for "
    "everybody",
    example="""\
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: apps}
spec:
  type: LoadBalancer
  loadBalancerSourceRanges: [47.96.10.0/24]
  ports: [{port: 443}]
""",
    url="https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/",
    source="kubernetes/api: core/v1/types.go, annotation_key_constants.go; "
    "envoyproxy/gateway: api/v1alpha1/shared_types.go",
    check=_check,
)
