"""EGR512: versions and algorithms of TLS that are broken."""

import re
from collections.abc import Iterable, Iterator

from policy.destinations import BACKEND
from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.reading import Node, Reader, as_mapping, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_GOOD = frozenset({"Auto", "1.2", "1.3"})  # tls_types.go; Auto is at least 1.2 in Envoy, on both sides
_OLD = frozenset({"1.0", "1.1"})
# OpenSSL's names, as BoringSSL takes them, and IANA's.
_BROKEN_CIPHER = re.compile(r"(^|[-_])(RC4|3DES|DES|MD5|NULL|ADH|AECDH|EXP|EXPORT|anon)([-_]|$)", re.IGNORECASE)
_BROKEN_SIGNATURE = re.compile(r"sha1$|md5", re.IGNORECASE)


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    for tls in _settings(subject, reader):
        for key in ("minVersion", "maxVersion"):
            version = reader.field(tls, key)
            text = reader.text(version)
            if text in _OLD:
                reader.report(version, f"TLS {text} is broken, and no longer allowed by RFC 8996")
            elif text is not None and text not in _GOOD:
                reader.report(version, f"{shown(text)} is no known version of TLS")
        _judge_algorithms(reader, reader.field(tls, "ciphers"), _BROKEN_CIPHER)
        _judge_algorithms(reader, reader.field(tls, "signatureAlgorithms"), _BROKEN_SIGNATURE)
    return reader.findings


def _judge_algorithms(reader: Reader, algorithms: Node, broken: re.Pattern[str]) -> None:
    for algorithm in reader.items(algorithms):
        text = reader.text(algorithm)
        if text is not None and broken.search(text):
            reader.report(algorithm, f"{shown(text)} is broken")


def _settings(subject: Subject, reader: Reader) -> Iterator[Node]:
    if subject.group_kind == BACKEND:
        # A `tls` that cannot be read at all is EGR105's finding.
        tls = Reader().field(root(subject.whole), "spec", "tls")
        if as_mapping(tls.value) is not None:
            yield tls
        return
    if subject.group_kind == CLIENT_TRAFFIC_POLICY:
        yield reader.field(root(subject.whole), "spec", "tls")
        return
    for proxy in proxy_specs_of(subject, reader):
        yield reader.field(proxy, "backendTLS")


RULE = ObjectRule(
    id="EGR512",
    name="tls-too-old",
    severity=Severity.BLOCK,
    applies_to=PROXY_KINDS | {BACKEND, CLIENT_TRAFFIC_POLICY},
    summary="Listeners and Backends speak TLS 1.2 or later, with ciphers and signatures that hold.",
    why="TLS 1.0 and 1.1 rest on SHA-1 and on ciphers whose traffic can be read and changed. Envoy's own default is "
    "1.2, so a lower version is a choice; so are ciphers with RC4, 3DES or none at all.",
    remediation="leave minVersion and maxVersion out, or write '1.2' or '1.3', and leave ciphers and "
    "signatureAlgorithms out, or list those of RFC 9325",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  tls: {minVersion: "1.2"}
""",
    url="https://datatracker.ietf.org/doc/html/rfc8996",
    source="RFC 8996; RFC 9325; envoyproxy/gateway: api/v1alpha1/tls_types.go",
    check=_check,
)
