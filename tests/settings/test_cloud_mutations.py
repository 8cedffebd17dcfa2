"""As test_mutations.py, for what is created on Alibaba Cloud: each slip is refused in its place."""

import pytest

from components.settings import report
from components.settings.problems import Path, dotted
from tests.every_cloud_key import LIMITS, VARIANTS
from tests.settings.mutations import Mutation, mutations
from tests.settings.test_mutations import explains, is_legitimate
from tests.support import dev_values, problems_of

_LIMITS = "cloud.limits"
_NODES = "egress.nodes"
_OPTIONAL = {
    *(f"cloud.{key}" for key in ("site", "role")),
    *(f"{_LIMITS}.{key}" for key in LIMITS if key not in ("natPolicies", "internetPolicies")),
    *(f"{_NODES}.{key}" for key in ("image", "disk", "disk.gib", "disk.kmsKey")),
    *(f"{_NODES}.fetches.{key}" for key in ("registry", "mirror.cidrs")),
    *(f"egress.addresses.{key}" for key in ("count", "sharedBandwidth", "protected")),
    *(f"egress.firewall.{key}" for key in ("internetBoundary", "propagationSeconds")),
}
"""What may be left out."""
_NAMES_OF_ITS_OWN = {f"{_NODES}.{key}" for key in ("labels.pool", "taints.pool", "fetches.mirror", "fetches.registry")}
_NUMBERS = {
    *(f"{_LIMITS}.{key}" for key in LIMITS),
    *(f"{_NODES}.{key}" for key in ("count", "autoscaling.max")),
    *(f"egress.{key}" for key in ("addresses.bandwidth", "addresses.count", "firewall.propagationSeconds")),
}
"""Keys for which 7 will do."""
_NEEDED = ("cluster.context", "egress.mesh.gateway")
"""What only a stack on existing nodes may leave out."""


def _is_legitimate(mutation: Mutation) -> bool:
    where = dotted(mutation.place)
    if where.startswith((*_NEEDED, "install")) and mutation.what == "removed":
        return False
    if mutation.place[0] == "install" and mutation.what == "odd text":
        return False  # nodes pull images from there
    if where in (f"{_NODES}.fetches.mirror.hosts", f"{_NODES}.fetches.mirror.port"):
        return False  # likewise
    allowed = {
        "removed": where in _OPTIONAL,
        "renamed": where in _NAMES_OF_ITS_OWN,
        "number": where in _NUMBERS,
    }
    return allowed.get(mutation.what, False) or is_legitimate(mutation)


def _related(place: Path, problem: Path) -> bool:
    """Whether a problem may come from a place to which what it is about refers."""
    match problem:
        case ("install", "istio" | "envoyGateway", "imageRegistry"):
            return place[0] == "install" or place[:3] == ("egress", "nodes", "fetches")
        case ("egress", "mesh", "gateway", "hostNetwork"):
            return place == problem[:-1]
        case ("egress", "mesh", "flavour"):
            return place == ("install", "gatewayApi")
        case ("egress", "nodes", "taints"):
            return place[:3] == problem
        case _:
            return False


def _tried() -> list[tuple[str, Mutation]]:
    """Each once, in the first variant that has it; those of the `dev` stack are tried elsewhere."""
    tried = {str(mutation) for mutation in mutations(dev_values())}
    found: list[tuple[str, Mutation]] = []
    for variant, values in VARIANTS.items():
        for each in mutations(values()):
            if str(each) not in tried and each.of(values()) != values():
                tried.add(str(each))
                found.append((variant, each))
    return found


@pytest.mark.parametrize(("variant", "mutation"), _tried(), ids=str)
def test_every_mutation_is_refused_in_its_place(variant: str, mutation: Mutation) -> None:
    """A slip of the pen created something else than meant, ended in a traceback, or was reported elsewhere."""
    problems = problems_of(mutation.of(VARIANTS[variant]()))
    if _is_legitimate(mutation):
        assert problems == (), report(problems)
        return
    assert problems, "accepted"
    for problem in problems:
        assert explains(mutation, problem.path) or _related(mutation.place, problem.path), report(problems)
