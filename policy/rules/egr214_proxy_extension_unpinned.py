"""EGR214: code that runs inside the proxies, and that somebody else can exchange, or that nobody can judge."""

import re
from collections.abc import Iterator

from policy.reading import Node, Reader, join, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_WASM_PLUGIN = "extensions.istio.io/WasmPlugin"
_TRAFFIC_EXTENSION = "extensions.istio.io/TrafficExtension"
_COMMON_FIELDS = frozenset({"selector", "targetRefs", "phase", "priority", "match"})
_DIGEST = re.compile(r"[a-f0-9]{64}")
_DIGEST_IN_URL = re.compile(r"@sha256:[a-f0-9]{64}$")
_SCHEMES = frozenset({"oci", "https", "file"})  # a file lies in the proxy's own image
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if subject.group_kind == _WASM_PLUGIN:
        _judge_wasm(reader, spec)
    else:
        _judge_extension(reader, spec)
    yield from reader.findings


def _judge_extension(reader: Reader, spec: Node) -> None:
    fields = reader.mapping(spec).items()
    kinds = [f"{key}" for key, value in fields if f"{key}" not in _COMMON_FIELDS and value is not None]
    for kind in kinds:
        node = reader.field(spec, kind)
        if kind == "wasm":
            _judge_wasm(reader, node)
        elif kind == "lua":
            reader.report(node, "runs Lua inside the proxies, which can send what it sees to any cluster")
        else:
            reader.report(Node(value=None, path=join(spec.path, kind)), "is no known kind of extension")
    if not kinds and not reader.findings:
        reader.report(spec, "holds no extension that can be judged")


def _judge_wasm(reader: Reader, wasm: Node) -> None:
    found = len(reader.findings)
    url, digest = reader.field(wasm, "url"), reader.field(wasm, "sha256")
    text, sha256 = reader.text(url), reader.text(digest)
    if len(reader.findings) > found:
        return
    if text is None:
        reader.report(url, "is missing")
        return
    match = _SCHEME.match(text)
    scheme = "oci" if match is None else match[1].lower()
    is_pinned = scheme == "file" or _DIGEST_IN_URL.search(text) is not None
    if scheme == "http":
        reader.report(url, f"{shown(text)} is fetched in plain text")
    elif scheme not in _SCHEMES:
        reader.report(url, f"{shown(text)} has no known scheme")
    elif sha256 is not None and sha256 != "" and not _DIGEST.fullmatch(sha256):
        reader.report(digest, f"{shown(sha256)} is no SHA-256 digest")
    elif sha256 in (None, "") and not is_pinned:
        reader.report(url, f"{shown(text)} can be exchanged where it is kept: no digest pins it")


RULE = ObjectRule(
    id="EGR214",
    name="proxy-extension-unpinned",
    severity=Severity.BLOCK,
    applies_to=frozenset({_WASM_PLUGIN, _TRAFFIC_EXTENSION}),
    summary="Code for the proxies is WebAssembly that a digest pins.",
    why="It sees every request in plain text, with its tokens, and decides what passes. Whoever can write the image's "
    "tag, or is on the way of a plain download, runs code in every proxy.",
    remediation="pin the module with sha256 or @sha256: in an oci:// or https:// URL; write Lua as a reviewed module",
    example="""\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: headers, namespace: istio-egress}
spec:
  selector: {matchLabels: {istio: egress-gateway}}
  url: oci://registry.example.com/wasm/headers:1.4.0
  sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
""",
    url="https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/",
    source="istio/api: extensions/v1alpha1/wasm.proto, extensions/v1alpha1/traffic_extension.proto",
    check=_check,
)
