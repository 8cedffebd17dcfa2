"""EGR606: a client's pod whose traffic does not go through its sidecar."""

from collections.abc import Iterator

from policy.readers.containers import containers_of
from policy.readers.pods import WORKLOAD_KINDS, pod_templates_of
from policy.readers.sidecars import judge_container, judge_pod
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_NAMESPACE = "core/Namespace"
_ROLE = "cluster-egress/role"
_INJECTION = "istio-injection"
_MODE = "istio.io/dataplane-mode"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    if subject.group_kind == _NAMESPACE:
        _judge_namespace(reader, subject, context)
    elif _is_judged(subject, context):
        for template in pod_templates_of(subject, reader):
            judge_pod(reader, template)
        for container in containers_of(subject, reader):
            judge_container(reader, container)
    yield from reader.findings


def _is_judged(subject: Subject, context: Context) -> bool:
    """Control planes and gateways rightly have no sidecar, so settings tell the clients; without any, all are judged.

    The proxies of an EnvoyProxy are gateways wherever they run, so that kind is never judged here.
    """
    is_known = context.client_namespaces != frozenset() or context.gateway_namespaces != frozenset()
    return not is_known or subject.ref.namespace in ("", *context.client_namespaces)


def _judge_namespace(reader: Reader, subject: Subject, context: Context) -> None:
    labels = reader.field(root(subject.whole), "metadata", "labels")
    mapping = reader.mapping(labels)
    if subject.ref.name not in context.client_namespaces and mapping.get(_ROLE) != "client":
        return
    injection = reader.field(labels, _INJECTION)
    text = reader.text(injection)
    if text not in (None, "enabled"):
        reader.report(injection, f"{shown(text)} leaves its pods without a sidecar")
    mode = reader.field(labels, _MODE)
    if reader.text(mode) == "none":
        reader.report(mode, "'none' takes its pods out of the mesh")


RULE = ObjectRule(
    id="EGR606",
    name="sidecar-bypass",
    severity=Severity.BLOCK,
    applies_to=WORKLOAD_KINDS | {_NAMESPACE},
    lockdown=True,
    summary="A client's pods have a sidecar, all that they send goes through it, and it is istiod's.",
    why="REGISTRY_ONLY, the routes to the egress gateway and the client's certificate are all in the sidecar. A pod "
    "that leaves some traffic out of it, or is without one, sends that where it likes and under nobody's name.",
    remediation="remove the label, annotation or setting; declare the destination instead of excluding it",
    example="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: reader, namespace: news}
spec:
  selector: {matchLabels: {app: reader}}
  template:
    metadata:
      labels: {app: reader, sidecar.istio.io/inject: "true"}
      annotations: {proxy.istio.io/config: "holdApplicationUntilProxyStarts: true"}
    spec:
      containers: [{name: reader, image: reader:1, securityContext: {runAsUser: 10001}}]
""",
    url="https://istio.io/latest/docs/reference/config/annotations/",
    source="istio/istio: pkg/kube/inject/inject.go, injection-template.yaml, tools/istio-iptables; "
    "istio/api: annotation/annotations.gen.go, mesh/v1alpha1/proxy.proto",
    check=_check,
)
