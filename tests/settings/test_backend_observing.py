"""Where access logs of backends go: not to clients, and not to helpers that are not there."""

from typing import Any

import pytest

from tests.support import changed, problems_of, setting, told

_HELPERS = {"logger": {"image": "registry.example.com/logger:1"}}


def _gateway(access_log: dict[str, Any], **more: Any) -> dict[str, Any]:
    return changed(setting("backendGateways", {"default": {"accessLog": access_log, **more}}))


def test_collectors_and_helpers_are_taken() -> None:
    """A declaration that says everything rightly was refused."""
    log = {"stdout": False, "collector": {"namespace": "monitoring", "service": "logs"}, "socket": "logger"}
    assert problems_of(_gateway(log, helpers=_HELPERS)) == ()


def test_a_log_that_goes_nowhere_is_refused() -> None:
    """Who had called a backend stood in no log."""
    ((path, wrong, _),) = told(_gateway({"stdout": False}))
    assert (path, wrong) == ("backendGateways.default.accessLog", "goes nowhere")


@pytest.mark.parametrize(
    ("helpers", "instead"),
    [({"helpers": _HELPERS}, "did you mean `logger`?"), ({}, "remove it: nothing is known here")],
)
def test_a_helper_that_is_not_there_is_refused(helpers: dict[str, Any], instead: str) -> None:
    """The Gateway was refused by Envoy Gateway, after it had been applied."""
    assert told(_gateway({"socket": "loger"}, **helpers)) == [
        ("backendGateways.default.accessLog.socket", "there is no `loger` under the Gateway's helpers", instead)
    ]


@pytest.mark.parametrize(
    ("namespace", "wrong"),
    [("news", "has the role `client`"), ("envoy-gateway-system", "is one of ours")],
)
@pytest.mark.parametrize("posture", ["enforce", "off"])
def test_clients_do_not_read_each_others_logs(namespace: str, wrong: str, posture: str) -> None:
    """A team read who else called which backend; or the collector was deleted with the stack."""
    values = _gateway({"collector": {"namespace": namespace, "service": "logs"}})
    values["egress"]["posture"] = posture
    found = {path: why for path, why, _ in told(values)}
    assert wrong in found["backendGateways.default.accessLog.collector.namespace"]
    assert ("egress.posture" in found) == (posture == "off")
