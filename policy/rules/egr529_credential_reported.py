"""EGR529: passwords, tokens and keys in logs and traces."""

import re
from collections.abc import Iterable, Iterator

from policy.facts.headers import CREDENTIAL_HEADERS
from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.reading import Node, Reader, is_empty, join, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BACKEND_TRAFFIC_POLICY = "gateway.envoyproxy.io/BackendTrafficPolicy"
_COMMAND = re.compile(r"%[A-Z_]+\(([^)%]*)\)")  # Envoy: access log command operators; `?` parts alternatives
_HEADER_LISTS = ("requestHeaders", "responseHeaders", "responseTrailers")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    if subject.group_kind == _BACKEND_TRAFFIC_POLICY:
        _judge_tags(reader, reader.field(root(subject.whole), "spec", "telemetry", "tracing"))
        return reader.findings
    for proxy in proxy_specs_of(subject, reader):
        telemetry = reader.field(proxy, "telemetry")
        for setting in reader.items(reader.field(telemetry, "accessLog", "settings")):
            _judge_setting(reader, setting)
        _judge_tags(reader, reader.field(telemetry, "tracing"))
    return reader.findings


def _judge_setting(reader: Reader, setting: Node) -> None:
    form = reader.field(setting, "format")
    for text in (reader.field(form, "text"), *_values(reader, reader.field(form, "json"))):
        _judge_format(reader, text)
    for sink in reader.items(reader.field(setting, "sinks")):
        for key in _HEADER_LISTS:
            for header in reader.items(reader.field(sink, "als", "http", key)):
                _judge_header(reader, header)


def _judge_tags(reader: Reader, tracing: Node) -> None:
    for text in _values(reader, reader.field(tracing, "tags")):
        _judge_format(reader, text)
    for tag in _values(reader, reader.field(tracing, "customTags")):
        _judge_header(reader, reader.field(tag, "requestHeader", "name"))


def _judge_format(reader: Reader, node: Node) -> None:
    text = reader.text(node) or ""
    for match in _COMMAND.finditer(text):
        if not CREDENTIAL_HEADERS.isdisjoint(name.strip().lower() for name in match[1].split("?")):
            reader.report(node, f"{match[0]}% tells credentials to whoever reads it")


def _judge_header(reader: Reader, node: Node) -> None:
    text = reader.text(node)
    if text is not None and text.lower() in CREDENTIAL_HEADERS:
        reader.report(node, f"{text} tells credentials to whoever reads it")


def _values(reader: Reader, node: Node) -> Iterator[Node]:
    if not is_empty(node):
        for key, value in reader.mapping(node).items():
            yield Node(value=value, path=join(node.path, f"{key}"))


RULE = ObjectRule(
    id="EGR529",
    name="credential-reported",
    severity=Severity.BLOCK,
    applies_to=PROXY_KINDS | {_BACKEND_TRAFFIC_POLICY},
    summary="Logs and traces tell no header that holds a password, a token, a key or a cookie.",
    why="Logs are kept for long, copied to many places and read by many. Each of these headers lets whoever reads it "
    "act as the client.",
    remediation="leave the header out; to know who called, log the claim of the token or the header with the client's "
    "id that the SecurityPolicy sets",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  telemetry:
    accessLog:
      settings:
        - format: {type: JSON, json: {method: "%REQ(:METHOD)%", client: "%REQ(X-CLIENT-ID)%"}}
          sinks: [{type: File, file: {path: /dev/stdout}}]
""",
    url="https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude",
    source="envoyproxy/gateway: api/v1alpha1/envoyproxy_accesslogging_types.go, envoyproxy_tracing_types.go, "
    "shared_types.go; Envoy: access log command operators",
    check=_check,
)
