"""May a route lead to other backends, and can proxies share requests out among them?"""

from collections.abc import Mapping
from typing import Final

from components.settings.offers.backends import Backend
from components.settings.offers.routes import BackendRoute
from components.settings.parts import Parts
from components.settings.problems import Found, Path, did_you_mean

_MOST_TARGETS: Final = 16
"""Backends of one rule (Gateway API, HTTPRoute)."""


def check_route(path: Path, parts: Parts, backend: Backend, route: BackendRoute) -> Found:
    """Every other backend that a route may not lead to, and every way of sharing out that cannot be honoured."""
    others: list[tuple[Path, str]] = [((*path, "split", other), other) for other in route.split or {}]
    if route.split is not None:
        yield from _shares((*path, "split"), parts, backend, route.split)
    if route.mirror is not None:
        at = (*path, "mirror", "to")
        others.append((at, route.mirror.to))
        if is_found_by_name(parts, parts.backends.get(route.mirror.to)):
            wrong = f"sends copies under their first name, by which no sidecar finds backends.{route.mirror.to}"
            yield at, wrong, "a Gateway without `inMesh`, or `split`"
    for at, other in others:
        yield from _may_send(parts, backend, at, other)


def _shares(at: Path, parts: Parts, backend: Backend, split: Mapping[str, int]) -> Found:
    """Envoy Gateway makes one pool of a rule's targets: what holds for one of them holds for all."""
    total = sum(split.values())
    if total > 100:  # noqa: PLR2004 - percent
        yield at, f"adds up to {total} in a hundred", "at most 100"
    if len(split) >= _MOST_TARGETS:
        wrong = f"names {len(split)} others, and one route leads to {_MOST_TARGETS} backends in all"
        yield at, wrong, "fewer"
    if backend.standby is not None:
        wrong = "shares requests out, and `standby` would be one of those who get some"
        yield at, wrong, "a backend without `standby`"
    if any(endpoint.zone is not None for endpoint in backend.endpoints or ()):
        # One that prefers zones has no shares.
        wrong = "shares requests out, and by `zone` proxies would share them out otherwise"
        yield at, wrong, "endpoints without `zone`"
    named = {str(at[1]): backend, **{other: parts.backends[other] for other in split if other in parts.backends}}
    # A Service's port says itself what is spoken there (`appProtocol`).
    spoken = {name: each.application_protocol for name, each in named.items() if each.service is None}
    framed = [name for name, protocol in spoken.items() if protocol == "h2c"]
    if framed and len(framed) < len(spoken):
        other = next(name for name in spoken if name not in framed)
        wrong = f"has `h2c` (backends.{framed[0]}) in one pool with another protocol (backends.{other}): all get one"
        yield at, wrong, "`applicationProtocol: h2c` for all or none of them"


def _may_send(parts: Parts, backend: Backend, at: Path, other: str) -> Found:
    target = parts.backends.get(other)
    if other == at[1]:
        yield at, "is the backend itself", "another backend"
    elif target is None:
        if other not in parts.backend_names:
            yield at, f"there is no `{other}` under backends", did_you_mean(other, parts.backend_names - {str(at[1])})
    elif target.protocol != backend.protocol:
        wrong = f"backends.{other} is {target.protocol}, and this is {backend.protocol}"
        yield at, wrong, "a backend of the same `protocol`"
    elif target.resolver is not None or target.standby is not None:
        key = "resolver" if target.resolver is not None else "standby"
        yield at, f"backends.{other} has `{key}`, which shares requests with nobody", f"a backend without `{key}`"
    elif target.offered_by != backend.offered_by:
        wrong = f"backends.{other} is offered by another Gateway, whose callers may be others"
        yield at, wrong, "the same `gateway` for both"
    else:
        yield from _holds_as_well(backend, target, at, other)


def _holds_as_well(backend: Backend, target: Backend, at: Path, other: str) -> Found:
    """What a backend asks of its callers is asked by its own routes only, so these callers must be asked the same."""
    is_other = target.access != backend.access
    if is_other and target.access.public is None:
        wrong = f"backends.{other} has another `access`, which nobody would be asked for this way"
        yield at, wrong, "the same `access` for both"
    elif is_other and backend.access.passes_on:
        wrong = f"backends.{other} has another `access`, and by `passOn` would see what callers showed for this one"
        yield at, wrong, "the same `access` for both, or leave `passOn` out"
    elif target.limits is not None and target.limits != backend.limits:
        wrong = f"backends.{other} has `limits`, which would not hold this way"
        yield at, wrong, "the same `limits` for both"
    elif target.routes is not None:
        wrong = f"backends.{other} has `routes`, which would not hold this way: all its paths would be reached"
        yield at, wrong, "a backend without `routes`"
    elif target.certificate is not None and backend.certificate is None:
        wrong = f"backends.{other} is offered with TLS only, and this is offered in plain text"
        yield at, wrong, "`certificate` for both"


def is_found_by_name(parts: Parts, backend: Backend | None) -> bool:
    """Whether a Gateway's sidecars stand before a backend's Service."""
    if backend is None or backend.service is None:
        return False
    gateway = parts.backend_gateways.get(backend.offered_by)
    return gateway is not None and gateway.in_mesh
