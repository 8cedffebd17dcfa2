"""What backends use of other namespaces: ReferenceGrants, each for one thing and one kind of user."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.plan.names import kube_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.listeners import CLASS
from components.plan.offers.routes import ROUTE_KINDS
from components.settings import Settings
from components.settings.offers.backends import Backend

_GATEWAY_API: Final = "gateway.networking.k8s.io"
_ENVOY_GATEWAY: Final = "gateway.envoyproxy.io"


@dataclass(frozen=True, kw_only=True, order=True)
class _Use:
    """Who of ours uses what of another namespace."""

    group: str
    user: str
    """The kind that refers to it."""
    namespace: str
    kind: str
    name: str


def grants(settings: Settings) -> Iterator[KubeObject]:
    """One for each thing in another namespace and each kind of ours that refers to it.

    Envoy Gateway asks for none where an EnvoyProxy refers to a Service: the collectors of access logs and spans
    need none.
    """
    own = settings.install.envoy_gateway.namespace
    users: defaultdict[_Use, dict[str, Backend]] = defaultdict(dict)
    for name, backend in sorted((settings.backends or {}).items()):
        for use in _uses(backend, settings.backends or {}):
            if use.namespace != own:
                users[use][name] = backend
    for use, backends in sorted(users.items()):
        yield KubeObject(
            # Envoy Gateway 1.9 reads v1beta1, which every release of Gateway API serves.
            api_version=f"{_GATEWAY_API}/v1beta1",
            kind="ReferenceGrant",
            # Not in parts: of `a` and `b-c` and of `a-b` and `c` they would make one name.
            name=kube_name("/".join((CLASS, use.user, use.kind, use.namespace, use.name))),
            namespace=use.namespace,
            spec={
                "from": [{"group": use.group, "kind": use.user, "namespace": own}],
                "to": [{"group": "", "kind": use.kind, "name": use.name}],
            },
            annotations={DECLARATION: declaration(backends)},
        )


def _uses(backend: Backend, backends: Mapping[str, Backend]) -> Iterator[_Use]:
    for each in (backend, *(backends[name] for name in backend.shared_with)):
        if each.service is not None:
            yield _Use(
                group=_GATEWAY_API,
                user=ROUTE_KINDS[backend.protocol],
                namespace=each.service.namespace,
                kind="Service",
                name=each.service.name,
            )
    external = backend.access.external
    if external is not None and external.service is not None:
        yield _Use(
            group=_ENVOY_GATEWAY,
            user="SecurityPolicy",
            namespace=external.service.namespace,
            kind="Service",
            name=external.service.service,
        )
    certificate = backend.certificate
    if certificate is not None and certificate.namespace is not None and certificate.secret is not None:
        yield _Use(
            group=_GATEWAY_API,
            user="Gateway",
            namespace=certificate.namespace,
            kind="Secret",
            name=certificate.secret,
        )
