"""Routes of backends: what Gateway API could not honour is refused in its place, and nobody is led in uninvited."""

from typing import Any

import pytest

from tests.every_offer_key_targets import offered
from tests.support import Values, dev_values, told

_ENDPOINTS = [{"ip": "93.184.216.40", "port": 80}]
_JWT = {"jwt": {"issuer": "i", "audiences": ["a"], "jwksUri": "https://sso.example.com/keys", "cidrs": ["8.8.8.0/24"]}}

_OIDC = {"issuer": "https://sso.example.com", "clientId": "shop", "secret": "login", "cidrs": ["8.8.8.0/24"]}


def _with(route: dict[str, Any] | None = None, /, **keys: Any) -> Values:
    """A declaration with a backend of one route, and another to which it may lead."""
    values = dev_values()
    routes = {} if route is None else {"routes": {"all": route}}
    shop = offered(hostname="shop.example.com", endpoints=_ENDPOINTS)
    values["backends"] |= {"shop": {**shop, **routes, **keys}}
    values["backends"]["spare"] = {**offered(hostname="spare.example.com", endpoints=_ENDPOINTS)}
    return values


def _places(values: Values) -> list[str]:
    return [path.removeprefix("backends.shop.routes").removeprefix(".") for path, _, _ in told(values)]


@pytest.mark.parametrize(
    ("route", "place"),
    [
        ({"methods": ["CONNECT"]}, "all.methods[0]"),
        ({"paths": ["/a%2Fb"]}, "all.paths[0]"),
        ({"paths": [f"/{index}" for index in range(65)]}, "all"),
        ({"headers": {f"x-{index}": "a" for index in range(17)}}, "all.headers"),
        ({"headers": {"x-a": "a  b"}}, "all.headers.x-a"),
        ({"requestHeaders": {"set": {"x-a": "ä"}}}, "all.requestHeaders.set.x-a"),
        ({"requestHeaders": {"remove": [f"x-{index}" for index in range(8)]}}, "all.requestHeaders.remove"),
        ({"responseHeaders": {"set": {f"x-{i}": "a" for i in range(17)}}}, "all.responseHeaders.set"),
        ({"rewrite": {"path": "/v2"}}, "all.rewrite.path"),
        ({"paths": ["/a", "/b/*"], "rewrite": {"path": "/v2"}}, "all.rewrite.path"),
        ({"paths": ["/a/*", "/b/*"], "rewrite": {"path": "/v2"}}, "all.rewrite.path"),
        ({"paths": ["/a/*"], "methods": ["GET", "PUT"], "rewrite": {"path": "/v2"}}, "all.rewrite.path"),
        ({"paths": ["/a/*"], "rewrite": {"path": "/v2/*"}}, "all.rewrite.path"),
        ({"redirect": {"host": "elsewhere.example.org"}}, "all.redirect.host"),
        ({"redirect": {"host": "shop.example.com"}}, "all.redirect"),
        ({"paths": ["/a/*"], "redirect": {"path": "/a/b"}}, "all.redirect"),
        ({"paths": ["/*"], "redirect": {"host": "spare.example.com", "path": "/a"}}, "all.redirect.path"),
        ({"paths": ["/a/*"], "redirect": {"path": "/b/"}}, "all.redirect.path"),
        ({"split": {"spare": 60, "n9e": 50}}, "all.split"),
        ({"split": {"spar": 10}}, "all.split.spar"),
        ({"split": {"shop": 10}}, "all.split.shop"),
        ({"mirror": {"to": "spar"}}, "all.mirror.to"),
    ],
)
def test_what_cannot_be_honoured_is_refused_in_its_place(route: dict[str, Any], place: str) -> None:
    """What an operator asked for was passed over without a word, or refused by the API server."""
    assert _places(_with(route)) == [place]


@pytest.mark.parametrize(
    "route",
    [
        {"paths": ["/a", "/b"], "methods": ["GET", "PUT"], "rewrite": {"path": "/v2"}},
        {"paths": ["/*"], "rewrite": {"path": "/v2"}},
        {"paths": ["/a/*"], "redirect": {"path": "/ab"}},
        {"paths": ["/a/*"], "redirect": {"path": "/"}},
        {"paths": ["/a"], "redirect": {"path": "/b/"}},
        {"split": {"spare": 50, "n9e": 50}, "mirror": {"to": "spare"}},
    ],
)
def test_what_can_be_honoured_is_taken(route: dict[str, Any]) -> None:
    """An ordinary route was refused; or one to the same Gateway, because only one of the two says its name."""
    assert told(_with(route)) == []
    assert told(_with(route, gateway="default")) == []


@pytest.mark.parametrize(
    ("route", "place"),
    [
        ({"paths": ["/v1/orders/get"]}, "all.paths[0]"),
        ({"methods": ["GET"]}, "all.methods"),
        ({"rewrite": {"host": "a.example.net"}}, "all.rewrite"),
        ({"redirect": {"host": "spare.example.com"}}, "all.redirect"),
    ],
)
def test_grpc_has_routes_of_its_own(route: dict[str, Any], place: str) -> None:
    """A route of HTTP was written for gRPC, which has no such thing."""
    assert _places(_with(route, protocol="GRPC")) == [place]


def test_tls_and_tcp_have_no_routes() -> None:
    """Routes by path were taken for connections in which nobody sees a path."""
    assert told(_with({"paths": ["/a"]}, protocol="TLS"))[0][0] == "backends.shop.routes"


@pytest.mark.parametrize(
    ("spare", "wrong"),
    [
        ({"protocol": "GRPC"}, "backends.spare is GRPC, and this is HTTP"),
        ({"access": _JWT}, "backends.spare has another `access`, which nobody would be asked for this way"),
        ({"limits": {"bodyBytes": 9}}, "backends.spare has `limits`, which would not hold this way"),
        ({"gateway": "edge"}, "backends.spare is offered by another Gateway, whose callers may be others"),
    ],
)
@pytest.mark.parametrize("route", [{"split": {"spare": 10}}, {"mirror": {"to": "spare"}}])
def test_no_request_reaches_a_backend_uninvited(route: dict[str, Any], spare: dict[str, Any], wrong: str) -> None:
    """A backend that asks for tokens was reached through another that asks for none."""
    values = _with(route)
    values["backendGateways"] = {"default": {"replicas": 3}, "edge": {"replicas": 3}}
    values["backends"]["spare"] |= spare
    assert [what for path, what, _ in told(values) if path.startswith("backends.shop")] == [wrong]


@pytest.mark.parametrize("how", [{"jwt": {**_JWT["jwt"], "passOn": True}}, {"oidc": {**_OIDC, "passOn": True}}])
@pytest.mark.parametrize("route", [{"split": {"spare": 10}}, {"mirror": {"to": "spare"}}])
def test_what_callers_showed_is_passed_on_to_no_other(route: dict[str, Any], how: dict[str, Any]) -> None:
    """Who ran a public backend was sent the tokens of another's callers, or the cookies of their logins."""
    wrong = "backends.spare has another `access`, and by `passOn` would see what callers showed for this one"
    (key,) = how
    values = _with(route, access=how, certificate={"secret": "shop"})
    assert [what for _, what, _ in told(values)] == [wrong]
    assert _places(_with(route, access={key: {**how[key], "passOn": False}}, certificate={"secret": "shop"})) == []
    values["backends"]["spare"] |= {"access": how, "certificate": {"secret": "spare"}}
    assert told(values) == []


@pytest.mark.parametrize(
    ("keys", "spare", "fine"),
    [
        ({"applicationProtocol": "h2c"}, {}, False),
        ({}, {"applicationProtocol": "h2c"}, False),
        ({"applicationProtocol": "h2c"}, {"applicationProtocol": "ws"}, False),
        ({"applicationProtocol": "h2c"}, {"tls": {"serverName": "spare.example.com"}}, False),
        ({"applicationProtocol": "h2c"}, {"applicationProtocol": "h2c"}, True),
        ({"applicationProtocol": "ws"}, {}, True),
        ({"tls": {"serverName": "shop.example.com"}}, {}, True),
    ],
)
def test_those_who_share_are_asked_alike(keys: dict[str, Any], spare: dict[str, Any], fine: bool) -> None:
    """One target of HTTP/2 without TLS made Envoy Gateway's one pool speak it to all, who answered nothing."""
    values = _with({"split": {"spare": 10}}, **keys)
    values["backends"]["spare"] |= spare
    assert _places(values) == ([] if fine else ["all.split"])
    values["backends"]["shop"]["routes"]["all"] = {"mirror": {"to": "spare"}}
    assert told(values) == []


def test_what_a_service_speaks_is_its_own_to_say() -> None:
    """Machines of `h2c` could not be left in steps: only the Service's own port says that it speaks the same."""
    values = _with({"split": {"spare": 10}}, applicationProtocol="h2c")
    del values["backends"]["spare"]["endpoints"]
    values["backends"]["spare"]["service"] = {"namespace": "monitoring", "name": "spare", "port": 80}
    assert told(values) == []
    plain = offered(hostname="plain.example.com", endpoints=_ENDPOINTS)
    values["backends"] |= {"plain": plain}
    values["backends"]["shop"]["routes"]["all"]["split"]["plain"] = 10
    assert _places(values) == ["all.split"]


@pytest.mark.parametrize(
    ("spare", "wrong"),
    [
        ({"port": 443}, "spare.example.com is offered on port 443 in plain text, and callers would be sent to port 80"),
        (
            {"port": 80, "certificate": {"secret": "spare"}},
            "spare.example.com is offered on port 80 with TLS, and callers would be sent to port 443",
        ),
        ({"certificate": {"secret": "spare"}}, None),
        ({"port": 8443, "certificate": {"secret": "spare"}}, None),
        ({"port": 8080}, None),
    ],
)
def test_a_redirect_leads_to_where_its_host_is_offered(spare: dict[str, Any], wrong: str | None) -> None:
    """Envoy Gateway left the port out, and callers came to one where nobody listens."""
    values = _with({"redirect": {"host": "spare.example.com"}})
    values["backendGateways"] = {"default": {"replicas": 3}, "edge": {"replicas": 3}}
    values["backends"]["spare"] |= {"gateway": "edge", **spare}
    expected = [] if wrong is None else [("backends.shop.routes.all.redirect.host", wrong)]
    assert [(path, what) for path, what, _ in told(values)] == expected


def test_a_redirect_names_no_port() -> None:
    """Port 443 was left out by Envoy Gateway, so callers came back; 9999 led to where nobody listens."""
    ((path, _, _),) = told(_with({"paths": ["/a/*"], "redirect": {"path": "/b", "port": 9999}}))
    assert path == "backends.shop.routes.all.redirect.port"


def test_a_host_of_a_backend_that_cannot_be_read_is_not_missing() -> None:
    """One slip in a backend was told a second time, at whatever is sent to its host."""
    values = _with({"redirect": {"host": "spare.example.com"}})
    values["backends"]["spare"]["endpoints"] = []
    assert {path for path, _, _ in told(values)} == {"backends.spare.endpoints"}


def test_a_split_has_no_standby() -> None:
    """The endpoints that stand by were given a share of the requests."""
    standby: dict[str, Any] = {
        "standby": [{"ip": "93.184.216.41", "port": 80}],
        "outliers": {"interval": "5s", "maxPercent": 100},
    }
    assert _places(_with({"split": {"spare": 10}}, **standby)) == ["all.split"]
    values = _with({"split": {"spare": 10}})
    values["backends"]["spare"] |= standby
    assert _places(values) == ["all.split.spare"]


def test_a_split_has_no_zones() -> None:
    """Envoy preferred its own zone, and the shares that were written held for nobody."""
    zones = [{"ip": f"93.184.216.{at}", "port": 80, "zone": f"zone-{at}"} for at in (40, 41)]
    assert _places(_with({"split": {"spare": 10}}, endpoints=zones)) == ["all.split"]
    assert _places(_with({"mirror": {"to": "spare"}}, endpoints=zones)) == []


def test_two_routes_do_not_take_the_same_requests() -> None:
    """Of two routes for the same requests one never saw any."""
    routes = {"a": {"paths": ["/x", "/y"]}, "b": {"paths": ["/y"], "timeout": "1s"}, "c": {"paths": ["/y/*"]}}
    assert told(_with(routes=routes)) == [
        ("backends.shop.routes.b", "takes /y, as the route `a` does", "one route for it")
    ]


def test_all_routes_together_stay_within_one_object() -> None:
    """The API server refused a route with more than 128 matches."""
    routes = {f"r{at}": {"paths": [f"/{at}/{index}" for index in range(60)]} for at in range(3)}
    assert _places(_with(routes=routes)) == [""]


def test_copies_of_grpc_go_to_one_backend() -> None:
    """Envoy Gateway gives the clusters of all copies of a GRPCRoute one name, so they went to the first backend."""
    routes = {f"r{to}": {"paths": [f"/a.B/{to}"], "mirror": {"to": to}} for to in ("n", "m")}
    values = _with(routes=routes, protocol="GRPC")
    for name in ("n", "m"):
        values["backends"][name] = offered(hostname=f"{name}.example.com", endpoints=_ENDPOINTS, protocol="GRPC")
    assert _places(values) == [""]


@pytest.mark.parametrize(
    ("route", "place"),
    [
        ({"rewrite": {"host": "a.example.net"}, "split": {"spare": 10}}, "all.rewrite.host"),
        ({"mirror": {"to": "spare"}}, "all.mirror.to"),
    ],
)
def test_a_service_behind_sidecars_keeps_its_name(route: dict[str, Any], place: str) -> None:
    """A sidecar was asked for a Service by another name, and found none."""
    values = _with(route)
    values["backendGateways"] = {"default": {"inMesh": True}}
    del values["backends"]["spare"]["endpoints"]
    values["backends"]["spare"]["service"] = {"namespace": "monitoring", "name": "spare", "port": 80}
    assert _places(values) == [place]
