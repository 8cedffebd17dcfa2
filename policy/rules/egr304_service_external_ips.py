"""EGR304: a Service that takes the traffic to any address that it names."""

from collections.abc import Iterator

from policy.readers.services import SERVICE_KINDS, service_templates_of
from policy.reading import Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for service in service_templates_of(subject, reader):
        addresses = reader.field(service.spec, "externalIPs")
        texts = [text for item in reader.items(addresses) if (text := reader.text(item)) is not None]
        if texts:
            reader.report(addresses, f"takes what pods and nodes send to {shown(', '.join(texts))}")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR304",
    name="service-external-ips",
    severity=Severity.BLOCK,
    applies_to=SERVICE_KINDS,
    summary="No Service has externalIPs.",
    why="Every node sends traffic to these addresses to the Service's pods, whoever owns them: whoever may write a "
    "Service reads what others send to an outside address (CVE-2020-8554).",
    remediation="remove externalIPs; use a Service of type LoadBalancer or a Gateway",
    example="""\
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: apps}
spec:
  type: LoadBalancer
  loadBalancerSourceRanges: [47.96.10.0/24]
  ports: [{port: 443}]
""",
    url="https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#denyserviceexternalips",
    source="CVE-2020-8554; Kubernetes: admission controller DenyServiceExternalIPs",
    check=_check,
)
