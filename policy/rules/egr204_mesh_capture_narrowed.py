"""EGR204: settings of the whole mesh that keep part of the outbound traffic away from the sidecars."""

import re
from collections.abc import Iterator

from policy.facts.names import NameClass, classify_name, parse_hostname
from policy.readers.mesh_capture import judge_capture, judge_excluded_namespace, judge_injection, judge_policy
from policy.readers.mesh_cni import CNI_KINDS, excluded_namespaces_of
from policy.readers.mesh_config import MESH_CONFIG_KINDS, injector_config_of, mesh_configs_of, mesh_field
from policy.readers.proxy_config import discovery_address, judge_proxy_config, judge_variables
from policy.reading import Node, Reader, as_mapping, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_PROXY_CONFIG = "networking.istio.io/ProxyConfig"
_INSIDE = frozenset({NameClass.CLUSTER, NameClass.SINGLE_LABEL, NameClass.UNLISTED_TLD})
_PORT = re.compile(r":[0-9]{1,5}$")


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    if subject.group_kind == _PROXY_CONFIG:
        variables = reader.field(root(subject.whole), "spec", "environmentVariables")
        judge_variables(reader, variables, "environmentVariables")
    else:
        injector = injector_config_of(subject, reader)
        if injector is not None:
            judge_policy(reader, reader.field(injector, "policy"))
            judge_injection(reader, injector)
        for excluded in excluded_namespaces_of(subject, reader):
            judge_excluded_namespace(reader, excluded)
        # What cannot be read on the way to the values is EGR202's finding.
        for mesh in mesh_configs_of(subject, Reader()):
            judge_capture(reader, reader.field(mesh.values, "global", "proxy"))
            judge_capture(reader, Reader().field(mesh.whole_values, "global", "proxy"))
            judge_injection(reader, reader.field(mesh.values, "sidecarInjectorWebhook"))
            for place in mesh.places:
                if as_mapping(place.value) is not None:
                    _judge_default(reader, mesh_field(reader, place, "defaultConfig"), context)
    yield from reader.findings


def _judge_default(reader: Reader, config: Node, context: Context) -> None:
    judge_proxy_config(reader, config)
    address = discovery_address(reader, config)
    text = reader.text(address)
    if text is not None and not _is_in_cluster(_PORT.sub("", text), context):
        reader.report(address, f"{shown(text)} is no Service of the cluster, and would tell every sidecar what to do")


def _is_in_cluster(host: str, context: Context) -> bool:
    try:
        name = parse_hostname(host)
    except ValueError:
        return False
    return classify_name(name, context.grants.cluster_domain, context.namespaces) in _INSIDE


RULE = ObjectRule(
    id="EGR204",
    name="mesh-capture-narrowed",
    severity=Severity.BLOCK,
    applies_to=MESH_CONFIG_KINDS | CNI_KINDS | {_PROXY_CONFIG},
    lockdown=True,
    summary="By default every pod of the mesh has a sidecar, all its outbound traffic goes through it, and it is "
    "istiod's.",
    why="What the sidecar never sees it can neither refuse nor log: excluded ranges and ports leave the pod directly, "
    "for every pod of the mesh at once. A variable or an address can do the same, or give all sidecars another master.",
    remediation="leave global.proxy.includeIPRanges at '*', exclude neither traffic nor namespaces, keep injection on, "
    "and leave out of injectedAnnotations, defaultConfig and environmentVariables what changes the capture; declare "
    "the destination instead",
    example="""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: istiod, namespace: istio-system}
spec:
  chart: {spec: {chart: istiod, version: 1.31.0, sourceRef: {kind: HelmRepository, name: istio}}}
  values:
    meshConfig:
      outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    global:
      proxy: {includeIPRanges: "*", excludeIPRanges: "", excludeOutboundPorts: ""}
""",
    url="https://istio.io/latest/docs/ops/best-practices/security/#understand-traffic-capture-limitations",
    source="istio/istio: manifests/charts/istio-control/istio-discovery: values.yaml, files/injection-template.yaml, "
    "manifests/charts/istio-cni/values.yaml; "
    "istio/api: mesh/v1alpha1/proxy.proto, networking/v1beta1/proxy_config.proto",
    check=_check,
)
