"""EGR609: a proxy that mounts something of its node."""

from collections.abc import Iterator

from policy.readers.envoy_gateway_config import PROXY_KINDS
from policy.readers.host_paths import host_paths_of
from policy.reading import Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    for mounted in host_paths_of(subject, Reader()):
        if mounted.owner is None and not mounted.owners_within:
            yield Finding(path=mounted.node.path, message=f"{shown(mounted.path)} is a path of the node")


RULE = ObjectRule(
    id="EGR609",
    name="proxy-host-path",
    severity=Severity.WARN,
    applies_to=PROXY_KINDS,
    summary="No proxy mounts a path of its node, whatever it is.",
    why="A proxy is reached from outside and serves files and sockets by its configuration: what it mounts it may "
    "give away. On a node that somebody else set up, nobody knows what lies there.",
    remediation="mount a ConfigMap, a Secret or an emptyDir instead",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment:
        pod: {volumes: [{name: authorities, configMap: {name: authorities}}]}
""",
    url="https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
    source="Kubernetes: Volumes, hostPath; envoyproxy/gateway: api/v1alpha1/shared_types.go",
    check=_check,
)
