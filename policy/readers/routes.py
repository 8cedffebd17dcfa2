"""Routes of the Gateway API, whatever their kind: which parents they have, and where each of their rules leads."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from policy.reading import Node, Reader, as_mapping, as_sequence, is_empty, join, root
from policy.rule import Finding, Subject

GATEWAY_API = "gateway.networking.k8s.io"
ENVOY_GATEWAY = "gateway.envoyproxy.io"

HTTP_ROUTE = f"{GATEWAY_API}/HTTPRoute"
GRPC_ROUTE = f"{GATEWAY_API}/GRPCRoute"
TLS_ROUTE = f"{GATEWAY_API}/TLSRoute"
TCP_ROUTE = f"{GATEWAY_API}/TCPRoute"
UDP_ROUTE = f"{GATEWAY_API}/UDPRoute"
HTTP_ROUTE_FILTER = f"{ENVOY_GATEWAY}/HTTPRouteFilter"
ROUTE_KINDS = frozenset({HTTP_ROUTE, GRPC_ROUTE, TLS_ROUTE, TCP_ROUTE, UDP_ROUTE})
"""The kinds that `read_route` knows."""
NAMED_ROUTE_KINDS = frozenset({HTTP_ROUTE, GRPC_ROUTE, TLS_ROUTE})
"""Those of them that have host names."""
REFERRING_KINDS = frozenset(
    f"{ENVOY_GATEWAY}/{kind}" for kind in ("SecurityPolicy", "EnvoyExtensionPolicy", "EnvoyProxy")
)
"""The other kinds of Envoy Gateway whose objects refer to Backends."""

_BACKEND = "backend"
_ASKED = "externalAuth"
_REFERRING = ("requestMirror", _ASKED)
_ONE, _MANY = "backendRef", "backendRefs"
_MAX_DEPTH = 32
_REMEMBERED = 4096  # routes: several rules about the stack as a whole read each of them


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What a route or a policy sends something to. Its namespace is that of its owner where it names none."""

    node: Node
    group: str
    kind: str
    namespace: str
    name: str

    @property
    def is_backend(self) -> bool:
        """Whether it is a Backend to Envoy Gateway, which looks at the kind alone (internal/gatewayapi/route.go)."""
        return self.kind.lower() == _BACKEND

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Parent:
    """What a route attaches to; `section` is the name of a listener, empty for every one of them."""

    kind: str
    namespace: str
    name: str
    section: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RouteRule:
    """One rule of a route."""

    node: Node
    name: str
    """Empty where it has none, so that no policy can be about it alone."""
    backends: tuple[Reference, ...]
    """The Backends that it leads to, and those that it sends copies to."""
    asked: tuple[Reference, ...]
    """The Backends that it asks whether to let a request in (externalAuth): no client gets at what they offer."""
    filters: tuple[Node, ...]
    """Its own filters and those of its references."""

    def filters_to(self, reference: Reference) -> tuple[Node, ...]:
        """Those of them that what is sent to `reference` passes: the rule's own, and those of this reference."""
        places = (join(self.node.path, "filters"), f"{reference.node.path}.")
        return tuple(each for each in self.filters if each.path.startswith(places))


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """One route, as far as it can be read."""

    subject: Subject
    parents: tuple[Parent, ...]
    rules: tuple[RouteRule, ...]
    findings: tuple[Finding, ...]
    """What in its parents and rules cannot be read; whoever cannot be read is in neither."""

    @property
    def leads_to_backend(self) -> bool:
        """Whether any rule leads to a Backend."""
        return any(rule.backends for rule in self.rules)


@lru_cache(maxsize=_REMEMBERED)
def read_route(subject: Subject) -> Route:
    """Read `subject`, of one of `ROUTE_KINDS`."""
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    namespace = subject.ref.namespace
    parents = [_parent(reader, node, namespace) for node in reader.items(reader.field(spec, "parentRefs"))]
    rules = [_rule(reader, node, namespace) for node in reader.items(reader.field(spec, "rules"))]
    return Route(subject=subject, parents=tuple(parents), rules=tuple(rules), findings=tuple(reader.findings))


def references_in(node: Node, reader: Reader, namespace: str) -> Iterator[Reference]:
    """Every `backendRef` and every item of `backendRefs` in `node`, however deep it lies.

    Args:
        node: the spec of a policy or of an EnvoyProxy.
        reader: collects what in the references cannot be read.
        namespace: that of the object.
    """
    for found in fields_named(node, frozenset({_ONE, _MANY})):
        for reference in [found] if found.path.endswith(_ONE) else reader.items(found):
            if not is_empty(reference):
                yield read_reference(reader, reference, namespace)


def fields_named(node: Node, names: frozenset[str], depth: int = _MAX_DEPTH) -> Iterator[Node]:
    """The fields of one of `names` in `node`, however deep they lie, but not those inside one of them."""
    if depth == 0:
        return
    for index, value in enumerate(as_sequence(node.value) or ()):
        yield from fields_named(Node(value=value, path=f"{node.path}[{index}]"), names, depth - 1)
    for key, value in (as_mapping(node.value) or {}).items():
        inner = Node(value=value, path=join(node.path, f"{key}"))
        if key in names:
            yield inner
        else:
            yield from fields_named(inner, names, depth - 1)


def read_reference(reader: Reader, node: Node, namespace: str) -> Reference:
    """Read one reference of an object in `namespace`."""
    kind = reader.text(reader.field(node, "kind"))
    return Reference(
        node=node,
        group=reader.text(reader.field(node, "group")) or "",
        kind="Service" if kind is None else kind,
        namespace=reader.text(reader.field(node, "namespace")) or namespace,
        name=reader.text(reader.field(node, "name")) or "",
    )


def reference_nodes(reader: Reader, rule: Node) -> list[Node]:
    """The references of a rule of a route, and of all its filters, whatever those do with them."""
    return [node for nodes in _reference_nodes(reader, rule, _filters(reader, rule)) for node in nodes]


def _parent(reader: Reader, node: Node, namespace: str) -> Parent:
    kind = reader.text(reader.field(node, "kind"))
    return Parent(
        kind="Gateway" if kind is None else kind,
        namespace=reader.text(reader.field(node, "namespace")) or namespace,
        name=reader.text(reader.field(node, "name")) or "",
        section=reader.text(reader.field(node, "sectionName")) or "",
    )


def _rule(reader: Reader, node: Node, namespace: str) -> RouteRule:
    filters = _filters(reader, node)
    led_to, asked = (
        tuple(read_reference(reader, each, namespace) for each in nodes if not is_empty(each))
        for nodes in _reference_nodes(reader, node, filters)
    )
    return RouteRule(
        node=node,
        name=reader.text(reader.field(node, "name")) or "",
        backends=tuple(reference for reference in led_to if reference.is_backend),
        asked=tuple(reference for reference in asked if reference.is_backend),
        filters=tuple(filters),
    )


def _filters(reader: Reader, rule: Node) -> list[Node]:
    filters = reader.items(reader.field(rule, "filters"))
    for reference in reader.items(reader.field(rule, "backendRefs")):
        filters += reader.items(reader.field(reference, "filters"))
    return filters


def _reference_nodes(reader: Reader, rule: Node, filters: list[Node]) -> tuple[list[Node], list[Node]]:
    """What the rule leads to, or sends copies to, and what it asks.

    A filter is judged by what stands in it, not by the type that it says it has. One that nobody knows leads.
    """
    led_to = reader.items(reader.field(rule, "backendRefs"))
    asked: list[Node] = []
    for each in filters:
        for key in _REFERRING:
            reader.mapping(reader.field(each, key))
        for found in fields_named(each, frozenset({_ONE, _MANY})):
            nodes = asked if found.path.startswith(f"{join(each.path, _ASKED)}.") else led_to
            nodes += [found] if found.path.endswith(_ONE) else reader.items(found)
    return led_to, asked
