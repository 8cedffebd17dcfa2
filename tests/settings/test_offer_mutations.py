"""As test_mutations.py, for where backends answer, their routes, and their Gateways: each slip is refused in its place.

Who may call, and how much, is in test_access_mutations.py.
"""

import pytest

from components.settings import report
from components.settings.problems import Path, dotted
from tests.every_offer_key import every_offer_values
from tests.settings.mutations import Mutation, mutations
from tests.settings.test_mutations import explains, is_legitimate
from tests.support import dev_values, problems_of

_VALUES = every_offer_values()
_TRIED_ELSEWHERE = frozenset({"access", "limits", "connections", "outliers", "owner", "ticket", "expires"})
_CATALOGUE = "backends.catalogue.routes"
_ITEMS = f"{_CATALOGUE}.items"
_ORDERS = "backends.orders.routes"
_PARTNERS = "backendGateways.partners"
_LOAD_BALANCER = f"{_PARTNERS}.loadBalancer.service.beta.kubernetes.io/alibaba-cloud-loadbalancer-spec"


def _below(above: str, *keys: str) -> set[str]:
    return {f"{above}.{key}" for key in keys}


_OPTIONAL = {
    *_below("backends.shop-api", "gateway", "certificate.issuer.kind", "httpsRedirect"),
    *_below("backends.calls", "protocol", "certificate.namespace"),
    "backends.helped.healthCheck",
    *_below("backends.asked.healthCheck", "timeout", "unhealthyAfter", "healthyAfter"),
    *_below("backends.catalogue", "tls", "tls.clientCertificate", "routes"),
    *_below(_CATALOGUE, "everything", "everything.rewrite", "items", "moved", "moved.redirect"),
    *_below(f"{_CATALOGUE}.moved.redirect", "host", "path", "status"),
    *_below(_ITEMS, "methods", "headers", "rewrite", "rewrite.host", "rewrite.path", "split", "mirror", "timeout"),
    *_below(_ITEMS, "requestHeaders", "requestHeaders.set", "requestHeaders.remove", "mirror.percent"),
    *_below(_ITEMS, "responseHeaders", "responseHeaders.set", "responseHeaders.remove"),
    *_below(_ITEMS, "retries", "retries.perTryTimeout", "retries.codes"),
    *_below("backends.chat", "standby", "cidrs", "applicationProtocol", "tls.minVersion"),
    *_below(_ORDERS, "all", "all.paths", "all.headers"),
    *_below(_ORDERS, "one", "one.paths", "one.split", "one.mirror", "one.mirror.percent"),
    "backends.orders-next.service.podPort",
    "backendGateways.default.replicas",
    *_below(_PARTNERS, "loadBalancer", "nodes", "nodes.taints.partners.value", "autoscaling", "drainSeconds"),
    *_below(_PARTNERS, "autoscaling.minReplicas", "autoscaling.cpuPercent", "inMesh", "minTlsVersion"),
    *_below(_PARTNERS, "trustedProxies", "maxConnections", "helpers.judge.arguments", "accessLog.stdout"),
    *_below(_PARTNERS, "accessLog.collector", "accessLog.collector.port", "accessLog.collector.podPort"),
    *_below("install.envoyGateway.redis", "port", "podPort"),
}
_NAMES_OF_ITS_OWN = {
    *_below(_CATALOGUE, "everything", "items", "moved"),
    *_below(_ITEMS, "headers.x-tenant", "requestHeaders.set.x-team", "responseHeaders.set.x-from"),
    *_below(_ORDERS, "all", "all.headers.x-tenant", "one"),
    _LOAD_BALANCER,
    *_below(_PARTNERS, "nodes.labels.pool", "nodes.taints.partners"),
}
_NUMBERS = (
    *("unhealthyAfter", "healthyAfter", "catalogue-next", "orders-next", "percent", "attempts"),
    *("podPort", "minReplicas", "maxReplicas", "drainSeconds", "maxConnections"),
)
"""Keys for which 7 will do."""
_WORDS = ("x-tenant", "x-team", "x-from", "image", "arguments[0]", "arguments[1]", "loadbalancer-spec")
_LISTS = ("requestHeaders.remove", "responseHeaders.remove", "arguments")
_MAPS = ("headers", "requestHeaders.set", "responseHeaders.set", "loadBalancer")


def _is_legitimate(mutation: Mutation) -> bool:
    where, key = dotted(mutation.place), str(mutation.place[-1])
    if where in ("install.envoyGateway", "backends.partners.resolver.port"):
        return False  # it has Redis, which is needed; and no port but 443
    if where == "backends.shop-api" and mutation.what in ("removed", "renamed"):
        return True
    allowed = {
        "removed": where in _OPTIONAL,
        "renamed": where in _NAMES_OF_ITS_OWN,
        "number": key in _NUMBERS and where not in ("backends.catalogue-next", "backends.orders-next"),
        "odd text": where.endswith(_WORDS),
        "list": where.endswith(_LISTS),
        "map": where.endswith(_MAPS),
    }
    return allowed.get(mutation.what, False) or is_legitimate(mutation)


def _related(place: Path, problem: Path) -> bool:
    """Whether something else stands only together with what was mutated."""
    match place:
        case ("backends", name, "certificate"):
            related = problem[:2] == ("backends", name)
        case ("backends", _, "endpoints", _, "zone"):
            related = problem == place[:3]
        case ("backends", _, "routes", _, "paths"):
            related = problem[:4] == place[:4]
        case ("backendGateways", "default"):
            related = problem[0] == "backends" and problem[2] in ("gateway", "access")
        case ("backendGateways", name, "helpers" | "accessLog", *_):
            related = "socket" in problem or problem[:3] == ("backendGateways", name, "helpers")
        case ("install", *_):
            related = problem[-1] == "counted"
        case _:
            related = False
    return related


def _tried() -> list[Mutation]:
    """Each key once, whichever backend has it first."""
    found: dict[tuple[str, str], Mutation] = {}
    for section, apart in (("backends", 1), ("backendGateways", 1), ("install", 0)):
        known = {str(each) for each in mutations(dev_values().get(section, {}), (section,))}
        for each in mutations(_VALUES[section], (section,)):
            key = dotted((section, *each.place[1 + apart :]))
            is_tried = len(each.place) > 2 and each.place[2] in _TRIED_ELSEWHERE and section == "backends"
            if not is_tried and str(each) not in known and each.of(_VALUES) != _VALUES:
                found.setdefault((key, each.what), each)
    return list(found.values())


@pytest.mark.parametrize("mutation", _tried(), ids=str)
def test_every_mutation_is_refused_in_its_place(mutation: Mutation) -> None:
    """A slip of the pen led requests elsewhere, opened a Gateway, ended in a traceback, or was reported elsewhere."""
    problems = problems_of(mutation.of(_VALUES))
    if _is_legitimate(mutation):
        assert problems == (), report(problems)
        return
    assert problems, "accepted"
    for problem in problems:
        assert explains(mutation, problem.path) or _related(mutation.place, problem.path), report(problems)
