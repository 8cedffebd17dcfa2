"""As test_mutations.py, for what destinations and gateways may ask for: each slip is refused in its place."""

import pytest

from components.settings import report
from components.settings.problems import Path, dotted
from tests.every_key import rich_values
from tests.settings.mutations import Mutation, mutations
from tests.settings.test_mutations import explains, is_legitimate
from tests.support import Values, dev_values, problems_of

_BILLING = "destinations.billing.ports.api"
_PARTNERS = "egress.mesh.gateways.partners"
_OPTIONAL = {
    "cluster.ipFamilies",
    *(f"{_PARTNERS}.{key}" for key in ("autoscaling", "nodes", "addresses", "drainSeconds")),
    *(f"{_PARTNERS}.autoscaling.{key}" for key in ("minReplicas", "cpuPercent")),
    f"{_PARTNERS}.nodes.taints.partners.value",
    *(f"egress.mesh.issuers.{key}" for key in ("lab", "corp.header", "corp.cidrs")),
    *(f"egress.mesh.authorizers.opa.{key}" for key in ("podPort", "timeout", "headers")),
    *(f"egress.mesh.tracing{key}" for key in ("", ".port", ".podPort", ".percent")),
    *(f"egress.mesh.alerts{key}" for key in ("", ".labels", ".severity")),
    *(f"destinations.{name}" for name in ("edition-cnn", "billing", "pages", "database")),
    *(f"destinations.billing.{key}" for key in ("cidrs", "token", "token.claims", "authorizer")),
    "destinations.billing-spare.cidrs",
    *(f"{_BILLING}.tls.{key}" for key in ("serverName", "clientCertificate")),
    *(f"{_BILLING}.allow{key}" for key in ("", ".methods", ".paths")),
    *(f"{_BILLING}.routing{key}" for key in ("", ".timeout", ".retries", ".split", ".mirror")),
    *(f"{_BILLING}.routing.{key}" for key in ("retries.perTryTimeout", "mirror.percent")),
    *(f"{_BILLING}.routing.{side}Headers{key}" for side in ("request", "response") for key in ("", ".set", ".remove")),
    f"{_BILLING}.connections",
    *(f"{_BILLING}.connections.{key}" for key in ("maxConnections", "connectTimeout", "maxPendingRequests")),
    *(f"{_BILLING}.connections.{key}" for key in ("maxRequestsPerConnection", "idleTimeout")),
    f"{_BILLING}.outliers",
    *(f"{_BILLING}.outliers.{key}" for key in ("consecutiveErrors", "interval", "ejectionTime", "maxPercent")),
}
"""What may be left out."""
_NAMES_OF_ITS_OWN = {
    f"{_PARTNERS}.nodes.labels.pool",
    f"{_PARTNERS}.nodes.taints.partners",
    "egress.mesh.issuers.lab",
    "egress.mesh.alerts.labels.release",
    _BILLING,
    f"{_BILLING}.routing.requestHeaders.set.x-team",
    f"{_BILLING}.routing.responseHeaders.set.x-from",
    "destinations.billing",
    "destinations.billing.token.claims.team",
    "destinations.billing-spare.ports.api",
    "destinations.pages",
    "destinations.pages.ports.https",
    "destinations.database",
    "destinations.database.clients.batch.labels.app",
    "destinations.database.ports.sql",
}
"""What may be called anything."""
_NUMBERS = (
    *("drainSeconds", "maxReplicas", "podPort", "percent", "clientPort", "attempts"),
    *("maxConnections", "maxPendingRequests", "maxRequestsPerConnection", "consecutiveErrors", "maxPercent"),
)
"""Keys for which 7 will do."""
_WORDS = ("x-team", "x-from")
_LISTS = ("audiences", "headers", "remove", "team")


def _is_legitimate(mutation: Mutation) -> bool:
    where, key = dotted(mutation.place), str(mutation.place[-1])
    if where == "destinations.pages.hosts" and mutation.what == "list":
        return False  # `x` is no wildcard
    allowed = {
        "removed": where in _OPTIONAL,
        "renamed": where in _NAMES_OF_ITS_OWN,
        "number": key in _NUMBERS or where.endswith("split.billing-spare"),
        "odd text": key in _WORDS or where.endswith(("audiences[0]", "claims.team[0]", "corp.issuer", "lab.issuer")),
        "list": key in _LISTS,
        "map": where.endswith("Headers.set"),
    }
    return allowed.get(mutation.what, False) or is_legitimate(mutation)


def _related(place: Path, problem: Path) -> bool:
    """Whether a destination's problem may come from a place to which it refers."""
    if problem[0] != "destinations":
        return False
    match place:
        case ("destinations", name, *_):
            return problem[1] == name or (name == "billing-spare" and "routing" in problem)
        case ("egress", "mesh", *_):
            return bool({"gateway", "authorizer", "token"} & {*problem})
        case ("cluster", "namespaces", namespace, *_):
            return namespace in problem
        case _:
            return False


def _tried() -> list[Mutation]:
    """Those of the `dev` stack are tried elsewhere."""
    known, values = {str(mutation) for mutation in mutations(dev_values())}, rich_values()
    return [each for each in mutations(values) if str(each) not in known and each.of(values) != values]


@pytest.mark.parametrize("mutation", _tried(), ids=str)
def test_every_mutation_is_refused_in_its_place(mutation: Mutation) -> None:
    """A slip of the pen in a destination was taken silently, ended in a traceback, or was reported elsewhere."""
    mutated: Values = mutation.of(rich_values())
    problems = problems_of(mutated)
    if _is_legitimate(mutation):
        assert problems == (), report(problems)
        return
    assert problems, "accepted"
    for problem in problems:
        assert explains(mutation, problem.path) or _related(mutation.place, problem.path), report(problems)


def test_the_declaration_that_is_mutated_is_good() -> None:
    """A mutation was refused for what was wrong before it."""
    assert problems_of(rich_values()) == ()
