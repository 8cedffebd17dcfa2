"""EGR205: mutual TLS switched off inside the mesh, so that nobody there knows whom it talks to."""

from collections.abc import Iterator

from policy.facts.names import DEFAULT_CLUSTER_DOMAIN
from policy.readers.destination_rules import DESTINATION_RULE, tls_settings_of
from policy.readers.mesh_config import MESH_CONFIG_KINDS, mesh_configs_of, mesh_field
from policy.readers.mesh_hosts import is_in_cluster
from policy.reading import Node, Reader, as_mapping, join, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_PEER_AUTHENTICATION = "security.istio.io/PeerAuthentication"
_PEER_MODES = frozenset({"UNSET", "PERMISSIVE", "STRICT"})
_DISABLE = "DISABLE"
_API_SERVER = "kubernetes.default.svc"
"""No pod: it has no sidecar, and clients speak TLS with it themselves."""


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    whole = root(subject.whole)
    if subject.group_kind == _PEER_AUTHENTICATION:
        _judge_peers(reader, reader.field(whole, "spec"))
    elif subject.group_kind == DESTINATION_RULE:
        _judge_destination(reader, reader.field(whole, "spec"), context)
    else:
        # A mesh configuration that cannot be read is EGR202's finding.
        for mesh in mesh_configs_of(subject, Reader()):
            for place in mesh.places:
                if as_mapping(place.value) is None:
                    continue
                automatic = mesh_field(reader, place, "enableAutoMtls")
                if reader.flag(automatic) is False:
                    reader.report(automatic, "false sends plain text wherever no DestinationRule says otherwise")
    yield from reader.findings


def _judge_peers(reader: Reader, spec: Node) -> None:
    _judge_mode(reader, reader.field(spec, "mtls", "mode"))
    ports = reader.field(spec, "portLevelMtls")
    for key, value in reader.mapping(ports).items():
        _judge_mode(reader, reader.field(Node(value=value, path=join(ports.path, f"{key}")), "mode"))


def _judge_mode(reader: Reader, mode: Node) -> None:
    text = reader.text(mode)
    if text == _DISABLE:
        reader.report(mode, "'DISABLE' takes plain text only")
    elif text is not None and text not in _PEER_MODES:
        reader.report(mode, f"{shown(text)} is no known mode")


def _judge_destination(reader: Reader, spec: Node, context: Context) -> None:
    disabled = [mode for mode in _modes(reader, spec) if mode.value == _DISABLE]
    if not disabled:
        return
    host = reader.field(spec, "host")
    text = reader.text(host)
    if text is None:
        if host.value is None:
            reader.report(host, "is missing")
        return
    try:
        in_cluster = is_in_cluster(text, context) and not _is_api_server(text, context)
    except ValueError:
        reader.report(host, f"{shown(text)} is not a host name in its plain form")
        return
    for mode in disabled if in_cluster else ():
        reader.report(mode, f"'DISABLE' sends plain text to {shown(text)}, which is in the cluster")


def _is_api_server(host: str, context: Context) -> bool:
    """Whether a host is the API server's own, with as much of the cluster's domain as Istio needs to know it."""
    domains = (context.grants.cluster_domain.lower(), DEFAULT_CLUSTER_DOMAIN)
    return host.lower().removesuffix(".") in {_API_SERVER, *(f"{_API_SERVER}.{domain}" for domain in domains)}


def _modes(reader: Reader, spec: Node) -> list[Node]:
    """The modes; what in them cannot be read is EGR206's finding."""
    scratch = Reader()
    return [scratch.field(tls, "mode") for tls in tls_settings_of(spec, reader)]


RULE = ObjectRule(
    id="EGR205",
    name="mesh-mtls-off",
    severity=Severity.BLOCK,
    applies_to=MESH_CONFIG_KINDS | {_PEER_AUTHENTICATION, DESTINATION_RULE},
    summary="Nothing switches mutual TLS off between the pods of the mesh.",
    why="The egress gateway and every AuthorizationPolicy know a client by its certificate. In plain text there is "
    "none: whoever reaches the port is anybody, and whoever is on the way reads along.",
    remediation="use STRICT in PeerAuthentication and ISTIO_MUTUAL in DestinationRules, or leave the mode out; for a "
    "port that must take plain text, use PERMISSIVE with a selector",
    example="""\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec:
  mtls: {mode: STRICT}
""",
    url="https://istio.io/latest/docs/concepts/security/#mutual-tls-authentication",
    source="istio/api: security/v1beta1/peer_authentication.proto, networking/v1alpha3/destination_rule.proto, "
    "mesh/v1alpha1/config.proto",
    check=_check,
)
