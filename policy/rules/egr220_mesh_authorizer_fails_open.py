"""EGR220: an external authorizer of the mesh whose silence means yes."""

from collections.abc import Iterator

from policy.readers.mesh_config import MESH_CONFIG_KINDS, mesh_configs_of, mesh_field
from policy.reading import Node, Reader, as_mapping
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_AUTHORIZERS = ("envoyExtAuthzGrpc", "envoyExtAuthzHttp")


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    # A mesh configuration that cannot be read is EGR202's finding, a list of providers that cannot be is EGR100's.
    scratch = Reader()
    for mesh in mesh_configs_of(subject, scratch):
        for place in mesh.places:
            if as_mapping(place.value) is not None:
                for provider in scratch.items(mesh_field(scratch, place, "extensionProviders")):
                    _judge(reader, provider)
    yield from reader.findings


def _judge(reader: Reader, provider: Node) -> None:
    if as_mapping(provider.value) is None:
        return
    for key in _AUTHORIZERS:
        switch = mesh_field(reader, mesh_field(reader, provider, key), "failOpen")
        if reader.flag(switch) is True:
            reader.report(switch, "true lets every request pass while the authorizer does not answer")


RULE = ObjectRule(
    id="EGR220",
    name="mesh-authorizer-fails-open",
    severity=Severity.BLOCK,
    applies_to=MESH_CONFIG_KINDS,
    summary="An external authorizer of the mesh that does not answer means no.",
    why="Whoever makes the authorizer fail, by load or by a request that it cannot take, gets past it, and nobody is "
    "told.",
    remediation="leave failOpen out, and run enough of the authorizer's pods",
    example="""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: istiod, namespace: istio-system}
spec:
  chart: {spec: {chart: istiod, version: 1.31.0, sourceRef: {kind: HelmRepository, name: istio}}}
  values:
    meshConfig:
      outboundTrafficPolicy: {mode: REGISTRY_ONLY}
      extensionProviders:
        - name: judge
          envoyExtAuthzGrpc: {service: judge.security.svc.cluster.local, port: 9000, timeout: 1s}
""",
    url="https://istio.io/latest/docs/tasks/security/authorization/authz-custom/",
    source="istio/api: mesh/v1alpha1/config.proto (EnvoyExternalAuthorizationGrpcProvider, ...HttpProvider); "
    "istio/istio: pilot/pkg/security/authz/builder/extauthz.go",
    check=_check,
)
