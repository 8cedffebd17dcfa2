"""Names that lead into the cluster, to the pod itself, or wherever their reader wants; offered ones as well."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from components.plan import network_needs
from components.plan.groups import SNI_ROOT
from components.plan.preflight.asking import ISSUERS, NODE_FETCHES
from components.settings import Settings
from components.settings.offers.backends import Backend
from components.settings.problems import Found, Path
from policy.approvals import Approvals
from policy.facts.names import NameClass, classify_name

_NEVER_NAMES = frozenset(
    {
        NameClass.NUMERIC,
        NameClass.LOCALHOST,
        NameClass.METADATA,
        NameClass.CLUSTER,
        NameClass.SINGLE_LABEL,
        NameClass.WILDCARD_DNS,
    }
)


def check(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """Every name that can be no way out, or that nobody let the stack offer."""
    zones = [zone for grant in approvals.offered_names.values() for zone in grant.zones]
    for path, host in (*_of_destinations(settings), *_of_backends(settings)):
        kind = classify_name(host, approvals.cluster.domain, frozenset(settings.cluster.namespaces))
        if kind in _NEVER_NAMES:
            yield path, f"{host} is a name of the kind {kind}, which is never a way out", "a public name"
        elif _is_within(host, SNI_ROOT):
            yield path, f"{host} is in the zone {SNI_ROOT}, which the gateway keeps for itself", "another name"
        elif _is_offered(path) and not any(_is_within(host, zone) for zone in zones):
            yield (
                path,
                f"{host} is in no zone that this stack may offer names of",
                f"another name, or have a zone that holds it added to offeredNames in {approvals_file}",
            )


def _of_destinations(settings: Settings) -> Iterator[tuple[Path, str]]:
    for name, destination in settings.destinations.items():
        for index, host in enumerate(destination.hosts):
            yield ("destinations", name, "hosts", index), host.removeprefix("*.")
        if destination.served_by is not None:
            yield ("destinations", name, "servedBy"), destination.served_by
    for name, need in network_needs.of_issuers(settings).items():
        for host in need.hosts:
            yield (*ISSUERS, name, "jwksUri"), host
    for name, fetch in network_needs.node_fetches(settings).items():
        for index, host in enumerate(fetch.hosts):
            yield (*NODE_FETCHES, name, "hosts", index), host


def _of_backends(settings: Settings) -> Iterator[tuple[Path, str]]:
    for name, backend in (settings.backends or {}).items():
        for key, endpoints in (("endpoints", backend.endpoints), ("standby", backend.standby)):
            for index, endpoint in enumerate(endpoints or ()):
                if endpoint.fqdn is not None:
                    yield ("backends", name, key, index, "fqdn"), endpoint.fqdn
        for index, hostname in enumerate(backend.hostnames or ()):
            yield ("backends", name, "hostnames", index), hostname
        for path, url in _urls(backend):
            yield ("backends", name, "access", *path), urlsplit(url).hostname or ""


def _urls(backend: Backend) -> Iterator[tuple[Path, str]]:
    """What is fetched, or where browsers are sent, so that callers can be checked."""
    jwt, oidc = backend.access.jwt, backend.access.oidc
    if jwt is not None and jwt.jwks_uri is not None:
        yield ("jwt", "jwksUri"), jwt.jwks_uri
    if oidc is not None:
        yield ("oidc", "issuer"), oidc.issuer
    if oidc is not None and oidc.endpoints is not None:
        yield ("oidc", "endpoints", "authorization"), oidc.endpoints.authorization
        yield ("oidc", "endpoints", "token"), oidc.endpoints.token


def _is_offered(path: Path) -> bool:
    """In every client namespace a backend takes its hostnames over, whoever has answered to them until then."""
    section, _, key, *_ = path
    return (section, key) == ("backends", "hostnames")


def _is_within(host: str, zone: str) -> bool:
    return host == zone or host.endswith(f".{zone}")
