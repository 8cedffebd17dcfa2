"""What many tests need: declarations as plain values, what they become, and what is wrong with them."""

import copy
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.offline.go_yaml import read
from cli.offline.stack_file import SECRET
from components.plan import KubeObject, Plan, make_plan
from components.plan.istio import IstioPlan
from components.plan.network_needs import node_fetches
from components.plan.offers.helpers import socket_path
from components.plan.preflight import check
from components.settings import Problem, Settings, SettingsError, load_settings
from components.settings.offers.backends import Backend
from policy.approvals import Approvals, load_approvals

ROOT = Path(__file__).parent.parent
TODAY = dt.date(2026, 11, 23)
NEVER = "2029-12-31"
"""A date that is far away on `TODAY`."""
FILE = "stacks/Pulumi.test.yaml"
APPROVALS_FILE = "policy/approvals/test.yaml"

Values = dict[str, Any]
Change = Callable[[Values], object]


def dev_values() -> Values:
    """The `dev` stack as plain values, by section; a copy that a test may change."""
    return copy.deepcopy(_dev_values())


@cache
def _dev_values() -> Values:
    text = (ROOT / "stacks" / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    config = read(text, secret=SECRET)["config"]
    return {key.removeprefix("cluster-egress:"): value for key, value in config.items()}


def full_values() -> Values:
    """The `dev` stack with every optional key in use."""
    values = dev_values()
    values["cluster"] |= {"context": "kind-dev", "nodeLocalDns": "169.254.20.11"}
    values["egress"]["mesh"] |= {
        "trustDomain": "mesh.example.com",
        "gateway": {"namespace": "way-out", "replicas": 3},
    }
    values["destinations"]["edition-cnn"]["cidrs"] = ["151.101.0.0/22", "2a04:4e42::/32"]
    values["backends"]["httpbin"]["cidrs"] = ["44.192.0.0/16"]
    values["install"] = {
        "istio": {
            "version": "1.31.1",
            "namespace": "mesh",
            "base": "/charts/base",
            "istiod": "/charts/istiod",
            "gateway": "/charts/gateway",
            "cni": "/charts/cni",
            "ztunnel": "/charts/ztunnel",
            "imageRegistry": "mirror.example.com/istio",
        },
        "envoyGateway": {
            "version": "v1.9.2",
            "namespace": "ways-in",
            "chart": "/charts/gateway-helm",
            "imageRegistry": "mirror.example.com",
        },
        "chartRegistry": {"username": "robot", "passwordSecret": "charts"},
    }
    values["secrets"] = {"charts": "[secret]"}
    values["include"] = ["teams/news.yaml"]
    return values


def changed(change: Change, values: Values | None = None) -> Values:
    """A copy of the `dev` stack (or of `values`) after `change`."""
    changed_values = copy.deepcopy(dev_values() if values is None else values)
    change(changed_values)
    return changed_values


def setting(path: str, value: Any) -> Change:
    """A change that writes `value` at a path of keys and indexes (`destinations.edition-cnn.hosts.0`)."""

    def change(values: Values) -> None:
        *above, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
        here: Any = values
        for key in above:
            here = here[key] if isinstance(key, int) else here.setdefault(key, {})
        here[last] = value

    return change


def settings_of(values: Mapping[str, Any], *, today: dt.date = TODAY) -> Settings:
    """Valid settings."""
    return load_settings(values, file=FILE, today=today)


def problems_of(values: Mapping[str, Any], *, today: dt.date = TODAY) -> tuple[Problem, ...]:
    """What is wrong with a declaration; nothing if it is good."""
    try:
        settings_of(values, today=today)
    except SettingsError as error:
        return error.problems
    return ()


def told(values: Mapping[str, Any], *, today: dt.date = TODAY) -> list[tuple[str, str, str]]:
    """What is wrong, as the report has it: path, what is wrong, what to write instead."""
    return [(problem.dotted_path, problem.wrong, problem.instead) for problem in problems_of(values, today=today)]


def approvals_of(values: Mapping[str, Any]) -> Approvals:
    """Approvals from plain values."""
    return Approvals.model_validate(values, context={"today": TODAY})


def approval(**more: Any) -> dict[str, Any]:
    """One approval."""
    return {"reason": "A reason", "owner": "team-security", "ticket": "SEC-1", "expires": NEVER, **more}


def cluster_ranges(**more: Any) -> dict[str, Any]:
    """The cluster's own addresses."""
    return {
        "podCidrs": ["10.244.0.0/16"],
        "serviceCidrs": ["10.96.0.0/12"],
        "nodeCidrs": ["192.168.0.0/24"],
        "apiServerAddresses": ["192.168.0.10"],
        **more,
    }


def public_range(hosts: Sequence[str], ports: Sequence[int]) -> dict[str, Any]:
    """An approval to be at any public address."""
    return approval(hosts=list(hosts), ports=list(ports))


def platform() -> dict[str, Any]:
    """What every declaration with backends needs: the Backend API, and somebody who may write Backends."""
    return {
        "backendApi": approval(),
        "platformSubjects": {"admins": approval(kind="Group", name="platform-admins")},
    }


def private_range(*cidrs: str) -> dict[str, Any]:
    """An approval for private addresses, for every entry of the `dev` stack on every port that it uses."""
    return approval(cidrs=list(cidrs), entries=["edition-cnn", "n9e", "httpbin"], ports=[80, 443, 17000])


def just_enough(settings: Settings, **more: Any) -> Approvals:
    """Approvals for exactly what a declaration needs: public ranges for names, and its chart sources."""
    grants: dict[str, Any] = {
        name: public_range(
            destination.hosts if destination.served_by is None else [destination.served_by],
            sorted({port.port for port in destination.ports.values()}),
        )
        for name, destination in settings.destinations.items()
        if destination.cidrs is None and destination.addresses is None
    }
    for name, backend in (settings.backends or {}).items():
        hosts, ports = _looked_up(backend)
        if hosts:
            grants[name] = public_range(sorted(hosts), sorted(ports))
    for name, fetch in node_fetches(settings).items():
        if fetch.cidrs is None:
            grants[name] = public_range(fetch.hosts, [fetch.port])
    istio, envoy = settings.install.istio, settings.install.envoy_gateway
    sources = {
        istio.base,
        istio.istiod,
        istio.gateway,
        istio.cni,
        istio.ztunnel,
        istio.image_registry,
        envoy.chart,
        envoy.image_registry,
    }
    gateways = settings.backend_gateways or {}
    sources |= {helper.image for gateway in gateways.values() for helper in (gateway.helpers or {}).values()}
    charts = {"mirror": approval(sources=sorted(source for source in sources if source is not None))}
    needed = {
        "publicRanges": grants,
        "chartSources": charts,
        **(_offering(settings) if settings.backends is not None else {}),
    }
    return approvals_of({"version": 1, "cluster": cluster_ranges(), **needed, **more})


def _looked_up(backend: Backend) -> tuple[set[str], set[int]]:
    """The hosts and ports of a backend that is known by name only, and of what is fetched for it."""
    hosts: set[str] = set()
    ports: set[int] = set()
    endpoints = [each for each in (*(backend.endpoints or ()), *(backend.standby or ())) if each.fqdn is not None]
    if backend.cidrs is None:
        hosts |= {str(endpoint.fqdn) for endpoint in endpoints}
        ports |= {endpoint.port for endpoint in endpoints}
        if backend.resolver is not None:
            hosts |= set(backend.hostnames or ())
            ports.add(backend.resolver.port)
    for url in _fetched(backend):
        address = urlsplit(url)
        hosts.add(str(address.hostname))
        ports.add(address.port or 443)
    return hosts, ports


def _fetched(backend: Backend) -> Iterator[str]:
    jwt, oidc = backend.access.jwt, backend.access.oidc
    if jwt is not None and jwt.jwks_uri is not None and jwt.cidrs is None:
        yield jwt.jwks_uri
    if oidc is not None and oidc.cidrs is None:
        yield oidc.issuer if oidc.endpoints is None else oidc.endpoints.token


def _offering(settings: Settings) -> dict[str, Any]:
    """What is approved about backends besides addresses."""
    backends, gateways = settings.backends or {}, settings.backend_gateways or {}
    names = {hostname for backend in backends.values() for hostname in backend.hostnames or () if "." in hostname}
    sockets = {socket_path(helper) for gateway in gateways.values() for helper in gateway.helpers or {}}
    return {
        **platform(),
        **({"offeredNames": {"own": approval(zones=sorted(names))}} if names else {}),
        "dynamicResolvers": {
            name: approval(namespace=settings.install.envoy_gateway.namespace, name=name)
            for name, backend in backends.items()
            if backend.resolver is not None
        },
        "exposedGateways": {
            name: approval(
                exposure=gateway.exposure,
                sourceRanges=list(gateway.source_ranges or ()),
                annotations=dict(gateway.load_balancer or {}),
            )
            for name, gateway in gateways.items()
            if gateway.exposure != "inside"
        },
        **({"unixSockets": {"helpers": approval(paths=sorted(sockets))}} if sockets else {}),
    }


def dev_approvals() -> Approvals:
    """The approvals of the `dev` stack."""
    return load_approvals(ROOT / "policy" / "approvals" / "dev.yaml", TODAY)


def plan_of(values: Mapping[str, Any]) -> Plan:
    """The plan of a declaration whose public ranges are approved."""
    settings = settings_of(values)
    return make_plan(settings, just_enough(settings), stack="test")


def istio_of(plan: Plan) -> IstioPlan:
    """Our own install of Istio, which every flavour but `asm` has."""
    assert plan.istio is not None
    return plan.istio


def asked(settings: Settings, approvals: Approvals) -> list[tuple[str, str, str]]:
    """What is asked for and not granted: path, what is wrong, what to write instead."""
    found = check(settings, approvals, file=FILE, approvals_file=APPROVALS_FILE)
    return [(problem.dotted_path, problem.wrong, problem.instead) for problem in found]


def objects(plan: Any) -> list[KubeObject]:
    """Every Kubernetes object of a plan, or of a part of it, in the order of the plan."""
    return list(_objects(plan))


def _objects(part: Any) -> Iterator[KubeObject]:
    if isinstance(part, KubeObject):
        yield part
    elif is_dataclass(part):
        for each in fields(part):
            yield from _objects(getattr(part, each.name))
    elif isinstance(part, tuple):
        for item in part:  # pyright: ignore[reportUnknownVariableType] the plan's tuples hold anything
            yield from _objects(item)
    elif isinstance(part, Mapping):
        for item in part.values():  # pyright: ignore[reportUnknownVariableType] as its maps do
            yield from _objects(item)


def of_kind(plan: Any, kind: str) -> list[KubeObject]:
    """The objects of one kind."""
    return [item for item in objects(plan) if item.kind == kind]
