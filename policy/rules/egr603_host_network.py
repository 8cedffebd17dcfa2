"""EGR603: a pod in the node's own network, which no NetworkPolicy and no sidecar sees."""

from collections.abc import Iterator

from policy.readers.pods import POD_KINDS, pod_templates_of
from policy.reading import Reader
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for template in pod_templates_of(subject, reader):
        host_network = reader.field(template.spec, "hostNetwork")
        if reader.flag(host_network) is True:
            reader.report(host_network, "true puts the pod into the node's network")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR603",
    name="host-network",
    severity=Severity.BLOCK,
    applies_to=POD_KINDS,
    summary="No pod runs in the node's network.",
    why="Such a pod leaves with the node's address, past NetworkPolicy; Istio gives it no sidecar; and it reaches "
    "whatever listens on the node's loopback: kubelet, admin interfaces, the metadata service.",
    remediation="remove hostNetwork; a proxy that needs privileged ports gets them from its Service",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment:
        patch: {type: StrategicMerge, value: {spec: {template: {spec: {priorityClassName: edge}}}}}
""",
    url="https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods",
    source="Kubernetes: Network Policies and hostNetwork pods; istio/istio: pkg/kube/inject/inject.go, injectRequired",
    check=_check,
)
