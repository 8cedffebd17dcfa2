"""As test_mutations.py, for who may call backends, and how much: each slip is refused in its place."""

import pytest

from components.settings import report
from components.settings.problems import Path, dotted
from tests.every_offer_key_access import access_backends, access_values
from tests.settings.mutations import Mutation, mutations
from tests.settings.test_mutations import explains, is_legitimate
from tests.support import Values, dev_values, problems_of

_TRIED = frozenset({"access", "limits", "connections", "outliers"})
_LIMITS = "tokens.limits"
_JWT = "tokens.access.jwt"
_OIDC = "logins.access.oidc"
_OPTIONAL = {
    f"{_LIMITS}.bodyBytes",
    *(f"{_LIMITS}.requests.{key}" for key in ("each-proxy", "all", "caller", "tenant")),
    *(f"{_LIMITS}.requests.{key}" for key in ("all.counted", "caller.each", "tenant.eachHeader")),
    *(f"{_JWT}.{key}" for key in ("cidrs", "claims", "claims.team", "claims.realm_access.roles", "passOn")),
    *(f"{_OIDC}.{key}" for key in ("endpoints", "cidrs", "scopes", "callback", "logout", "passOn")),
    *(f"keys.access.{key}" for key in ("apiKeys", "apiKeys.header", "clientCidrs")),
    *(f"passwords.{key}" for key in ("connections", "outliers")),
    *(f"passwords.connections.{key}" for key in ("maxConnections", "connectTimeout", "maxPendingRequests")),
    *(f"passwords.connections.{key}" for key in ("maxRequestsPerConnection", "maxParallelRequests", "idleTimeout")),
    *(f"passwords.outliers.{key}" for key in ("consecutiveErrors", "interval", "ejectionTime", "maxPercent")),
    *(f"asked.access.external.service.{key}" for key in ("podPort", "timeout", "headers")),
    "helped.access.external.timeout",
    "shown.access.clientCertificates.names",
}
"""What may be left out, below `backends`."""
_NAMES_OF_ITS_OWN = {
    *(f"{_LIMITS}.requests.{key}" for key in ("each-proxy", "all", "caller", "tenant")),
    *(f"{_JWT}.claims.{key}" for key in ("team", "realm_access.roles")),
}
_NUMBERS = frozenset(
    {
        *("requests", "bodyBytes", "podPort", "consecutiveErrors", "maxPercent"),
        *("maxConnections", "maxPendingRequests", "maxRequestsPerConnection", "maxParallelRequests"),
    }
)
_WORDS = ("issuer", "audiences[0]", "team[0]", "team[1]", "roles[0]", "clientId", "scopes[0]")
_LISTS = ("audiences", "team", "roles", "scopes", "headers", "names")


def _is_legitimate(mutation: Mutation) -> bool:
    where, key = dotted(mutation.place[1:]), str(mutation.place[-1])
    if where.startswith("logins") and key == "issuer":
        return False  # a provider is an address
    allowed = {
        "removed": where in _OPTIONAL,
        "renamed": where in _NAMES_OF_ITS_OWN,
        "number": key in _NUMBERS and where != f"{_LIMITS}.requests",
        "odd text": where.endswith(_WORDS),
        "list": where.endswith(_LISTS),
        "true": key == "passOn",
    }
    return allowed.get(mutation.what, False) or is_legitimate(mutation)


def _related(place: Path, problem: Path) -> bool:
    """Whether nobody uses any more what a mutated backend used."""
    match problem:
        case ("install", "envoyGateway", "redis"):
            return "limits" in place
        case ("backendGateways", "default", "helpers", "opa"):
            return place[1] == "helped"
        case _:
            return False


def _values() -> Values:
    values = dev_values()
    access_values(values)
    return values


def _tried() -> list[Mutation]:
    return [
        each
        for each in mutations(_values()["backends"], ("backends",))
        if len(each.place) >= len(("backends", "", ""))
        and each.place[1] in access_backends()
        and each.place[2] in _TRIED
    ]


@pytest.mark.parametrize("mutation", _tried(), ids=str)
def test_every_mutation_is_refused_in_its_place(mutation: Mutation) -> None:
    """A slip of the pen opened a backend, lifted a limit, ended in a traceback, or was reported elsewhere."""
    values = _values()
    mutated = mutation.of(values)
    if mutated == values:
        return
    problems = problems_of(mutated)
    if _is_legitimate(mutation):
        assert problems == (), report(problems)
        return
    assert problems, "accepted"
    for problem in problems:
        assert explains(mutation, problem.path) or _related(mutation.place, problem.path), report(problems)
