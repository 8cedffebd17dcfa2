"""EGR612: a probe or a hook with which the kubelet connects to somebody else than the pod."""

from collections.abc import Iterator

from policy.readers.containers import containers_of
from policy.readers.pods import POD_KINDS
from policy.reading import Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_HANDLERS = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)
_ACTIONS = ("httpGet", "tcpSocket")
"""The actions with a `host`; of the others `grpc` has none, and `exec` stays in the container."""


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    # What cannot be read on the way to a container is EGR605's.
    reader = Reader()
    for container in containers_of(subject, Reader()):
        for handler in _HANDLERS:
            for action in _ACTIONS:
                host = Reader().field(container, *handler, action, "host")
                text = reader.text(host)
                if text:
                    reader.report(host, f"has the kubelet connect to {shown(text)} instead of the pod")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR612",
    name="probe-host",
    severity=Severity.BLOCK,
    applies_to=POD_KINDS,
    summary="Probes and lifecycle hooks name no host, so that the kubelet connects to the pod itself.",
    why="The kubelet connects from the node: past NetworkPolicy, sidecar and egress gateway, also to the metadata "
    "service and to the node's loopback. Whoever may write a pod then sends requests there.",
    remediation="remove `host`; to give a host name to the server, set the header Host in httpHeaders",
    example="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: apps}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx:1.29
          livenessProbe: {httpGet: {path: /healthz, port: 8080, httpHeaders: [{name: Host, value: web.example.com}]}}
""",
    url="https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    source="Kubernetes: Pod Security Standards, baseline, host probes and lifecycle hooks; core/v1, HTTPGetAction",
    check=_check,
)
