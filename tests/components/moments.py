"""What is in a cluster at every moment of an update, and what its Gateways then ask of callers.

An update creates and changes objects, each after those that it depends on, and the rest side by side; then it deletes
what is left over, each before those that it depended on (pulumi.com, "How Pulumi works").
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cli.offline.records import Registration
from tests.components.previewing import needs

_LISTENED: Final = ("ClientTrafficPolicy", "Gateway", "SecurityPolicy")
_ROUTES: Final = ("GRPCRoute", "HTTPRoute", "TLSRoute")

State = Mapping[str, Registration]
"""What is there, by URN; the oldest first."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a declaration registers that says who may call."""

    state: State
    needs: Mapping[str, set[str]]
    """What each comes after."""


def declared(registrations: Sequence[Registration]) -> Declared:
    """Of all that was registered, routes and what holds for them."""
    state = {each.urn: each for each in registrations if each.inputs.get("kind") in (*_LISTENED, *_ROUTES)}
    return Declared(state=state, needs={urn: needs(registrations, urn) for urn in state})


def moments(old: Declared, new: Declared) -> Iterator[State]:
    """Everything that can be there at one time while an update leads from `old` to `new`.

    Each step is taken with every choice of what runs beside it.
    """
    before, after = old.state, new.state
    written = [urn for urn, each in after.items() if urn not in before or before[urn].inputs != each.inputs]
    for done in _prefixes(written, new.needs):
        yield {**before, **{urn: after[urn] for urn in done}}
    gone = [urn for urn in before if urn not in after]
    users = {urn: {user for user in gone if urn in old.needs[user]} for urn in gone}
    for done in _prefixes(gone, users):
        yield {urn: each for urn, each in {**before, **after}.items() if urn not in done}


@dataclass(frozen=True, kw_only=True)
class Way:
    """A listener, and a route that is attached to it."""

    kind: str
    asked: frozenset[str]
    """What callers must show there."""


def ways(state: State) -> Iterator[Way]:
    """Every way in, as Envoy Gateway v1.9 makes them.

    The oldest of several ClientTrafficPolicies for one listener holds, and no other (clienttrafficpolicy.go); a
    SecurityPolicy for a route takes the place of one for its listener (securitypolicy.go).
    """
    gateways = {each.name: each for each in _objects(state, ("Gateway",))}
    for route in _objects(state, _ROUTES):
        for parent in route.spec["parentRefs"]:
            gateway = gateways.get(parent["name"])
            listeners = () if gateway is None else gateway.spec["listeners"]
            for listener in listeners:
                kinds = {each["kind"] for each in listener["allowedRoutes"]["kinds"]}
                if listener["name"] == parent["sectionName"] and route.kind in kinds:
                    yield Way(kind=route.kind, asked=frozenset(_asked(state, route, parent)))


@dataclass(frozen=True, kw_only=True)
class _Object:
    kind: str
    name: str
    spec: Any


def _asked(state: State, route: _Object, parent: Mapping[str, str]) -> Iterator[str]:
    place = ("Gateway", parent["name"], parent["sectionName"])
    for policy in _objects(state, ("ClientTrafficPolicy",)):
        if place in _targets(policy):
            if "clientValidation" in policy.spec["tls"]:
                yield f"certificate {json.dumps(policy.spec['tls']['clientValidation'])}"
            break
    for target in ((route.kind, route.name, None), place):
        found = [each for each in _objects(state, ("SecurityPolicy",)) if target in _targets(each)]
        if found:
            yield from (f"{key} {json.dumps(way)}" for key, way in found[0].spec.items() if key != "targetRefs")
            break


def _targets(policy: _Object) -> list[tuple[str, str, str | None]]:
    return [(each["kind"], each["name"], each.get("sectionName")) for each in policy.spec["targetRefs"]]


def _objects(state: State, kinds: Sequence[str]) -> Iterator[_Object]:
    for each in state.values():
        if each.inputs["kind"] in kinds and each.inputs["apiVersion"].startswith("gateway."):
            yield _Object(kind=each.inputs["kind"], name=each.inputs["metadata"]["name"], spec=each.inputs["spec"])


def _prefixes(steps: Sequence[str], first: Mapping[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Every set of steps of which each has those that come first."""
    for number in range(len(steps) + 1):
        for done in itertools.combinations(steps, number):
            if all(first[step].intersection(steps) <= set(done) for step in done):
                yield done
