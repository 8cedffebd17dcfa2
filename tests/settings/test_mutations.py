"""Every leaf and key of a stack file, got wrong in every way: each is refused, in its own place."""

from collections import defaultdict

import pytest
from pydantic import BaseModel

from components.settings import SettingsError, report
from components.settings.plain import is_list, is_map
from components.settings.problems import dotted
from tests.every_cloud_key import VARIANTS
from tests.every_key import rich_values
from tests.every_offer_key import every_offer_values
from tests.settings.mutations import Mutation, mutations
from tests.support import Values, dev_values, full_values, problems_of, settings_of

_FREE_TEXT = ("owner", "ticket", "public", "username", "context")
"""Words for people: any text will do."""
_NAMES_OF_ITS_OWN = {
    "cluster.namespaces.monitoring": "a platform namespace may be any",
    "destinations.edition-cnn": "an entry may have any name",
    "destinations.edition-cnn.ports.http": "so may a port",
    "destinations.edition-cnn.ports.https": "so may a port",
    "backends.n9e": "an entry may have any name",
    "backends.httpbin": "an entry may have any name",
    "egress.nodes.labels.node-role.cluster-egress/egress": "nodes may have any labels",
    "egress.nodes.taints.dedicated": "and any taints",
}
_OPTIONAL = {
    "backends",
    "install",
    "include",
    "cluster.context",
    "cluster.nodeLocalDns",
    "cluster.namespaces.monitoring",
    "egress.nodes.taints.dedicated.value",
    "egress.mesh.trustDomain",
    "egress.mesh.gateway",
    "egress.mesh.gateway.namespace",
    "egress.mesh.gateway.replicas",
    "destinations.edition-cnn.cidrs",
    "backends.httpbin.cidrs",
    *(f"backends.{name}" for name in ("n9e", "httpbin")),
    *(f"destinations.edition-cnn.ports.{name}" for name in ("http", "https")),
    *(f"destinations.edition-cnn.clients.{name}" for name in ("news", "shop")),
    "install.chartRegistry",
    "install.istio",
    "install.envoyGateway",
    *(
        f"install.istio.{key}"
        for key in ("version", "namespace", "base", "istiod", "gateway", "cni", "ztunnel", "imageRegistry")
    ),
    *(f"install.envoyGateway.{key}" for key in ("version", "namespace", "chart", "imageRegistry")),
}
"""What may be left out: maps with other entries, and keys with a default."""
_NUMBERS = ("port", "replicas")
_ANY_WORD = ("base", "istiod", "gateway", "cni", "ztunnel", "chart", "imageRegistry")
"""Folders and addresses of charts: anything without blanks may be one."""
_NAMES = ("hosts", "hostnames", "serviceAccounts")
"""Lists of names, of which `[x]` is one."""
_TRIED_ELSEWHERE = {
    "Mesh": {"asm", "data_plane"},  # of another flavour; in test_ambient
    "Istio": {"canary"},
    "Install": {"gateway_api"},
    "EgressGateway": {"autoscaling", "nodes", "addresses", "host_network"},  # as of a further gateway
    "FurtherGateway": {"replicas", "host_network"},
}


def is_legitimate(mutation: Mutation) -> bool:
    """Whether a mutation makes another good declaration."""
    where, key = dotted(mutation.place), str(mutation.place[-1])
    allowed = {
        "removed": where in _OPTIONAL,
        "renamed": where in _NAMES_OF_ITS_OWN,
        "number": key in _NUMBERS,
        "odd text": key in (*_FREE_TEXT, "charts") or (mutation.place[0] == "install" and key in _ANY_WORD),
        "blank": key == "charts",  # a secret may be any text
        "list": key in _NAMES,  # of one that does not exist, perhaps: the pack judges what a name may be
        "map": key == "labels",
    }
    return allowed.get(mutation.what, False)


def explains(mutation: Mutation, path: tuple[str | int, ...]) -> bool:
    """Whether a problem at `path` leads to the mutated place: it is that place, its parent, or something below."""
    place = mutation.place if mutation.renamed is None else (*mutation.place[:-1], mutation.renamed)
    is_there = path in {place, place[:-1], mutation.place}
    return is_there or path[: len(place)] == place or mutation.place in _referred_to(path)


def _referred_to(path: tuple[str | int, ...]) -> set[tuple[str | int, ...]]:
    """Places of which a cross check speaks where they are used."""
    match path:
        case ("destinations", _, "clients", namespace):
            above = ("cluster", "namespaces")
            return {above, (*above, namespace), (*above, namespace, "role")}
        case ("install", "chartRegistry", "passwordSecret"):
            return {("secrets",), ("secrets", "charts")}
        case _:
            return set()


def _tried(values: Values) -> list[Mutation]:
    return list(mutations(values))


@pytest.mark.parametrize("mutation", _tried(dev_values()), ids=str)
def test_every_mutation_of_the_dev_stack_is_refused_in_its_place(mutation: Mutation) -> None:
    """A slip of the pen in the stack file was taken silently, ended in a traceback, or was reported elsewhere."""
    _check(mutation, dev_values())


@pytest.mark.parametrize("mutation", _tried(full_values()), ids=str)
def test_every_mutation_of_a_stack_with_every_key_is_refused_in_its_place(mutation: Mutation) -> None:
    """As above, for the keys that the `dev` stack leaves out."""
    _check(mutation, full_values())


def _check(mutation: Mutation, values: Values) -> None:
    mutated = mutation.of(values)
    problems = problems_of(mutated)
    if is_legitimate(mutation):
        assert problems == (), report(problems)
        assert settings_of(mutated) != settings_of(values) or mutation.place[0] == "secrets", "changes nothing"
        return
    assert problems, "accepted"
    for problem in problems:
        assert explains(mutation, problem.path), report(problems)
        assert problem.wrong
        assert problem.instead


def test_the_walk_reaches_every_leaf() -> None:
    """The walk passed over a part of the file, so its mutations were never tried."""
    places = {dotted(mutation.place) for mutation in mutations(full_values())}
    assert len(places) > 100
    assert {"backends.n9e.endpoints[1].port", "egress.addresses.cidrs[0]", "cluster.name"} <= places


def _used(value: object, found: defaultdict[type[BaseModel], set[str]]) -> None:
    if isinstance(value, BaseModel):
        found[type(value)] |= {name for name in value.model_fields_set if getattr(value, name) is not None}
        for name in type(value).model_fields:
            _used(getattr(value, name), found)
    elif is_map(value):
        for item in value.values():
            _used(item, found)
    elif is_list(value):
        for item in value:
            _used(item, found)


def test_every_key_that_settings_know_is_mutated() -> None:
    """A new key was never tried, because the stack with every key does not have it."""
    found: defaultdict[type[BaseModel], set[str]] = defaultdict(set)
    on_cloud = [values() for values in VARIANTS.values()]
    for values in (full_values(), rich_values(), every_offer_values(), *on_cloud):
        _used(settings_of(values), found)
    missing = {model.__name__: set(model.model_fields) - names for model, names in found.items()}
    assert {name: rest for name, keys in missing.items() if (rest := keys - _TRIED_ELSEWHERE.get(name, set()))} == {}


def test_the_stacks_that_are_mutated_are_good() -> None:
    """A mutation was refused for what was wrong before it."""
    assert problems_of(dev_values()) == ()
    assert problems_of(full_values()) == ()


def test_a_whole_file_of_nothing_is_refused() -> None:
    """An empty stack file ended in a traceback."""
    with pytest.raises(SettingsError) as error:
        settings_of({})
    assert [problem.dotted_path for problem in error.value.problems] == ["cluster", "destinations", "egress"]
