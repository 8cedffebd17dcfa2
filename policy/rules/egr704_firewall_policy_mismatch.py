"""EGR704: a policy whose parts do not go together, so that it fits other traffic than it names, or none."""

from collections.abc import Iterator
from typing import Final

from policy.facts.addresses import parse_network
from policy.readers.cloud.address_books import IPV6_TYPES, Role, Use, uses_in
from policy.readers.cloud.firewall_policies import ANY, FirewallPolicy, Resolution, policy_of
from policy.readers.cloud.kinds import ADDRESS_BOOK, FIREWALL_POLICIES, NAT_POLICY
from policy.reading import Reader, as_sequence, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_NAMED: Final = frozenset({"HTTP", "HTTPS", "SMTP", "SMTPS", "SSL", "IMAPS", "POPS"})
"""What says in its first bytes which host it means."""
_BY_PORT: Final = {"HTTPS": 443, "SMTPS": 465, "IMAPS": 993, "POPS": 995}
"""As what TLS is recognised; on every other port it is `SSL`."""
_WILDCARD: Final = "*"
_ADDRESSES: Final = frozenset({"ip", "ipv6", "tag", "asset", "assetIpv6"})
_NO_BOOKS: Final[dict[Role, frozenset[str]]] = {
    Role.SOURCE: frozenset({"domain", "port"}),
    Role.DESTINATION: frozenset({"port"}),
    Role.PORTS: _ADDRESSES | {"domain"},
}
"""What types of books cannot be meant."""


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    uses = [*uses_in(subjects)]
    destinations = {use.policy.subject: use for use in uses if use.role is Role.DESTINATION}
    for use in uses:
        if use.book is not None and use.policy.is_outbound and _book_type(use.book) in _NO_BOOKS[use.role]:
            message = f"{shown(use.name)} is a book of type {_book_type(use.book)}, which means nothing here"
            yield Finding(path=use.node.path, message=message).of(use.policy.subject)
    for subject in subjects:
        if subject.group_kind in FIREWALL_POLICIES and (policy := policy_of(subject)).is_outbound:
            told = Reader()
            _judge(told, policy, destinations.get(subject))
            yield from (finding.of(subject) for finding in told.findings)


def _judge(told: Reader, policy: FirewallPolicy, use: Use | None) -> None:
    names = _names(policy, use)
    applications = told.field(root(policy.subject.whole), "applicationNameLists")
    if _is_ipv6(policy, use):
        told.report(policy.destination.node, "is IPv6, which the NAT boundary does not see")
    if policy.protocol != "TCP":
        if set(policy.applications) - {ANY}:
            told.report(applications, f"with {policy.protocol or 'no protocol'} no application but {ANY} is recognised")
        if names:
            told.report(policy.destination.node, "names are recognised in TCP only")
        return
    if names and policy.resolution is not Resolution.DNS:
        unnamed = [each for each in policy.applications if each not in _NAMED]
        if unnamed or not policy.applications:
            said = shown(", ".join(unnamed) or "none")
            told.report(applications, f"{said} does not say in a request which host it means")
    if policy.resolution is not Resolution.FQDN and any(name.startswith(_WILDCARD) for name in names):
        mode = told.field(root(policy.subject.whole), "domainResolveType")
        told.report(mode, "asks for addresses, which a wildcard has none of")
    for application in policy.applications:
        if policy.ports is not None and not _is_on(application, policy):
            told.report(applications, f"TLS on the ports {shown(policy.port.value)} is not taken for {application}")


def _is_on(application: str, policy: FirewallPolicy) -> bool:
    """Whether the firewall can take something on these ports for this application."""
    ports = policy.ports
    if ports is None or application not in (*_BY_PORT, "SSL"):
        return True
    if application == "SSL":
        return ports.first != ports.last or ports.first not in _BY_PORT.values()
    return ports.holds(_BY_PORT[application])


def _names(policy: FirewallPolicy, use: Use | None) -> list[str]:
    if policy.destination.type == "domain":
        return [policy.destination.text or ""]
    if use is None or use.book is None or _book_type(use.book) != "domain":
        return []
    entries = Reader().field(root(use.book.whole), "addressLists").value
    return [f"{entry}" for entry in as_sequence(entries) or ()]


def _is_ipv6(policy: FirewallPolicy, use: Use | None) -> bool:
    if not policy.lets_pass and policy.subject.group_kind != NAT_POLICY:
        return False  # what is dropped at the internet boundary may be IPv6
    version = Reader().field(root(policy.subject.whole), "ipVersion").value
    if policy.lets_pass and version == "6":
        return True
    if use is not None and use.book is not None:
        return _book_type(use.book) in IPV6_TYPES
    if policy.destination.type != "net" or policy.destination.text is None or policy.destination.is_everything:
        return False
    try:
        return ":" in str(parse_network(policy.destination.text))
    except ValueError:
        return False


def _book_type(book: Subject) -> str | None:
    reader = Reader()
    return reader.text(reader.field(root(book.whole), "groupType"))


RULE = StackRule(
    id="EGR704",
    name="firewall-policy-mismatch",
    severity=Severity.BLOCK,
    applies_to=FIREWALL_POLICIES | {ADDRESS_BOOK},
    summary="Protocol, application, port and destination of a policy go together: names with TCP, by the request where "
    "they are wildcards, TLS by the application of its port, and IPv4.",
    why="Such a policy is refused in the middle of an update, or it fits nothing, and somebody opens more to make it "
    "work; by its addresses a name on a shared network opens everybody's.",
    remediation="write TCP with names; domainResolveType 0 for wildcards, with HTTP, HTTPS, SMTP, SMTPS, IMAPS, POPS "
    "or SSL; HTTPS on 443, SMTPS on 465, IMAPS on 993, POPS on 995, SSL on every other port; ANY with other protocols; "
    "and no IPv6",
    example="""\
type: alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy
urn: cnn
inputs:
  natGatewayId: ngw-1
  aclAction: accept
  description: the news
  direction: out
  source: 172.16.8.0/24
  sourceType: net
  destination: "*.cnn.com"
  destinationType: domain
  domainResolveType: 0
  proto: TCP
  destPort: 443/443
  destPortType: port
  applicationNameLists: [HTTPS]
  newOrder: "1"
---
type: alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy
urn: everything-else
inputs:
  natGatewayId: ngw-1
  aclAction: drop
  description: everything else
  direction: out
  source: 0.0.0.0/0
  sourceType: net
  destination: 0.0.0.0/0
  destinationType: net
  proto: ANY
  destPort: 0/0
  destPortType: port
  applicationNameLists: [ANY]
  newOrder: "2"
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/domain-name-resolution-policy",
    source="Cloud Firewall: How access control policies work, How a domain name-based access control policy works; "
    "API 2017-12-07: CreateNatFirewallControlPolicy",
    check=_check,
)
