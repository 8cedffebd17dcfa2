"""EGR503: a reference to a Backend of another namespace whose owner has not agreed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from policy.readers.reference_grants import REFERENCE_GRANT, grants_in
from policy.readers.routes import ENVOY_GATEWAY, REFERRING_KINDS, ROUTE_KINDS, Reference, read_route, references_in
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_Triple = tuple[str, str, str]
_Targets = defaultdict[tuple[str, _Triple], set[_Triple]]
"""What may be referred to, by the namespace of the grant and who may refer: see `Grant`."""


@dataclass(frozen=True, kw_only=True)
class _Use:
    """One object's reference to a Backend elsewhere."""

    subject: Subject
    reference: Reference

    def is_allowed_by(self, targets: _Targets) -> bool:
        """Whether the owner has agreed. A grant without a name is for every Backend."""
        ref, there = self.subject.ref, self.reference.namespace
        granted = targets.get((there, (self.subject.group, ref.kind, ref.namespace)), ())
        return any((ENVOY_GATEWAY, "Backend", name) in granted for name in ("", self.reference.name))


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    targets: _Targets = defaultdict(set)
    for grant in grants_in(subject for subject in subjects if subject.group_kind == REFERENCE_GRANT):
        for origin in grant.origins:
            targets[grant.namespace, origin] |= grant.targets
    for subject in subjects:
        for use in _uses(subject):
            if not use.is_allowed_by(targets):
                message = f"no ReferenceGrant in {use.reference.namespace} lets it refer to {use.reference}"
                path = use.reference.node.path
                yield Finding(path=path, message=message).of(subject)


def _uses(subject: Subject) -> Iterator[_Use]:
    references: Iterator[Reference] = iter(())
    if subject.group_kind in ROUTE_KINDS:
        references = (each for rule in read_route(subject).rules for each in (*rule.backends, *rule.asked))
    elif subject.group_kind in REFERRING_KINDS:
        spec = Reader().field(root(subject.whole), "spec")
        references = references_in(spec, Reader(), subject.ref.namespace)
    for reference in references:
        if reference.is_backend and reference.namespace != subject.ref.namespace:
            yield _Use(subject=subject, reference=reference)


RULE = StackRule(
    id="EGR503",
    name="cross-namespace-reference",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | REFERRING_KINDS | {REFERENCE_GRANT},
    summary="A route or policy refers to a Backend of another namespace only where a ReferenceGrant there says so.",
    why="The owner of a Backend decides who may use it. Without a grant Envoy Gateway answers with 500; with a grant "
    "that somebody adds later, outside this stack, the route opens without a review.",
    remediation="refer to a Backend in the same namespace, or add a ReferenceGrant in the Backend's namespace from "
    "this kind and namespace to this Backend",
    example="""\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: shop-to-ledger, namespace: billing}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: gateway.envoyproxy.io, kind: Backend, name: ledger}]
""",
    url="https://gateway-api.sigs.k8s.io/reference/api-types/referencegrant/",
    source="Gateway API: ReferenceGrant; envoyproxy/gateway: internal/gatewayapi/validate.go",
    check=_check,
)
