"""EGR520: code in the proxies that nobody pinned, or that nothing confines."""

import re
from collections.abc import Iterable

from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_EXTENSION_POLICY = "gateway.envoyproxy.io/EnvoyExtensionPolicy"
_BACKEND_TRAFFIC_POLICY = "gateway.envoyproxy.io/BackendTrafficPolicy"
_DIGEST = re.compile(r"[a-f0-9]{64}")
_PINNED_IMAGE = re.compile(r"[^@]+@sha256:[a-f0-9]{64}")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    if subject.group_kind == _EXTENSION_POLICY:
        _judge_policy(reader, reader.field(root(subject.whole), "spec"))
        return reader.findings
    if subject.group_kind == _BACKEND_TRAFFIC_POLICY:
        balancer = reader.field(root(subject.whole), "spec", "loadBalancer", "dynamicModule")
        if not is_empty(balancer):
            reader.report(balancer, "runs machine code in the proxy's process, with its files and its network")
        return reader.findings
    for proxy in proxy_specs_of(subject, reader):
        modules, validation = reader.field(proxy, "dynamicModules"), reader.field(proxy, "luaValidation")
        if not is_empty(modules):
            reader.report(modules, "loads machine code into the proxy's process")
        text = reader.text(validation)
        if text not in (None, "Strict"):
            reader.report(validation, f"{shown(text)} runs Lua without a look at what it does")
    return reader.findings


def _judge_policy(reader: Reader, spec: Node) -> None:
    for key, what in (("lua", "runs a script"), ("dynamicModule", "runs machine code")):
        node = reader.field(spec, key)
        if not is_empty(node):
            reader.report(node, f"{what} in the proxy's process, with its files and its network")
    for wasm in reader.items(reader.field(spec, "wasm")):
        code = reader.field(wasm, "code")
        for source in ("http", "image"):
            _judge_source(reader, reader.field(code, source))


def _judge_source(reader: Reader, source: Node) -> None:
    if source.value is None:
        return
    digest, url = reader.field(source, "sha256"), reader.field(source, "url")
    text = reader.text(digest)
    is_pinned = source.path.endswith("image") and _PINNED_IMAGE.fullmatch(reader.text(url) or "") is not None
    if text is None and digest.value is None and not is_pinned:
        reader.report(digest, "is missing, so whatever is served there runs in the proxy")
    elif text is not None and _DIGEST.fullmatch(text) is None:
        reader.report(digest, f"{shown(text)} is no SHA-256 digest")


RULE = ObjectRule(
    id="EGR520",
    name="extension-code",
    severity=Severity.BLOCK,
    applies_to=PROXY_KINDS | {_EXTENSION_POLICY, _BACKEND_TRAFFIC_POLICY},
    summary="Extensions of the proxies are Wasm, pinned by digest, or servers of their own; no Lua, no machine code.",
    why="Lua and dynamic modules run in Envoy's process, with its certificates and its network. Wasm is confined, but "
    "without a digest it is whatever the server gives out today.",
    remediation="give Wasm a sha256, and make of Lua and dynamic modules Wasm or an external processor",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  wasm:
    - code:
        type: Image
        image:
          url: images.example.com/filter:1.4.0
          sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
""",
    url="https://gateway.envoyproxy.io/docs/tasks/extensibility/wasm/",
    source="envoyproxy/gateway: api/v1alpha1/lua_types.go, wasm_types.go, dynamic_module_types.go",
    check=_check,
)
