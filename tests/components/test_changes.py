"""No backend is open while it changes: its old way in asks what it asked, or what the new one asks."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from cli.offline.records import Registration
from tests.components.moments import moments, ways
from tests.components.previewing import previewed
from tests.projects import copy_project
from tests.support import NEVER, Values, dev_values

_CERTIFICATES: Final[dict[str, Any]] = {"clientCertificates": {"secret": "callers"}}
_NEAR: Final[dict[str, Any]] = {"clientCidrs": ["10.20.0.0/16"]}
_TOKEN: Final[dict[str, Any]] = {
    "jwt": {"issuer": "lab", "audiences": ["offers"], "jwks": '{"keys": [{"kty": "OKP"}]}'}
}
_STATES: Final = [
    *itertools.product(("HTTP", "GRPC"), (_CERTIFICATES, _TOKEN, {**_CERTIFICATES, **_NEAR})),
    *itertools.product(("TLS",), (_CERTIFICATES, _NEAR, {**_CERTIFICATES, **_NEAR})),
]


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sequence[Registration]]:
    """What each state registers, on each of two Gateways, which are not there for anybody else."""
    project = copy_project(tmp_path_factory.mktemp("changes") / "project")
    return {
        _named(gateway, protocol, access): _registered(project, gateway, protocol, access)
        for gateway in ("one", "two")
        for protocol, access in _STATES
    }


def _named(gateway: str, protocol: str, access: dict[str, Any]) -> str:
    return f"{protocol} at {gateway} for {' and '.join(access)}"


def _registered(project: Path, gateway: str, protocol: str, access: dict[str, Any]) -> Sequence[Registration]:
    values: Values = dev_values()
    values["backendGateways"] = {gateway: {"exposure": "inside"}}
    values["backends"] = {
        "calls": {
            "gateway": gateway,
            "hostnames": ["calls.example.com"],
            "protocol": protocol,
            "certificate": {"secret": "calls"},
            "endpoints": [{"ip": "93.184.216.40", "port": 8443}],
            "access": access,
            "owner": "team-shop",
            "ticket": "FW-1060",
            "expires": NEVER,
        }
    }
    return previewed(project, values).registrations


def _asked(registrations: Sequence[Registration]) -> frozenset[str]:
    """What callers must show once nothing changes any more."""
    (way,) = ways({each.urn: each for each in registrations if "kind" in each.inputs})
    return way.asked


_PAIRS: Final = list(itertools.permutations([_named(at, *each) for at in ("one", "two") for each in _STATES], 2))


def test_a_backend_that_changes_is_never_open(registered: dict[str, Sequence[Registration]]) -> None:
    """Its route asked for nothing between a policy that was changed and one that was to come."""
    assert len({_asked(each) for each in registered.values()}) == 4
    open_ways: list[str] = []
    for old, new in _PAIRS:
        enough = [_asked(registered[old]), _asked(registered[new])]
        for state in moments(registered[old], registered[new]):
            found = [way for way in ways(state) if not any(asked <= way.asked for asked in enough)]
            open_ways += [f"{old} -> {new}: {way.kind} asks for {sorted(way.asked)}" for way in found]
    assert sorted(set(open_ways)) == []
