"""EGR614: a proxy that is somebody else to the cluster, or may talk to the API server."""

from collections.abc import Iterable

from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.readers.pods import proxy_workloads_of
from policy.reading import Node, Reader, as_mapping
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CONTROLLER = "envoy-gateway"  # charts/gateway-helm/templates
_ACCOUNTS = ("serviceAccountName", "serviceAccount")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    # A pod that cannot be read is EGR603's finding.
    for workload in proxy_workloads_of(subject, Reader()):
        spec = Reader().field(workload, "patch", "value", "spec", "template", "spec")
        if as_mapping(spec.value) is not None:
            _judge_pod(reader, spec)
    for proxy in proxy_specs_of(subject, Reader()):
        name = Reader().field(proxy, "provider", "kubernetes", "envoyServiceAccount", "name")
        if reader.text(name) == _CONTROLLER:
            reader.report(name, f"{_CONTROLLER} is the account of the control plane, which reads Secrets")
    return reader.findings


def _judge_pod(reader: Reader, spec: Node) -> None:
    for key in _ACCOUNTS:
        account = reader.field(spec, key)
        text = reader.text(account)
        if text:
            reader.report(account, f"{text} is another account than the one that Envoy Gateway makes for the proxies")
    mounts = reader.field(spec, "automountServiceAccountToken")
    if reader.flag(mounts) is True:
        reader.report(mounts, "true gives the proxy a token for the API server")


RULE = ObjectRule(
    id="EGR614",
    name="proxy-account",
    severity=Severity.BLOCK,
    applies_to=PROXY_KINDS,
    summary="Proxies have an account of their own, and no token for the API server.",
    why="A proxy takes requests from outside. Whoever breaks into it, or makes it serve a file, is that account: to "
    "the API server, and in a mesh to every workload that lets the account in.",
    remediation="leave serviceAccountName and automountServiceAccountToken out of the patch; to know the account's "
    "name, give it one of its own in provider.kubernetes.envoyServiceAccount",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  provider: {type: Kubernetes, kubernetes: {envoyServiceAccount: {name: edge-proxies}}}
""",
    url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    source="envoyproxy/gateway: api/v1alpha1/envoyproxy_types.go, "
    "internal/infrastructure/kubernetes/proxy/resource_provider.go",
    check=_check,
)
