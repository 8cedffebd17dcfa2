"""Where backends answer: what Envoy Gateway could not honour is refused in its place."""

from typing import Any

import pytest

from tests.every_offer_key_targets import offered, targets_values
from tests.support import Values, changed, dev_values, problems_of, told

_ADDRESS = {"ip": "93.184.216.40", "port": 80}
_NAME = {"fqdn": "a.example.net", "port": 80}
_SERVICE = {"namespace": "monitoring", "name": "shop", "port": 80}
_TLS = {"minVersion": "1.2"}
_HEALTH = {"healthCheck": {"path": "/healthz"}}


def _with(gateways: dict[str, Any] | None = None, /, **keys: Any) -> Values:
    values = dev_values()
    values["backends"]["shop"] = {**offered(hostname="shop.example.com"), **keys}
    if gateways is not None:
        values["backendGateways"] = gateways
    return values


def _places(values: Values) -> list[str]:
    return [path.removeprefix("backends.shop").removeprefix(".") for path, _, _ in told(values)]


def test_every_kind_of_target_is_taken() -> None:
    """An ordinary backend of some kind was refused."""
    assert problems_of(changed(targets_values)) == ()


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({}, "answers nowhere"),
        ({"endpoints": [_ADDRESS], "service": _SERVICE}, "answers in 2 kinds of place: endpoints, service"),
    ],
)
def test_a_backend_answers_in_one_place(keys: dict[str, Any], wrong: str) -> None:
    """A backend led nowhere, or one of its two places was passed over."""
    assert told(_with(**keys)) == [("backends.shop", wrong, "`endpoints`, or `service`, or `resolver`")]


def test_endpoints_and_what_stands_by_are_of_one_kind() -> None:
    """Of names and addresses Envoy Gateway makes two pools, and the standby got its share of ordinary requests."""
    found = told(_with(endpoints=[_ADDRESS], standby=[_NAME], **_HEALTH))
    assert found == [("backends.shop", "its endpoints mix `ip` and `fqdn`", "two backends, one of each kind")]


@pytest.mark.parametrize(("protocol", "count"), [("HTTP", 1), ("GRPC", 1), ("TLS", 0)])
def test_what_stands_by_has_no_zones_beside_it(protocol: str, count: int) -> None:
    """Envoy Gateway made two pools of the two, and half of all requests went to the standby while all was well.

    Connections that are passed through have no pools, and keep their order.
    """
    nearer = [{**_ADDRESS, "zone": "h"}, {**_ADDRESS, "port": 81, "zone": "i"}]
    health = {"healthCheck": {"path": "/"} if protocol == "HTTP" else {"interval": "5s"}}
    keys = {"endpoints": nearer, "standby": [{**_ADDRESS, "port": 82}], "protocol": protocol, **health}
    wrong = "would get half of the requests: where endpoints have a `zone`, proxies share requests out"
    assert told(_with(**keys)) == [("backends.shop.standby", wrong, "endpoints without `zone`")] * count


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"endpoints": [{**_ADDRESS, "port": port} for port in range(1, 66)]}, "endpoints"),
        ({"endpoints": [_ADDRESS], "standby": [{**_ADDRESS, "port": 81}]}, "standby"),
        ({"endpoints": [_ADDRESS], "standby": [_ADDRESS], **_HEALTH}, "standby"),
        ({"service": _SERVICE, "standby": [_ADDRESS], **_HEALTH}, "standby"),
        ({"endpoints": [{**_ADDRESS, "zone": "h"}]}, "endpoints"),
        ({"endpoints": [{**_ADDRESS, "zone": "h"}, {**_ADDRESS, "port": 81}]}, "endpoints"),
        ({"service": {**_SERVICE, "namespace": "monitorin"}}, "service.namespace"),
        ({"service": _SERVICE, "tls": {"serverName": "a.example.net"}}, "tls"),
        ({"service": _SERVICE, "applicationProtocol": "h2c"}, "applicationProtocol"),
        ({"service": _SERVICE, "cidrs": ["93.184.216.0/24"]}, "cidrs"),
        ({"endpoints": [_ADDRESS], "tls": _TLS}, "tls"),
        ({"endpoints": [_NAME, {**_NAME, "fqdn": "b.example.net"}], "tls": _TLS}, "tls"),
        ({"endpoints": [_ADDRESS], "applicationProtocol": "wss"}, "applicationProtocol"),
        ({"endpoints": [_NAME], "tls": _TLS, "applicationProtocol": "h2c"}, "applicationProtocol"),
        ({"endpoints": [_NAME], "tls": _TLS, "applicationProtocol": "ws"}, "applicationProtocol"),
        ({"endpoints": [_NAME], "protocol": "GRPC", "applicationProtocol": "h2c"}, "applicationProtocol"),
        ({"endpoints": [_NAME], "applicationProtocol": "ws", "limits": {"bodyBytes": 9}}, "applicationProtocol"),
        ({"endpoints": [_NAME], "protocol": "TLS", "tls": _TLS}, "tls"),
        ({"endpoints": [_NAME], "healthCheck": {"interval": "5s"}}, "healthCheck.path"),
        ({"endpoints": [_NAME], "healthCheck": {"path": "/a/*"}}, "healthCheck.path"),
        ({"endpoints": [_NAME], "protocol": "GRPC", **_HEALTH}, "healthCheck.path"),
        (
            {"endpoints": [_NAME], "protocol": "TLS", "connections": {"maxPendingRequests": 1}},
            "connections.maxPendingRequests",
        ),
        ({"resolver": {"port": 8443}, "tls": _TLS}, "resolver.port"),
        ({"resolver": {"port": 443}}, "resolver.port"),
        ({"resolver": {"port": 443}, "tls": {"serverName": "a.example.net"}}, "tls.serverName"),
        ({"resolver": {"port": 80}, "protocol": "GRPC"}, "resolver"),
        ({"resolver": {"port": 80}, **_HEALTH}, "healthCheck"),
        ({"resolver": {"port": 80}, "outliers": {"interval": "5s"}}, "outliers"),
        ({"resolver": {"port": 80}, "routes": {"all": {"timeout": "1s"}}}, "routes"),
        ({"endpoints": [_ADDRESS], "hostnames": [f"h{index}.example.com" for index in range(17)]}, "hostnames"),
    ],
)
def test_what_cannot_be_honoured_is_refused_in_its_place(keys: dict[str, Any], place: str) -> None:
    """What an operator asked for was passed over without a word, or refused by Envoy Gateway in the cluster."""
    assert _places(_with(**keys)) == [place]


def test_a_standby_is_reached() -> None:
    """Half of the endpoints were never left alone, so the standby got nothing, though all of them failed."""
    places: dict[str, Any] = {"endpoints": [_ADDRESS], "standby": [{"ip": "93.184.216.41", "port": 80}]}
    assert _places(_with(**places, outliers={"maxPercent": 50})) == ["outliers.maxPercent"]
    assert _places(_with(**places, outliers={"maxPercent": 100})) == []
    assert _places(_with(**places, outliers={"maxPercent": 50}, **_HEALTH)) == []


def test_everything_wrong_is_told_at_once() -> None:
    """An operator corrected one slip, and was told of the next."""
    values = _with(endpoints=[_ADDRESS], tls=_TLS, applicationProtocol="h2c", healthCheck={"interval": "5s"})
    assert _places(values) == ["applicationProtocol", "healthCheck.path", "tls"]


def test_grpc_does_not_go_to_a_service_through_a_sidecar() -> None:
    """A sidecar that knows Services by name was asked for one by the callers' name, and found none."""
    mesh = {"default": {"inMesh": True}}
    grpc = {"service": _SERVICE, "protocol": "GRPC"}
    assert _places(_with(mesh, **grpc)) == ["service"]
    assert _places(_with(None, **grpc)) == []
    assert _places(_with(mesh, service=_SERVICE)) == []


@pytest.mark.parametrize(
    ("own", "other", "refused"),
    [
        ({"endpoints": [_ADDRESS]}, {"service": _SERVICE}, True),
        ({"service": _SERVICE}, {"endpoints": [_ADDRESS]}, True),
        ({"service": _SERVICE}, {"service": {**_SERVICE, "name": "shop-next"}}, True),
        ({"service": _SERVICE}, {"service": {**_SERVICE, "port": 81}}, False),
        ({"endpoints": [_ADDRESS]}, {"endpoints": [_NAME]}, False),
    ],
)
def test_targets_of_a_split_are_asked_by_one_name(own: dict[str, Any], other: dict[str, Any], refused: bool) -> None:
    """The sidecar led the question about one Service to another, or back to the Gateway, and took its answer."""

    def asked(in_mesh: bool, **keys: Any) -> Values:
        values = _with({"default": {"inMesh": in_mesh}}, **own, **keys, routes={"all": {"split": {"next": 5}}})
        values["backends"]["next"] = offered(hostname="next.example.com", **other)
        return values

    wrong = "is asked of backends.next under the name of this backend, where sidecars do not find it"
    problem = ("backends.shop.healthCheck.path", wrong, "`outliers` instead; or a Gateway without `inMesh`")
    assert told(asked(in_mesh=True, **_HEALTH)) == [problem] * refused
    assert told(asked(in_mesh=False, **_HEALTH)) == []
    assert told(asked(in_mesh=True)) == []
