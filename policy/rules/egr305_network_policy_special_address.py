"""EGR305: a NetworkPolicy that opens the node itself, or the service that hands out its credentials."""

from collections.abc import Iterator

from policy.facts.addresses import AddressClass, classes_in, is_wide
from policy.readers.network_policies import NETWORK_POLICY, Block, is_only_dns, openings_of
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_NEVER = frozenset({AddressClass.LOOPBACK, AddressClass.UNSPECIFIED, AddressClass.METADATA})


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    for block in openings_of(subject).egress_blocks:
        # Wide blocks touch every class, and EGR302 judges them.
        if not is_wide([block.network]):
            yield from _judge(block)


def _judge(block: Block) -> Iterator[Finding]:
    found = classes_in(block.network)
    if found & _NEVER:
        message = f"{block.text} touches {' and '.join(sorted(found & _NEVER))} addresses"
        yield Finding(path=block.path, message=message)
    elif AddressClass.LINK_LOCAL in found and not is_only_dns(block.ports):
        message = f"{block.text} touches link-local addresses, which only a rule for port 53 alone may open"
        yield Finding(path=block.path, message=message)


RULE = ObjectRule(
    id="EGR305",
    name="network-policy-special-address",
    severity=Severity.BLOCK,
    applies_to=frozenset({NETWORK_POLICY}),
    lockdown=True,
    summary="No NetworkPolicy opens loopback, unspecified or metadata addresses, and link-local ones for DNS alone.",
    why="At these addresses the node answers, or the cloud's metadata service with the node's credentials. A proxy "
    "that may connect to them can be led there by any name that resolves to them, and only the network sees it.",
    remediation="remove the block; for node-local DNS open its one address on port 53 of UDP and TCP, nothing else",
    example="""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: node-local-dns, namespace: news}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to: [{ipBlock: {cidr: 169.254.20.10/32}}]
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
""",
    url="https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/",
    source="Kubernetes: Network Policies, NodeLocal DNSCache; the clouds' pages about their metadata services",
    check=_check,
)
