"""EGR213: an EnvoyFilter, which writes into the proxies' configuration behind every other object."""

from collections.abc import Iterator

from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(_subject: Subject, _context: Context) -> Iterator[Finding]:
    yield Finding(path="", message="can change anything in the proxies that it selects")


RULE = ObjectRule(
    id="EGR213",
    name="raw-proxy-config",
    severity=Severity.BLOCK,
    applies_to=frozenset({"networking.istio.io/EnvoyFilter"}),
    summary="Nothing patches the proxies' configuration directly.",
    why="A patch can add a cluster to anywhere, open the admin interface, or take out the filters that check callers. "
    "No rule can say what it does, and a newer Istio may read it differently.",
    remediation="say it with Istio's own objects, or have the security team grant an exception for this one",
    example="""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edition-cnn, namespace: news}
spec:
  hosts: [edition.cnn.com]
  exportTo: ["."]
  http:
    - timeout: 5s
      route: [{destination: {host: edition.cnn.com, port: {number: 80}}}]
""",
    url="https://istio.io/latest/docs/reference/config/networking/envoy-filter/",
    source="Istio: EnvoyFilter reference (`must be used with care`)",
    check=_check,
)
