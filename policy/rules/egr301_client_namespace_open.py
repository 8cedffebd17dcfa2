"""EGR301: a client namespace whose pods can pass by the egress gateway."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from policy.facts.addresses import is_wide, parse_network
from policy.reading import Node, Reader, as_mapping, is_empty, root, shown
from policy.rule import UNKNOWN, Context, Finding, ObjectRef, Severity, StackRule, Subject

_NAMESPACE = "core/Namespace"
_NETWORK_POLICY = "networking.k8s.io/NetworkPolicy"
_PEERS = ("podSelector", "namespaceSelector", "ipBlock")
_ROLE_LABEL = "cluster-egress/role"


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
    for namespace, origin in clients.items():
        yield from _judge(ObjectRef(kind="Namespace", name=namespace), origin, openings[namespace])


def _read_role(subject: Subject, clients: dict[str, str]) -> Iterator[Finding]:
    reader = Reader()
    role = reader.field(root(subject.whole), "metadata", "labels", _ROLE_LABEL)
    reader.text(role)
    for finding in reader.findings:
        yield Finding(path=finding.path, message=finding.message, ref=subject.ref, origin=subject.origin)
    if role.value == "client":
        clients[subject.ref.name] = subject.origin


def _judge(namespace: ObjectRef, origin: str, openings: list[_Opening]) -> Iterator[Finding]:
    if not any(opening.locks for opening in openings):
        message = "no NetworkPolicy selects all its pods for egress"
        yield Finding(path="", message=message, ref=namespace, origin=origin)
    one_is_wide = False
    for opening in openings:
        yield from opening.findings
        one_is_wide = one_is_wide or bool(opening.findings)
    together = [block for opening in openings for block in opening.blocks]
    if not one_is_wide and is_wide(together):
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
        for peer in reader.items(peers):
            blocks += _blocks_of(reader, peer)
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


def _blocks_of(reader: Reader, peer: Node) -> list[IPv4Network | IPv6Network]:
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
    try:
        return [] if text is None else [parse_network(text)]
    except ValueError:
        reader.report(cidr, f"{shown(text)} is not a CIDR in its plain form")
        return []


RULE = StackRule(
    id="EGR301",
    name="client-namespace-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({_NAMESPACE, _NETWORK_POLICY}),
    lockdown=True,
    summary="Each client namespace has a NetworkPolicy that shuts its pods in, and none that opens wide blocks.",
    why="REGISTRY_ONLY is no security boundary by Istio's own words: a pod without its sidecar, or that "
    "connects past it, reaches whatever the network lets it.",
    remediation="register a NetworkPolicy with podSelector {} and policyTypes [Egress] in the namespace, "
    "opening only in-cluster peers and narrow ipBlocks",
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
