"""EGR301: a client namespace whose pods can pass by the egress gateway."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from policy.facts.addresses import is_wide
from policy.readers.network_policies import NETWORK_POLICY, Openings, openings_of, wide_blocks
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRef, Severity, StackRule, Subject

_NAMESPACE = "core/Namespace"
_ROLE_LABEL = "cluster-egress/role"


@dataclass(frozen=True, kw_only=True)
class _Policy:
    """What one NetworkPolicy opens."""

    openings: Openings
    is_wide: bool
    """By itself, so that it has a finding of its own."""


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    clients: dict[str, str] = dict.fromkeys(sorted(context.client_namespaces), "")
    for subject in subjects:
        if subject.group_kind == _NAMESPACE:
            yield from _read_role(subject, clients)
    policies: defaultdict[str, list[_Policy]] = defaultdict(list)
    for subject in subjects:
        if subject.group_kind == NETWORK_POLICY:
            openings = openings_of(subject)
            wide = wide_blocks(openings, subject.ref.namespace, context)
            policies[subject.ref.namespace].append(_Policy(openings=openings, is_wide=wide != ()))
    # Where a policy without a namespace lands depends on who applies it: it may open any namespace, and locks none.
    unplaced = policies.pop("", [])
    for namespace, origin in clients.items():
        yield from _judge(ObjectRef(kind="Namespace", name=namespace), origin, policies[namespace], unplaced)


def _read_role(subject: Subject, clients: dict[str, str]) -> Iterator[Finding]:
    reader = Reader()
    role = reader.field(root(subject.whole), "metadata", "labels", _ROLE_LABEL)
    reader.text(role)
    yield from (finding.of(subject) for finding in reader.findings)
    if role.value == "client":
        clients[subject.ref.name] = subject.origin


def _judge(namespace: ObjectRef, origin: str, policies: list[_Policy], unplaced: list[_Policy]) -> Iterator[Finding]:
    if not any(policy.openings.locks for policy in policies):
        message = "no NetworkPolicy selects all its pods for egress"
        yield Finding(path="", message=message, ref=namespace, origin=origin)
    narrow = [policy for policy in (*policies, *unplaced) if not policy.is_wide]
    # Also blocks that are approved for a gateway: a client has to go through one.
    if is_wide(block.network for policy in narrow for block in policy.openings.egress_blocks):
        message = "its NetworkPolicies together open too wide a part of the Internet"
        yield Finding(path="", message=message, ref=namespace, origin=origin)


RULE = StackRule(
    id="EGR301",
    name="client-namespace-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({_NAMESPACE, NETWORK_POLICY}),
    lockdown=True,
    summary="Each client namespace has a NetworkPolicy that shuts its pods in, and all its policies together open "
    "only narrow blocks.",
    why="REGISTRY_ONLY is no security boundary by Istio's own words: a pod without its sidecar, or that "
    "connects past it, reaches whatever the network lets it.",
    remediation="register a NetworkPolicy with podSelector {} and policyTypes [Egress] in the namespace, "
    "and open only in-cluster peers and narrow ipBlocks in it and in every other one",
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
