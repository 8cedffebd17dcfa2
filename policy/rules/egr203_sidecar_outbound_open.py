"""EGR203: a Sidecar that lets its pods out to every host, whatever the mesh says."""

from collections.abc import Iterator

from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    # Without the field the mesh's own mode holds; with it, a mode that is not there is REGISTRY_ONLY.
    mode = reader.field(root(subject.whole), "spec", "outboundTrafficPolicy", "mode")
    text = reader.text(mode)
    if text == "ALLOW_ANY":
        reader.report(mode, "'ALLOW_ANY' lets out every host that the mesh does not know")
    elif text not in (None, "REGISTRY_ONLY"):
        reader.report(mode, f"{shown(text)} is no known mode")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR203",
    name="sidecar-outbound-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({"networking.istio.io/Sidecar"}),
    lockdown=True,
    summary="A Sidecar leaves the outbound mode to the mesh, or says REGISTRY_ONLY.",
    why="A Sidecar overrides the mesh: one object in a namespace undoes REGISTRY_ONLY for all its pods.",
    remediation="leave outboundTrafficPolicy out, or set its mode to REGISTRY_ONLY",
    example="""\
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: news}
spec:
  egress: [{hosts: ["./*", "istio-system/*"]}]
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
""",
    url="https://istio.io/latest/docs/reference/config/networking/sidecar/#OutboundTrafficPolicy",
    source="istio/api: networking/v1alpha3/sidecar.proto; istio/istio: pilot/pkg/model/sidecar.go",
    check=_check,
)
