"""EGR305: a NetworkPolicy that opens the node itself, or the service that hands out its credentials."""

from collections.abc import Iterator

from policy.address_findings import NODE_CLASSES, PRIVATE_CLASSES, cluster_range_of, is_approved, said
from policy.destinations import AddressPlace
from policy.facts.addresses import AddressClass, classes_in, is_wide
from policy.readers.network_policies import NETWORK_POLICY, Block, is_only_dns, openings_of
from policy.readers.proxy_pods import means_proxy
from policy.rule import Context, Finding, Grants, ObjectRule, Severity, Subject

_API_SERVER = "the API server"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    is_proxies = means_proxy(subject, context)
    for block in openings_of(subject).egress_blocks:
        # Wide blocks touch every class, and EGR302 judges them.
        if not is_wide([block.network]):
            yield from _judge(block, context.grants, is_proxies=is_proxies)


def _judge(block: Block, grants: Grants, *, is_proxies: bool) -> Iterator[Finding]:
    found = classes_in(block.network)
    if found & NODE_CLASSES:
        message = f"{block.text} touches {' and '.join(sorted(found & NODE_CLASSES))} addresses"
        yield Finding(path=block.path, message=message)
    elif AddressClass.LINK_LOCAL in found and not is_only_dns(block.ports):
        message = f"{block.text} touches link-local addresses, which only a rule for port 53 alone may open"
        yield Finding(path=block.path, message=message)
    elif is_proxies and not is_only_dns(block.ports):
        yield from _judge_of_proxy(block, grants)


def _judge_of_proxy(block: Block, grants: Grants) -> Iterator[Finding]:
    """Where a gateway may go it can be led by any name: its private addresses are those of destinations."""
    place = AddressPlace(path=block.path, text=block.text, network=block.network, ports=_ports(block))
    if any(known.what == _API_SERVER and known.network == block.network for known in grants.cluster_ranges):
        return  # controllers need it, and no selector leads there
    known = cluster_range_of(place, grants)
    if known is not None:
        message = f"{said(place)} one of the addresses of {known.what}, {known.network}"
        yield Finding(path=block.path, message=message)
    elif place.classes & PRIVATE_CLASSES and not is_approved(place, grants):
        classes = " and ".join(sorted(place.classes & PRIVATE_CLASSES))
        yield Finding(path=block.path, message=f"{said(place)} {classes}, and no approval holds it on these ports")


def _ports(block: Block) -> frozenset[int]:
    """The ports, if each is a single number; none otherwise, which only an approval of every port holds."""
    spans = block.ports or ()
    numbers = frozenset(span.first for span in spans if span.first is not None and span.first == span.last)
    return numbers if len(numbers) == len({(span.first, span.last) for span in spans}) else frozenset()


RULE = ObjectRule(
    id="EGR305",
    name="network-policy-special-address",
    severity=Severity.BLOCK,
    applies_to=frozenset({NETWORK_POLICY}),
    lockdown=True,
    summary="No NetworkPolicy opens loopback, unspecified or metadata addresses, and link-local ones for DNS alone; "
    "one of a gateway opens no address of the cluster, and private ones only as approved.",
    why="At these addresses the node answers, or the cloud's metadata service with the node's credentials. A proxy "
    "that may connect to them can be led there by any name that resolves to them, and only the network sees it.",
    remediation="remove the block; for what runs in the cluster select pods and namespaces, and have private ranges "
    "approved (privateRanges); for node-local DNS open its one address on port 53 of UDP and TCP, nothing else",
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
