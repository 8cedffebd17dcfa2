"""Limits: what Envoy would not count, or not look at, is refused."""

from typing import Any

import pytest

from tests.every_offer_key_access import backend
from tests.support import Values, changed, problems_of, setting, told


def _values(**more: Any) -> Values:
    access = {} if more.keys() & {"jwt", "apiKeys"} else {"public": "x"}
    return changed(setting("backends", {"one": {**backend("one", **access), **more}}))


def _told(**more: Any) -> list[tuple[str, str]]:
    """Path below the backend, and what is wrong."""
    return [(path.removeprefix("backends.one."), wrong) for path, wrong, _ in told(_values(**more))]


def _with_redis(values: Values) -> Values:
    values["install"] = {"envoyGateway": {"redis": {"namespace": "monitoring", "service": "redis"}}}
    return values


_TOGETHER = {"requests": {"all": {"requests": 5, "per": "minute", "counted": "together"}}}


def test_limits_of_requests_need_requests() -> None:
    """A limit of requests on TLS that is passed through was taken, and nobody counted."""
    limits = {"limits": {"bodyBytes": 5}}
    assert _told(protocol="TLS", **limits) == [("limits", "is about requests, and the Gateway sees none in TLS")]
    assert _told(**limits) == []


def test_counting_together_needs_redis_and_redis_a_count() -> None:
    """Envoy Gateway answers every request 500 where it has no Redis; one that nobody uses is open for nothing."""
    assert _told(limits=_TOGETHER) == [
        ("limits.requests.all.counted", "counts in Redis, and none is named"),
    ]
    assert problems_of(_with_redis(_values(limits=_TOGETHER))) == ()
    assert told(_with_redis(_values())) == [
        (
            "install.envoyGateway.redis",
            "is there for limits that are `counted: together`, and there are none",
            "leave it out, or `counted: together` in the limits of a backend",
        )
    ]


@pytest.mark.parametrize(
    "header",
    [
        "x-request-id",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-client-cert",
        "x-envoy-tenant",
        "traceparent",
        "tracestate",
        "expect",
        "keep-alive",
        "proxy-connection",
        "x_tenant",
    ],
)
def test_callers_are_not_told_apart_by_what_envoy_writes(header: str) -> None:
    """A number of its own for each request never met a limit; a key in what Envoy writes anew let nobody in."""
    limit = {"requests": 5, "per": "minute", "counted": "together", "eachHeader": header}
    found = [
        *told(_with_redis(_values(limits={"requests": {"each": limit}}))),
        *_told(routes={"all": {"headers": {header: "https"}}}),
        *_told(access={"apiKeys": {"secret": "keys", "header": header}}),
    ]
    assert [each[0].removeprefix("backends.one.") for each in found] == [
        "limits.requests.each.eachHeader",
        f"routes.all.headers.{header}",
        "access.apiKeys.header",
    ]
    assert all(each[1].startswith(f"{header} does not arrive as callers send it") for each in found)


@pytest.mark.parametrize("header", ["x-tenant", "x-forwarded-host", "user-agent"])
def test_callers_are_told_apart_by_what_they_send(header: str) -> None:
    """An ordinary header was refused."""
    assert _told(routes={"all": {"headers": {header: "a"}}}) == []


@pytest.mark.parametrize("each", [{"each": "caller-address"}, {"eachHeader": "x-tenant"}])
def test_a_proxy_by_itself_does_not_count_each_caller(each: dict[str, Any]) -> None:
    """Envoy remembers 20 callers: with 21 in turn, none ever met its limit."""
    ((path, wrong),) = _told(limits={"requests": {"each": {"requests": 5, "per": "minute", **each}}})
    assert path == "limits.requests.each"
    assert "remembers 20" in wrong


def test_rules_that_count_apart_are_not_counted_together() -> None:
    """A rule with another timeout has a policy of its own, and so a count of its own: twice as much was let in."""
    routes = {"slow": {"paths": ["/slow/*"], "timeout": "60s"}, "rest": {"methods": ["GET"]}}
    ((path, wrong, _),) = told(_with_redis(_values(limits=_TOGETHER, routes=routes)))
    assert path == "backends.one.limits.requests.all.counted"
    assert wrong.startswith("is one count for all of `routes`")
    alike = {name: {**route, "timeout": "60s"} for name, route in routes.items()}
    assert problems_of(_with_redis(_values(limits=_TOGETHER, routes=alike))) == ()


def test_a_header_that_is_taken_off_is_not_counted_by() -> None:
    """Keys are taken off before requests are counted, so nobody was."""
    limits = {"requests": {"key": {"requests": 5, "per": "hour", "counted": "together", "eachHeader": "x-api-key"}}}
    values = _with_redis(_values(limits=limits))
    values["backends"]["one"]["access"] = {"apiKeys": {"secret": "keys"}}
    ((path, wrong, _),) = told(values)
    assert path == "backends.one.limits.requests.key.eachHeader"
    assert wrong == "holds the key of `apiKeys`, which is taken off before anybody counts"


def test_limits_fit_into_a_policy() -> None:
    """The API server refused the policy, and with it the update."""
    limits = {f"limit-{number}": {"requests": 5, "per": "minute"} for number in range(17)}
    assert _told(limits={"requests": limits}) == [("limits.requests", "has 17 limits, and Envoy Gateway takes 16")]
