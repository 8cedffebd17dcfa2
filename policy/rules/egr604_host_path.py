"""EGR604: a mount of the node that gives away the node, or the cluster."""

from collections.abc import Iterator

from policy.readers.host_paths import HOST_PATH_KINDS, host_paths_of
from policy.reading import Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_SHOWN = 2


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for mounted in host_paths_of(subject, reader):
        within = mounted.owners_within
        if mounted.owner is not None:
            reader.report(mounted.node, f"{shown(mounted.path)} belongs to {mounted.owner}")
        elif within:
            more = f" and {len(within) - _SHOWN} more" if len(within) > _SHOWN else ""
            message = f"{shown(mounted.path)} holds what belongs to {', '.join(within[:_SHOWN])}{more}"
            reader.report(mounted.node, message)
    yield from reader.findings


RULE = ObjectRule(
    id="EGR604",
    name="host-path",
    severity=Severity.BLOCK,
    applies_to=HOST_PATH_KINDS,
    summary="No pod mounts a container runtime's socket, another agent's folder or the node's keys, nor a folder "
    "that holds one of them; none can write to what the node runs. The same goes for volumes that an annotation adds.",
    why="Whoever reaches containerd's or Docker's socket starts any container on the node, in the node's network: "
    "past NetworkPolicy, sidecar and gateway. A Backend of type unix can lead there without any shell in the pod. "
    "Containers' output that an agent mounts to read, /tmp and a few single devices are ordinary, but not in a proxy.",
    remediation="mount an emptyDir, a ConfigMap or a Secret; for a socket between two containers of a pod an emptyDir",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment:
        pod: {volumes: [{name: ext-proc, emptyDir: {}}]}
""",
    url="https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
    source="Kubernetes: Volumes, hostPath; Pod Security Standards; FHS 3.0",
    check=_check,
)
