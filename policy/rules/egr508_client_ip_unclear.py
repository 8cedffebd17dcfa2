"""EGR508: an allowlist of client addresses where nobody said how Envoy learns them."""

from collections import defaultdict
from collections.abc import Iterator

from policy.facts.addresses import is_wide
from policy.readers.authentication import SECURITY_POLICY, read_security_policy
from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.readers.listeners import GATEWAY, listeners_of
from policy.readers.policy_targets import Attachments, named_targets
from policy.readers.routes import GATEWAY_API, ROUTE_KINDS, TCP_ROUTE, TLS_ROUTE, Parent, read_route
from policy.reading import Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_SAYS = ("clientIPDetection", "proxyProtocol", "enableProxyProtocol")


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    stack = _Stack(subjects)
    for subject in subjects:
        if subject.group_kind != SECURITY_POLICY or _is_for_connections(subject):
            continue
        policy = read_security_policy(subject)
        # An allowlist that keeps nobody out, or that cannot be read, is EGR507's matter.
        if policy.unreadable_blocks or is_wide(block.network for block in policy.allowed):
            continue
        if policy.allowed and not stack.says_how_for(subject):
            path = policy.allowed[0].node.path
            message = "is compared with the address of whoever connects, and nothing in the stack says who that is"
            yield Finding(path=path, message=message).of(subject)


class _Stack:
    """What the Gateways of a stack take for the address of a client."""

    def __init__(self, subjects: tuple[Subject, ...]) -> None:
        policies = [subject for subject in subjects if subject.group_kind == CLIENT_TRAFFIC_POLICY]
        self._somebody_says = any(_says_how(policy) for policy in policies)
        self._policies = Attachments(policies)
        self._targets = {
            (subject.ref.kind, subject.ref.namespace, subject.ref.name): subject
            for subject in subjects
            if subject.group_kind in ROUTE_KINDS - {TCP_ROUTE} | {GATEWAY}
        }
        self._told: dict[Parent, bool] = {}
        self._answers: defaultdict[Subject, set[bool]] = defaultdict(set)
        attachments = Attachments(subject for subject in subjects if subject.group_kind == SECURITY_POLICY)
        for (kind, namespace, name), subject in self._targets.items():
            found = attachments.on(kind=kind, namespace=namespace, name=name, subject=subject)
            if subject.group_kind == GATEWAY:
                for each in found:
                    own = Parent(kind=kind, namespace=namespace, name=name, section=each.section)
                    self._answers[each.policy].add(self._is_told(own))
            else:
                answers = {self._is_told(parent) for parent in read_route(subject).parents}
                for each in found:
                    self._answers[each.policy] |= answers

    def says_how_for(self, policy: Subject) -> bool:
        """Whether every Gateway that `policy`, a SecurityPolicy, works on is told; of one not shown, whether any is."""
        answers = self._answers[policy] | {self._is_told(gateway) for gateway in self._named_by(policy)}
        return False not in answers if answers else self._somebody_says

    def _named_by(self, policy: Subject) -> list[Parent | None]:
        """None stands for a Gateway that is not shown, because the route to it is not."""
        found: list[Parent | None] = []
        reader = Reader()
        for target in named_targets(reader, policy):
            group, kind, name = (reader.field(target, key).value for key in ("group", "kind", "name"))
            section = reader.text(reader.field(target, "sectionName")) or ""
            if not isinstance(kind, str) or not isinstance(name, str):
                found.append(None)
            elif (group, kind) == (GATEWAY_API, "Gateway"):
                found.append(Parent(kind=kind, namespace=policy.ref.namespace, name=name, section=section))
            elif (kind, policy.ref.namespace, name) not in self._targets and kind != "TCPRoute":
                found.append(None)
        return found

    def _is_told(self, gateway: Parent | None) -> bool:
        if gateway is None or gateway.kind != "Gateway":
            return self._somebody_says
        if self._is_connection(gateway):
            return True
        # Many routes share few Gateways.
        if gateway not in self._told:
            self._told[gateway] = self._says_how_on(gateway)
        return self._told[gateway]

    def _is_connection(self, gateway: Parent) -> bool:
        """Whether it is one listener that has no headers: the address is then that of the connection."""
        subject = self._targets.get((gateway.kind, gateway.namespace, gateway.name))
        listeners = listeners_of(subject, gateway, TCP_ROUTE) + listeners_of(subject, gateway, TLS_ROUTE)
        return gateway.section != "" and any(each.kinds is not None for each in listeners)

    def _says_how_on(self, gateway: Parent) -> bool:
        kind, namespace, name = gateway.kind, gateway.namespace, gateway.name
        subject = self._targets.get((kind, namespace, name))
        found = self._policies.on(kind=kind, namespace=namespace, name=name, subject=subject)
        # A policy for the listener takes the place of the Gateway's.
        own = [each for each in found if each.section == gateway.section]
        general = [each for each in found if gateway.section == "" or each.section == ""]
        return any(_says_how(each.policy) for each in own or general)


def _says_how(subject: Subject) -> bool:
    spec = Reader().field(root(subject.whole), "spec")
    return any(not is_empty(Reader().field(spec, key)) for key in _SAYS)


def _is_for_connections(policy: Subject) -> bool:
    """Whether it is about TCPRoutes alone: those have no headers, so the address is that of the connection."""
    reader = Reader()
    spec = reader.field(root(policy.whole), "spec")
    targets = [*named_targets(reader, policy), *reader.items(reader.field(spec, "targetSelectors"))]
    return bool(targets) and all(reader.field(target, "kind").value == "TCPRoute" for target in targets)


RULE = StackRule(
    id="EGR508",
    name="client-ip-unclear",
    severity=Severity.WARN,
    applies_to=ROUTE_KINDS | {SECURITY_POLICY, CLIENT_TRAFFIC_POLICY, GATEWAY},
    summary="Where a SecurityPolicy allows client addresses over HTTP, a ClientTrafficPolicy for its Gateway says how "
    "they are learnt.",
    why="Behind a load balancer every request comes from the balancer's address. An allowlist then shuts everybody "
    "out, or, once the balancer is on it, lets everybody in.",
    remediation="add a ClientTrafficPolicy for the Gateway with clientIPDetection (xForwardedFor with numTrustedHops "
    "or trustedCIDRs, or directSourceIP) or proxyProtocol",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/client-traffic-policy/",
    source="envoyproxy/gateway: api/v1alpha1/authorization_types.go, clienttrafficpolicy_types.go",
    check=_check,
)
