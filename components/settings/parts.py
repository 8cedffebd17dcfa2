"""What the checks between the parts of a declaration look at, also where some of its values are wrong.

One run reports everything, so a bad ticket in one place must not hide an unknown namespace in another.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from components.settings.destinations import Destination
from components.settings.egress import EgressGateway
from components.settings.install import Canary, ChartRegistry, Install, Istio, Version
from components.settings.models import Settings
from components.settings.offers.backends import Backend
from components.settings.offers.gateways import BackendGateway
from components.settings.plain import at, is_map
from components.settings.problems import Path
from components.settings.reserved import DEFAULT_GATEWAY
from components.settings.types import Answerable, EntryName, KubernetesLabel

Kind = TypeVar("Kind")
Entry = TypeVar("Entry", Destination, Backend)

OWN_NAMESPACES: Final[Mapping[Path, str]] = {
    ("egress", "mesh", "gateway", "namespace"): EgressGateway().namespace,
    ("install", "istio", "namespace"): Install().istio.namespace,
    ("install", "envoyGateway", "namespace"): Install().envoy_gateway.namespace,
}
"""Where the namespaces of ours are set, and their defaults."""
TRACING: Final[Path] = ("egress", "mesh", "tracing", "namespace")
"""Where the collector of spans is told."""
_REDIS: Final[Path] = ("install", "envoyGateway", "redis", "namespace")
_ALERTS: Final[Path] = ("egress", "mesh", "alerts", "namespace")
_AUTHORIZERS: Final[Path] = ("egress", "mesh", "authorizers")
_COLLECTOR: Final[Path] = ("accessLog", "collector", "namespace")
"""Of each Gateway of backends."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Those parts of a declaration that could be read."""

    plain: Mapping[str, Any]
    """All of it, as the files have it."""
    flavour: str | None
    """The mesh's, if it could be read."""
    namespaces: Mapping[str, str | None] | None
    """Each declared namespace's role, `None` if it is wrong; `None` for all if they could not be read."""
    own_namespaces: Mapping[Path, str]
    destinations: Mapping[str, Destination]
    destination_names: frozenset[str]
    """Also of those that could not be read."""
    backends: Mapping[str, Backend]
    backend_names: frozenset[str]
    """Also of those that could not be read."""
    backend_gateways: Mapping[str, BackendGateway | None]
    """The Gateways of backends, `None` for one that is wrong; `default` is always among them, unless others are
    declared without it."""
    has_redis: bool
    """Whether proxies can count together."""
    chart_registry: ChartRegistry | None
    secrets: frozenset[str]
    outbound: Mapping[str, str | None]
    """How each declared namespace's traffic leaves, `None` if that is wrong; nothing of those that are not there."""
    gateways: frozenset[str] | None
    """The names of further gateways; `None` if they could not be read. The same holds for the next two."""
    issuers: frozenset[str] | None
    authorizers: frozenset[str] | None
    istio_version: str | None
    """The first istiod's; `None` if it is wrong."""
    canary: Canary | None
    gateway_api: str | None
    """The channel of Gateway API's CRDs that the cluster has from elsewhere."""
    on_node_network: tuple[Path, ...]
    """The gateways with `hostNetwork`."""
    observers: Mapping[Path, str]
    """The namespaces of what is told about everybody's egress, by where they are set."""

    @property
    def is_ambient(self) -> bool:
        """Whether the mesh is to go without sidecars."""
        return at(self.plain, "egress", "mesh", "dataPlane") == "ambient"

    def name_at(self, *path: str | int) -> str | None:
        """The name of an entry that stands at a path, whatever else is wrong around it; `None` if none does."""
        return _valid(TypeAdapter[str](EntryName), at(self.plain, *path), {})

    def is_direct(self, namespace: str) -> bool | None:
        """Whether a namespace's clients go without a gateway; `None` if nobody can tell."""
        outbound = self.outbound.get(namespace)
        return None if outbound is None else outbound != "gateway"


def whole(settings: Settings, values: Mapping[str, Any]) -> Parts:
    """The parts of a declaration whose every value is right, and its plain values."""
    authorizers = settings.egress.mesh.authorizers or {}
    return Parts(
        plain=values,
        flavour=settings.egress.mesh.flavour,
        namespaces={name: namespace.role for name, namespace in settings.cluster.namespaces.items()},
        own_namespaces=dict(
            zip(
                OWN_NAMESPACES,
                (
                    settings.egress.mesh.gateway.namespace,
                    settings.install.istio.namespace,
                    settings.install.envoy_gateway.namespace,
                ),
                strict=True,
            )
        ),
        destinations=settings.destinations,
        destination_names=frozenset(settings.destinations),
        backends=settings.backends or {},
        backend_names=frozenset(settings.backends or {}),
        backend_gateways=settings.backend_gateways or {DEFAULT_GATEWAY: BackendGateway()},
        has_redis=settings.install.envoy_gateway.redis is not None,
        chart_registry=settings.install.chart_registry,
        secrets=settings.secrets,
        outbound={name: namespace.outbound for name, namespace in settings.cluster.namespaces.items()},
        gateways=frozenset(settings.egress.mesh.gateways or {}),
        issuers=frozenset(settings.egress.mesh.issuers or {}),
        authorizers=frozenset(authorizers),
        istio_version=settings.install.istio.version,
        canary=settings.install.istio.canary,
        observers={
            path: each.namespace
            for path, each in {
                TRACING: settings.egress.mesh.tracing,
                _ALERTS: settings.egress.mesh.alerts,
                _REDIS: settings.install.envoy_gateway.redis,
                **{
                    (*_AUTHORIZERS, name, "namespace"): each
                    for name, each in (settings.egress.mesh.authorizers or {}).items()
                },
                **{
                    ("backendGateways", name, *_COLLECTOR): each.access_log.collector
                    for name, each in (settings.backend_gateways or {}).items()
                },
            }.items()
            if each is not None
        },
        gateway_api=settings.install.gateway_api,
        on_node_network=tuple(
            path
            for path, gateway in {
                _MAIN_GATEWAY: settings.egress.mesh.gateway,
                **{(*_GATEWAYS, name): each for name, each in (settings.egress.mesh.gateways or {}).items()},
            }.items()
            if gateway.host_network
        ),
    )


def salvaged(values: Mapping[str, Any], today: dt.date) -> Parts:
    """What can be read of the plain values of a declaration that does not validate."""
    context = {"today": today}
    answerable = {"owner": "-", "ticket": "-", "expires": today.isoformat()}
    access = {"public": "-"}
    declared = at(values, "cluster", "namespaces")
    own = {
        path: _valid(TypeAdapter[str](KubernetesLabel), at(values, *path) or default, context)
        for path, default in OWN_NAMESPACES.items()
    }
    authorizers, gateways = _names(values, "authorizers"), values.get("backendGateways")
    observing = [
        TRACING,
        _ALERTS,
        _REDIS,
        *((*_AUTHORIZERS, name, "namespace") for name in authorizers or ()),
        *(("backendGateways", name, *_COLLECTOR) for name in (gateways if is_map(gateways) else ())),
    ]
    observers = {path: _valid(TypeAdapter[str](KubernetesLabel), at(values, *path), context) for path in observing}
    return Parts(
        plain=values,
        flavour=_word(values, "egress", "mesh", "flavour"),
        namespaces={name: _role(each) for name, each in declared.items()} if is_map(declared) and declared else None,
        own_namespaces={path: name for path, name in own.items() if name is not None},
        destinations=_entries(Destination, values.get("destinations"), _CHECKED, answerable, context),
        destination_names=frozenset(entries) if is_map(entries := values.get("destinations")) else frozenset(),
        backends=_backends(values.get("backends"), {**answerable, "access": access}, context),
        backend_names=frozenset(offered) if is_map(offered := values.get("backends")) else frozenset(),
        backend_gateways=_gateways(values.get("backendGateways"), context),
        has_redis=at(values, "install", "envoyGateway", "redis") is not None,
        chart_registry=_valid(TypeAdapter(ChartRegistry), at(values, "install", "chartRegistry"), context),
        secrets=values["secrets"] if isinstance(values.get("secrets"), frozenset) else frozenset(),
        outbound={name: _outbound(each) for name, each in declared.items()} if is_map(declared) else {},
        gateways=_names(values, "gateways"),
        issuers=_names(values, "issuers"),
        authorizers=authorizers,
        istio_version=_valid(
            TypeAdapter[str](Version), at(values, "install", "istio", "version") or Istio().version, context
        ),
        canary=_valid(TypeAdapter(Canary), at(values, "install", "istio", "canary"), context),
        observers={path: name for path, name in observers.items() if name is not None},
        gateway_api=_word(values, "install", "gatewayApi"),
        on_node_network=tuple(
            path
            for path in (_MAIN_GATEWAY, *((*_GATEWAYS, name) for name in _names(values, "gateways") or ()))
            if at(values, *path, "hostNetwork") is True
        ),
    )


_CHECKED: Final = ("hosts", "ports", "clients", "servedBy", "addresses", "cidrs", "gateway", "token", "authorizer")
"""The keys of a destination that are compared with other parts."""


_OFFERED: Final = tuple(
    field.alias or name for name, field in Backend.model_fields.items() if name not in Answerable.model_fields
)
"""The same of a backend: all but who answers for it."""


def _backends(entries: Any, stand_ins: Mapping[str, Any], context: Mapping[str, dt.date]) -> dict[str, Backend]:
    """Those backends whose keys are right; at least those of which all but `access` is."""
    without_access = tuple(key for key in _OFFERED if key != "access")
    readable = _entries(Backend, entries, without_access, stand_ins, context)
    answerable = {key: value for key, value in stand_ins.items() if key != "access"}
    return readable | _entries(Backend, entries, _OFFERED, answerable, context)


def _gateways(entries: Any, context: Mapping[str, dt.date]) -> dict[str, BackendGateway | None]:
    if entries is None:
        return {DEFAULT_GATEWAY: BackendGateway()}
    adapter = TypeAdapter(BackendGateway)
    return {name: _valid(adapter, each, context) for name, each in entries.items()} if is_map(entries) else {}


def _names(values: Mapping[str, Any], key: str) -> frozenset[str] | None:
    mesh = at(values, "egress", "mesh")
    entries = mesh.get(key, {}) if is_map(mesh) and mesh else None
    return frozenset(entries) if is_map(entries) and (entries or key not in mesh) else None


_GATEWAYS: Final = ("egress", "mesh", "gateways")
_MAIN_GATEWAY: Final = ("egress", "mesh", "gateway")


def _word(values: Mapping[str, Any], *path: str) -> str | None:
    word = at(values, *path)
    return word if isinstance(word, str) else None


def _entries(
    model: type[Entry],
    entries: Any,
    keys: tuple[str, ...],
    stand_ins: Mapping[str, Any],
    context: Mapping[str, dt.date],
) -> dict[str, Entry]:
    """Those entries whose `keys` are right, whatever else is wrong with them."""
    if not is_map(entries):
        return {}
    adapter = TypeAdapter(model)
    kept = {
        name: _valid(adapter, {**{key: entry[key] for key in keys if key in entry}, **stand_ins}, context)
        for name, entry in entries.items()
        if is_map(entry)
    }
    return {name: entry for name, entry in kept.items() if entry is not None}


def _valid(adapter: TypeAdapter[Kind], value: Any, context: Mapping[str, dt.date]) -> Kind | None:
    try:
        return adapter.validate_python(value, context=dict(context))
    except ValidationError:
        return None


def _role(namespace: Any) -> str | None:
    role = at(namespace, "role")
    return role if role in ("client", "platform") else None  # no set: it may be a list


def _outbound(namespace: Any) -> str | None:
    outbound = namespace.get("outbound", "gateway") if is_map(namespace) and namespace else None
    return outbound if outbound in ("gateway", "registry-only", "allow-any") else None
