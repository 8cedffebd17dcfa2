"""EGR301: a client namespace whose pods can pass by the egress gateway."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from policy.facts.addresses import AddressClass, classes_in, is_wide, parse_network
from policy.reading import Node, Reader, as_mapping, as_sequence, is_empty, root, shown
from policy.rule import UNKNOWN, Context, Finding, ObjectRef, Severity, StackRule, Subject

_NAMESPACE = "core/Namespace"
_NETWORK_POLICY = "networking.k8s.io/NetworkPolicy"
_PEERS = ("podSelector", "namespaceSelector", "ipBlock")
_ROLE_LABEL = "cluster-egress/role"
_NEVER = frozenset({AddressClass.LOOPBACK, AddressClass.UNSPECIFIED, AddressClass.METADATA})
_DNS_PORT = 53


@dataclass(frozen=True, kw_only=True)
class _Opening:
    """What one NetworkPolicy lets out of its namespace."""

    policy: Subject
    locks: bool
    blocks: tuple[IPv4Network | IPv6Network, ...]
    findings: tuple[Finding, ...]


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    clients: dict[str, str] = dict.fromkeys(sorted(context.client_namespaces), "")
    for subject in subjects:
        if subject.group_kind == _NAMESPACE:
            yield from _read_role(subject, clients)
    openings: defaultdict[str, list[_Opening]] = defaultdict(list)
    for subject in subjects:
        if subject.group_kind == _NETWORK_POLICY:
            opening = _read_policy(subject)
            openings[subject.ref.namespace].append(opening)
    # Where a policy without a namespace lands depends on who applies it: it may open any namespace, and locks none.
    unplaced = openings.pop("", [])
    for namespace, origin in clients.items():
        yield from _judge(ObjectRef(kind="Namespace", name=namespace), origin, openings[namespace], unplaced)
    for opening in unplaced if clients else ():
        yield from opening.findings


def _read_role(subject: Subject, clients: dict[str, str]) -> Iterator[Finding]:
    reader = Reader()
    role = reader.field(root(subject.whole), "metadata", "labels", _ROLE_LABEL)
    reader.text(role)
    for finding in reader.findings:
        yield Finding(path=finding.path, message=finding.message, ref=subject.ref, origin=subject.origin)
    if role.value == "client":
        clients[subject.ref.name] = subject.origin


def _judge(namespace: ObjectRef, origin: str, openings: list[_Opening], unplaced: list[_Opening]) -> Iterator[Finding]:
    if not any(opening.locks for opening in openings):
        message = "no NetworkPolicy selects all its pods for egress"
        yield Finding(path="", message=message, ref=namespace, origin=origin)
    for opening in openings:
        yield from opening.findings
    # A policy that is wide by itself has its own finding.
    narrow = [opening for opening in (*openings, *unplaced) if not is_wide(opening.blocks)]
    if is_wide(block for opening in narrow for block in opening.blocks):
        message = "its NetworkPolicies together open too wide a part of the Internet"
        yield Finding(path="", message=message, ref=namespace, origin=origin)


def _read_policy(subject: Subject) -> _Opening:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    types = [reader.text(item) for item in reader.items(reader.field(spec, "policyTypes"))]
    locks = "Egress" in types and _selects_all(reader, reader.field(spec, "podSelector"))
    blocks: list[IPv4Network | IPv6Network] = []
    egress = reader.field(spec, "egress")
    for rule in reader.items(egress):
        peers = reader.field(rule, "to")
        if is_empty(peers):
            reader.report(rule, "has no `to`, so it opens every destination")
        is_dns = _is_dns(reader.field(rule, "ports"))
        for peer in reader.items(peers):
            blocks += _blocks_of(reader, peer, is_dns=is_dns)
    if is_wide(blocks):
        shown_blocks = shown(", ".join(str(block) for block in blocks))
        reader.report(egress, f"the ipBlocks {shown_blocks} together are too wide")
    findings = tuple(
        Finding(path=finding.path, message=finding.message, ref=subject.ref, origin=subject.origin)
        for finding in reader.findings
    )
    return _Opening(policy=subject, locks=locks, blocks=tuple(blocks), findings=findings)


def _selects_all(reader: Reader, selector: Node) -> bool:
    if selector.value is None or selector.value is UNKNOWN:
        reader.mapping(selector)
        return False
    return all(is_empty(reader.field(selector, key)) for key in ("matchLabels", "matchExpressions"))


def _blocks_of(reader: Reader, peer: Node, *, is_dns: bool) -> list[IPv4Network | IPv6Network]:
    fields = reader.mapping(peer)
    if is_empty(peer) or (fields and not any(fields.get(kind) is not None for kind in _PEERS)):
        reader.report(peer, f"is none of {', '.join(_PEERS)}, so it may be read as everything")
    block = reader.field(peer, "ipBlock")
    if block.value is None:
        return []
    cidr = reader.field(block, "cidr")
    text = reader.text(cidr)
    if cidr.value is None and as_mapping(block.value) is not None:
        reader.report(cidr, "is missing")
    if text is None:
        return []
    try:
        network = parse_network(text)
    except ValueError:
        reader.report(cidr, f"{shown(text)} is not a CIDR in its plain form")
        return []
    _judge_classes(reader, cidr, network, is_dns=is_dns)
    return [network]


def _judge_classes(reader: Reader, cidr: Node, network: IPv4Network | IPv6Network, *, is_dns: bool) -> None:
    # Wide blocks touch every class, and are reported as wide. `except` does not count: narrower blocks say it better.
    if is_wide([network]):
        return
    found = classes_in(network)
    if found & _NEVER:
        reader.report(cidr, f"{network} touches {' and '.join(sorted(found & _NEVER))} addresses")
    elif AddressClass.LINK_LOCAL in found and not is_dns:
        reader.report(cidr, f"{network} touches link-local addresses, which only a rule for port 53 alone may open")


def _is_dns(ports: Node) -> bool:
    """Whether a rule opens port 53 and nothing else: without ports it opens every one."""
    items = [as_mapping(item) for item in as_sequence(ports.value) or ()]
    return bool(items) and all(
        fields is not None
        and fields.get("port") == _DNS_PORT
        and fields.get("endPort") in (None, _DNS_PORT)
        and fields.get("protocol") in (None, "TCP", "UDP")
        for fields in items
    )


RULE = StackRule(
    id="EGR301",
    name="client-namespace-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({_NAMESPACE, _NETWORK_POLICY}),
    lockdown=True,
    summary="Each client namespace has a NetworkPolicy that shuts its pods in, and none that opens wide blocks, "
    "loopback or metadata addresses.",
    why="REGISTRY_ONLY is no security boundary by Istio's own words: a pod without its sidecar, or that "
    "connects past it, reaches whatever the network lets it, the node's credentials among it.",
    remediation="register a NetworkPolicy with podSelector {} and policyTypes [Egress] in the namespace, "
    "opening only in-cluster peers and narrow ipBlocks, link-local ones for port 53 alone (node-local DNS)",
    example="""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: egress-lockdown, namespace: news}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to: [{namespaceSelector: {}}]
    - to: [{ipBlock: {cidr: 169.254.20.10/32}}]
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
""",
    url="https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/"
    "#additional-security-considerations",
    source="Istio: egress gateways, additional security considerations; Kubernetes: Network Policies",
    check=_check,
)
