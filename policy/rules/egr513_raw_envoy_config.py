"""EGR513: Envoy configuration that Envoy Gateway did not write, so that no other rule sees what it does."""

from collections.abc import Iterable

from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.reading import Node, Reader, is_empty
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_PATCH_POLICY = "gateway.envoyproxy.io/EnvoyPatchPolicy"
# The admin interface without this list answers on every path, so whatever the list says narrows it.
_NARROWING_PATHS = ("/admin/allow_paths", "/admin/allow_paths/")
_NARROWING_OPERATIONS = frozenset({"add", "replace", "test"})
# Envoy's command line: threads, logs to standard error, draining. Nothing that names a file, an address or a node.
_HARMLESS_ARGUMENTS = frozenset(
    {
        "--component-log-level",
        "--concurrency",
        "--cpuset-threads",
        "--disable-hot-restart",
        "--drain-strategy",
        "--drain-time-s",
        "--enable-fine-grain-logging",
        "--file-flush-interval-msec",
        "--file-flush-min-size-kb",
        "--local-address-ip-version",
        "--log-format",
        "--log-format-escaped",
        "--log-level",
        "--parent-shutdown-time-s",
        "--skip-deprecated-logs",
        "-l",
    }
)


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    if subject.group_kind == _PATCH_POLICY:
        return [Finding(path="", message="writes any Envoy configuration, which nobody can judge here")]
    reader = Reader()
    for proxy in proxy_specs_of(subject, reader):
        _judge_bootstrap(reader, reader.field(proxy, "bootstrap"))
        for argument in reader.items(reader.field(proxy, "extraArgs")):
            text = reader.text(argument)
            if text is not None and text.startswith("-") and text.partition("=")[0] not in _HARMLESS_ARGUMENTS:
                reader.report(argument, f"{text.partition('=')[0]} may change what Envoy listens to and connects to")
    return reader.findings


def _judge_bootstrap(reader: Reader, bootstrap: Node) -> None:
    if is_empty(bootstrap):
        return
    kind = reader.field(bootstrap, "type")
    text = reader.text(kind)
    if text != "JSONPatch":
        if kind.value is None or text is not None:
            reader.report(bootstrap, f"{text or 'Replace'} writes any bootstrap; only a JSONPatch can be judged")
        return
    for patch in reader.items(reader.field(bootstrap, "jsonPatches")):
        operation = reader.text(reader.field(patch, "op"))
        path = reader.text(reader.field(patch, "path"))
        free = reader.field(patch, "jsonPath").value is not None or reader.field(patch, "from").value is not None
        narrows = path is not None and (path == _NARROWING_PATHS[0] or path.startswith(_NARROWING_PATHS[1]))
        if free or not narrows or operation not in _NARROWING_OPERATIONS:
            reader.report(patch, "changes more of the bootstrap than which paths the admin interface answers")


RULE = ObjectRule(
    id="EGR513",
    name="raw-envoy-config",
    severity=Severity.BLOCK,
    applies_to=PROXY_KINDS | {_PATCH_POLICY},
    summary="Nobody writes Envoy's configuration past Envoy Gateway, except to narrow its admin interface.",
    why="A patch can add clusters to any address, take authentication off a route, or open the admin interface. "
    "Envoy Gateway's own documentation calls it a complete compromise of the system.",
    remediation="use the fields of the policies and of EnvoyProxy, such as concurrency, logging, shutdown and "
    "telemetry; give in extraArgs only threads, log levels and formats, and draining; patch the bootstrap only at "
    "/admin/allow_paths, with type JSONPatch",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  bootstrap:
    type: JSONPatch
    jsonPatches:
      - {op: add, path: /admin/allow_paths, value: [{exact: /ready}, {exact: /stats/prometheus}]}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/extensibility/envoy-patch-policy/",
    source="envoyproxy/gateway: api/v1alpha1/envoypatchpolicy_types.go, envoyproxy_types.go, envoygateway_types.go; "
    "envoyproxy/envoy: docs/root/operations/cli.rst",
    check=_check,
)
