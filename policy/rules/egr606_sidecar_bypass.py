"""EGR606: a client's pod whose traffic does not go through its sidecar."""

from collections import defaultdict
from collections.abc import Iterator

from policy.readers.pods import WORKLOAD_KINDS, pod_templates_of
from policy.readers.sidecars import judge_pod
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_NAMESPACE = "core/Namespace"
_ROLE = "cluster-egress/role"
_CLIENT = "client"
_INJECTION = "istio-injection"
_REVISION = "istio.io/rev"
_MODE = "istio.io/dataplane-mode"


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    namespaces: defaultdict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        if subject.group_kind == _NAMESPACE:
            namespaces[subject.ref.name].append(subject)
    labelled = {name for name, those in namespaces.items() if any(_label(each, _ROLE) == _CLIENT for each in those)}
    clients = context.client_namespaces | labelled
    for subject in subjects:
        reader = Reader()
        if subject.group_kind == _NAMESPACE:
            if subject.ref.name in clients:
                _judge_namespace(reader, subject, namespaces[subject.ref.name])
        else:
            _judge_pods(reader, subject, clients, context)
        yield from (finding.of(subject) for finding in reader.findings)


def _judge_pods(reader: Reader, subject: Subject, clients: frozenset[str], context: Context) -> None:
    """Judge everything of a client's pods, and of every other pod what no pod ordinarily does.

    The proxies of an EnvoyProxy are gateways wherever they run, so that kind is never judged here.
    """
    is_client = clients != frozenset() and subject.ref.namespace in ("", *clients)
    if not is_client and subject.ref.namespace in context.gateway_namespaces:
        return
    for template in pod_templates_of(subject):
        judge_pod(reader, template, is_client=is_client)


def _judge_namespace(reader: Reader, subject: Subject, same_name: list[Subject]) -> None:
    labels = reader.field(root(subject.whole), "metadata", "labels")
    injection = reader.field(labels, _INJECTION)
    text = reader.text(injection)
    if text not in (None, "enabled"):
        reader.report(injection, f"{shown(text)} leaves its pods without a sidecar")
    mode = reader.field(labels, _MODE)
    if reader.text(mode) == "none":
        reader.report(mode, "'none' takes its pods out of the mesh")
    # A namespace and the patch that adds to its labels are two objects of one name.
    if reader.findings == [] and not any(_is_in_mesh(each) for each in same_name):
        reader.report(labels, f"has none of {_INJECTION}, {_REVISION} and {_MODE}, so its pods are in no mesh")


def _is_in_mesh(namespace: Subject) -> bool:
    return (
        _label(namespace, _INJECTION) == "enabled"
        or _label(namespace, _REVISION) not in (None, "")
        or _label(namespace, _MODE) == "ambient"
    )


def _label(namespace: Subject, key: str) -> object:
    return Reader().field(root(namespace.whole), "metadata", "labels", key).value


RULE = StackRule(
    id="EGR606",
    name="sidecar-bypass",
    severity=Severity.BLOCK,
    applies_to=WORKLOAD_KINDS | {_NAMESPACE},
    lockdown=True,
    summary="A client's namespace is in the mesh, its pods have a sidecar, all that they send goes through it, and it "
    "is istiod's. Where no client namespace is known, no pod keeps traffic from its sidecar, or has it ask a stranger.",
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
