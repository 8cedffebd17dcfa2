"""No backend is open while it changes: its old way in asks what it asked, or what the new one asks."""

import itertools
from pathlib import Path
from typing import Any, Final

import pytest

from tests.components.moments import Declared, declared, moments, ways
from tests.components.previewing import previewed
from tests.projects import copy_project
from tests.support import NEVER, Values, dev_values

_CERTIFICATES: Final[dict[str, Any]] = {"clientCertificates": {"secret": "callers"}}
_NEAR: Final[dict[str, Any]] = {"clientCidrs": ["10.20.0.0/16"]}
_TOKEN: Final[dict[str, Any]] = {
    "jwt": {"issuer": "lab", "audiences": ["offers"], "jwks": '{"keys": [{"kty": "OKP"}]}'}
}
_GATEWAYS: Final = ("one", "two")
_ENDED: Final[dict[str, Any]] = {"certificate": {"secret": "calls"}}
_PLAIN: Final[dict[str, Any]] = {}
_STATES: Final[list[tuple[str, dict[str, Any], dict[str, Any]]]] = [
    *itertools.product(("HTTP", "GRPC"), (_ENDED,), (_CERTIFICATES, _TOKEN, {**_CERTIFICATES, **_NEAR})),
    *itertools.product(("TLS",), (_ENDED,), (_CERTIFICATES, _NEAR, {**_CERTIFICATES, **_NEAR})),
    *itertools.product(("HTTP", "GRPC"), (_PLAIN,), (_NEAR,)),
]
"""Protocol, how callers' TLS ends, and access."""


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Declared]:
    """What each state registers, on each of two Gateways, which are not there for anybody else."""
    project = copy_project(tmp_path_factory.mktemp("changes") / "project")
    return {
        _named(gateway, *state): _registered(project, gateway, *state)
        for gateway, state in itertools.product(_GATEWAYS, _STATES)
    }


def _named(gateway: str, protocol: str, ended: dict[str, Any], access: dict[str, Any]) -> str:
    return f"{protocol} at {gateway}, {'with TLS' if ended else 'plain'}, for {' and '.join(access)}"


def _registered(project: Path, gateway: str, protocol: str, ended: dict[str, Any], access: dict[str, Any]) -> Declared:
    values: Values = dev_values()
    values["backendGateways"] = {gateway: {"exposure": "inside"}}
    values["backends"] = {
        "calls": {
            "gateway": gateway,
            "hostnames": ["calls.example.com"],
            "protocol": protocol,
            **ended,
            "endpoints": [{"ip": "93.184.216.40", "port": 8443}],
            "access": access,
            "owner": "team-shop",
            "ticket": "FW-1060",
            "expires": NEVER,
        }
    }
    return declared(previewed(project, values).registrations)


def _asked(all_of_it: Declared) -> frozenset[str]:
    """What callers must show once nothing changes any more."""
    (way,) = ways(all_of_it.state)
    return way.asked


_PAIRS: Final = list(itertools.permutations([_named(at, *each) for at in _GATEWAYS for each in _STATES], 2))


def test_a_backend_that_changes_is_never_open(registered: dict[str, Declared]) -> None:
    """Its route asked for nothing between a policy that was changed and one that was to come."""
    assert len({_asked(each) for each in registered.values()}) == 4
    open_ways: list[str] = []
    for old, new in _PAIRS:
        enough = [_asked(registered[old]), _asked(registered[new])]
        for state in moments(registered[old], registered[new]):
            found = [way for way in ways(state) if not any(asked <= way.asked for asked in enough)]
            open_ways += [f"{old} -> {new}: {way.kind} asks for {sorted(way.asked)}" for way in found]
    assert sorted(set(open_ways)) == []
