"""EGR605: a pod that can leave its container."""

from collections.abc import Iterator

from policy.readers.containers import containers_of
from policy.readers.pods import POD_KINDS, pod_templates_of
from policy.reading import Node, Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_NAMESPACES = ("hostPID", "hostIPC")
_ESCAPES = frozenset(
    {
        "ALL",
        "BPF",
        "CHECKPOINT_RESTORE",
        "DAC_READ_SEARCH",
        "PERFMON",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_MODULE",
        "SYS_PTRACE",
        "SYS_RAWIO",
    }
)
"""Capabilities with which a process reads the node's files, loads code into its kernel, or debugs others."""


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for template in pod_templates_of(subject):
        for key in _NAMESPACES:
            flag = reader.field(template.spec, key)
            if reader.flag(flag) is True:
                reader.report(flag, "true shows the pod the node's processes")
        _judge_windows(reader, reader.field(template.spec, "securityContext"))
    for container in containers_of(subject, reader):
        context = reader.field(container, "securityContext")
        privileged = reader.field(context, "privileged")
        if reader.flag(privileged) is True:
            reader.report(privileged, "true gives the container the whole node")
        _judge_windows(reader, context)
        _judge_capabilities(reader, reader.field(context, "capabilities", "add"))
    yield from reader.findings


def _judge_windows(reader: Reader, context: Node) -> None:
    host_process = reader.field(context, "windowsOptions", "hostProcess")
    if reader.flag(host_process) is True:
        reader.report(host_process, "true runs it as a process of the node")


def _judge_capabilities(reader: Reader, added: Node) -> None:
    for item in reader.items(added):
        text = reader.text(item)
        if text is not None and text.upper().removeprefix("CAP_") in _ESCAPES:
            reader.report(item, f"{shown(text)} lets it out of its container")


RULE = ObjectRule(
    id="EGR605",
    name="privileged-pod",
    severity=Severity.BLOCK,
    applies_to=POD_KINDS,
    summary="No container is privileged, sees the node's processes or has a capability that leads out of it.",
    why="Such a container enters the node's network with one command, or takes over the sidecar beside it: "
    "NetworkPolicy, sidecar and egress gateway then no longer stand between it and the outside.",
    remediation="remove privileged, hostPID, hostIPC and these capabilities; drop ALL and add only what is needed",
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
          securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}
""",
    url="https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    source="Kubernetes: Pod Security Standards, baseline; capabilities(7)",
    check=_check,
)
