"""EGR521: an extension that requests pass by while it does not work."""

from collections.abc import Iterable

from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    for key in ("wasm", "extProc"):
        for extension in reader.items(reader.field(spec, key)):
            switch = reader.field(extension, "failOpen")
            if reader.flag(switch) is True:
                reader.report(switch, "true lets requests pass by the extension while it does not work")
    return reader.findings


RULE = ObjectRule(
    id="EGR521",
    name="extension-fails-open",
    severity=Severity.WARN,
    applies_to=frozenset({"gateway.envoyproxy.io/EnvoyExtensionPolicy"}),
    summary="An extension that requests must go through stops them while it does not work.",
    why="Where the extension checks or filters, whoever makes it fail, by load or by a request that it cannot take, "
    "gets past it.",
    remediation="leave failOpen out, unless the extension only observes",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  extProc: [{backendRefs: [{name: scanner, port: 9002}]}]
""",
    url="https://gateway.envoyproxy.io/docs/tasks/extensibility/ext-proc/",
    source="envoyproxy/gateway: api/v1alpha1/wasm_types.go, ext_proc_types.go",
    check=_check,
)
