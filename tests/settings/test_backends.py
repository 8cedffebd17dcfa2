"""Backends: endpoints, hostnames, access."""

from typing import Any

import pytest

from tests.support import changed, dev_values, problems_of, setting, settings_of, told

_N9E = "backends.n9e"
_KNOWN = "one of: apiKeys, basic, clientCertificates, clientCidrs, external, jwt, oidc, public"
_ONE_PLACE = (
    "an endpoint has either `ip` or `fqdn`",
    "`{ip: 172.139.20.181, port: 17000}`, or with `fqdn`",
)


@pytest.mark.parametrize("endpoint", [{"port": 80}, {"ip": "172.139.20.181", "fqdn": "a.com", "port": 80}])
def test_an_endpoint_is_one_place(endpoint: dict[str, Any]) -> None:
    """An endpoint had no place, or two, and one of them was passed over."""
    assert told(changed(setting(f"{_N9E}.endpoints", [endpoint]))) == [(f"{_N9E}.endpoints[0]", *_ONE_PLACE)]


def test_endpoints_are_of_one_kind() -> None:
    """Envoy Gateway refuses a Backend that mixes addresses and names."""
    endpoints = [{"ip": "172.139.20.181", "port": 80}, {"fqdn": "a.com", "port": 80}]
    assert told(changed(setting(f"{_N9E}.endpoints", endpoints))) == [
        (_N9E, "its endpoints mix `ip` and `fqdn`", "two backends, one of each kind")
    ]


def test_addresses_beside_addresses_are_refused() -> None:
    """`cidrs` of a backend with `ip` endpoints were taken and never used."""
    assert told(changed(setting(f"{_N9E}.cidrs", ["172.139.20.0/24"]))) == [
        (
            f"{_N9E}.cidrs",
            "says what is behind names, and its endpoints are addresses",
            "`fqdn` endpoints, or leave `cidrs` out",
        )
    ]


def test_a_hostname_leads_to_one_backend() -> None:
    """Two backends offered one hostname, and the older route won without a word."""
    found = told(changed(setting("backends.httpbin.hostnames", ["httpbin.org", "n9e.jiaxzeng.com"])))
    assert found == [
        (
            "backends.httpbin.hostnames[1]",
            "n9e.jiaxzeng.com is offered by backends.n9e already",
            "a hostname of its own",
        )
    ]


def test_a_backend_has_no_destination_s_name() -> None:
    """A backend named like an approved destination was approved with it."""
    backend = dev_values()["backends"]["n9e"]
    values = changed(setting("backends", {"edition-cnn": backend}))
    assert told(values) == [
        ("backends.edition-cnn", "has the name of a destination, whose approvals it would share", "another name")
    ]


@pytest.mark.parametrize(
    ("access", "problem"),
    [
        ({"public": " "}, (".public", "is empty", "a few words that a colleague understands")),
        ({"public": "x", "why": "y"}, (".why", "unknown key `why`", _KNOWN)),
        ({"public": "x", "basic": "users"}, ("", "is `public`, and asks for more", "either of them")),
        ({}, ("", "lets nobody in, or anybody", "`jwt`, `apiKeys` or another; or `public` with the reason")),
    ],
)
def test_a_backend_without_authentication_says_why(access: dict[str, Any], problem: tuple[str, str, str]) -> None:
    """A backend was offered to everyone, and nobody knew whether that was meant."""
    below, wrong, instead = problem
    assert told(changed(setting(f"{_N9E}.access", access))) == [(f"{_N9E}.access{below}", wrong, instead)]


def test_access_is_never_a_default() -> None:
    """As above, where `access` is left out altogether."""
    found = told(changed(lambda values: values["backends"]["n9e"].pop("access")))
    assert found == [(f"{_N9E}.access", "is missing", "add `access:`: Who may call it. All that is given must hold.")]


def test_backends_are_optional_and_never_empty() -> None:
    """`backends:` with nothing below it was taken for `no backends`."""
    assert settings_of(changed(lambda values: values.pop("backends"))).backends is None
    assert [path for path, _, _ in told(changed(setting("backends", {})))] == ["backends"]
    assert told(changed(setting("backends", None))) == [
        ("backends", "nothing is written here", "a value, or leave the key out")
    ]


@pytest.mark.parametrize("endpoint", [{"ip": "2001:4860::1", "port": 80}, {"fqdn": "a.com", "port": 65535}])
def test_good_endpoints_are_taken(endpoint: dict[str, Any]) -> None:
    """An ordinary endpoint was refused."""
    assert problems_of(changed(setting(f"{_N9E}.endpoints", [endpoint]))) == ()


def test_an_endpoint_is_there_once() -> None:
    """An endpoint that is there twice got twice the traffic."""
    ip = {"ip": "172.139.20.181", "port": 80}
    ((path, wrong, instead),) = told(changed(setting(f"{_N9E}.endpoints", [ip, ip])))
    assert (path, instead) == (f"{_N9E}.endpoints", "each once")
    assert wrong.endswith("is there twice")
