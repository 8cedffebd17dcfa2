"""EGR507: an allowlist of client addresses that keeps nobody out."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from policy.facts.addresses import is_wide, parse_network
from policy.readers.authentication import SECURITY_POLICY, read_security_policy
from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.reading import Reader, is_empty, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    if subject.group_kind == SECURITY_POLICY:
        yield from _judge_allowlist(subject)
    else:
        yield from _judge_proxies(subject)


def _judge_allowlist(subject: Subject) -> Iterator[Finding]:
    policy = read_security_policy(subject)
    yield from policy.unreadable_blocks
    if is_wide(block.network for block in policy.allowed):
        blocks = shown(", ".join(f"{block.network}" for block in policy.allowed))
        message = f"the clientCIDRs {blocks} that it allows together are too wide"
        yield Finding(path="spec.authorization.rules", message=message)


def _judge_proxies(subject: Subject) -> Iterator[Finding]:
    reader = Reader()
    detection = reader.field(root(subject.whole), "spec", "clientIPDetection")
    header = reader.field(detection, "customHeader")
    if not is_empty(header):
        reader.report(header, "believes this header of anybody, so any client can say what its address is")
    node = reader.field(detection, "xForwardedFor", "trustedCIDRs")
    texts = [(item, reader.text(item)) for item in reader.items(node)]
    networks: list[IPv4Network | IPv6Network] = []
    for item, text in texts:
        try:
            if text is not None:
                networks.append(parse_network(text))
        except ValueError:
            reader.report(item, f"{shown(text)} is not a CIDR in its plain form")
    if is_wide(networks):
        blocks = shown(", ".join(f"{network}" for network in networks))
        reader.report(node, f"{blocks} together are too wide, so any client can say what its address is")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR507",
    name="client-cidrs-wide",
    severity=Severity.BLOCK,
    applies_to=frozenset({SECURITY_POLICY, CLIENT_TRAFFIC_POLICY}),
    summary="The client addresses that a SecurityPolicy allows, and the proxies whose X-Forwarded-For is believed, are "
    "narrow as a set; no other header says who a client is.",
    why="0.0.0.0/0, its two halves, or ::/0 beside a narrow IPv4 block allow everybody. Where everybody is a trusted "
    "proxy, everybody chooses the address that the allowlist is compared with. A "
    "customHeader is believed of everybody.",
    remediation="list the clients' own networks, at most a /16 of IPv4 or a /32 of IPv6 each, in both families that "
    "the listener has, and leave out customHeader",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: TCPRoute, name: n9e}]
  authorization:
    defaultAction: Deny
    rules: [{action: Allow, principal: {clientCIDRs: [47.96.10.0/24]}}]
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/restrict-ip-access/",
    source="envoyproxy/gateway: api/v1alpha1/authorization_types.go, clienttrafficpolicy_types.go, "
    "internal/xds/translator/listener.go (AllowExtensionToSetAddressAsTrusted)",
    check=_check,
)
