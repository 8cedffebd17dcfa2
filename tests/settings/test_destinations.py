"""Destinations: claims on hosts and ports, clients, reserved ports."""

from typing import Any

import pytest

from components.settings.reserved import ISTIO_PORTS, LANES, MOST_TLS_PORTS
from tests.support import Values, changed, dev_values, problems_of, setting, told

_EDITION = "destinations.edition-cnn"


def _second(**changes: Any) -> Values:
    """The `dev` stack with a second destination, which differs from the first in `changes`."""
    first = dev_values()["destinations"]["edition-cnn"]
    return changed(setting("destinations.second", {**first, **changes}))


_ANYONE = {"serviceAccounts": ["anyone"]}


def _port(number: int, protocol: str) -> dict[str, Any]:
    return {"web": {"port": number, "protocol": protocol}}


@pytest.mark.parametrize("protocol", ["HTTP", "GRPC"])
def test_one_host_and_port_has_one_protocol(protocol: str) -> None:
    """Two destinations claimed edition.cnn.com:443 with different handling, and the last one won."""
    assert told(_second(ports=_port(443, protocol))) == [
        (
            "destinations.second.ports.web.protocol",
            f"edition.cnn.com:443 is {protocol} here and TLS in destinations.edition-cnn",
            "the same protocol in both, for example TLS",
        )
    ]


def test_a_namespace_uses_a_port_in_one_way() -> None:
    """Istiod kept the older of two listeners, and the other destination's traffic went nowhere."""
    assert told(_second(hosts=["www.cnn.com"], ports=_port(443, "HTTP"), clients={"shop": _ANYONE})) == [
        (
            "destinations.second.ports.web.protocol",
            "namespace `shop` uses port 443 as TLS in destinations.edition-cnn, "
            "and its sidecars cannot read it as HTTP too",
            "the same protocol, another port, or clients in another namespace",
        )
    ]


def test_the_port_of_backends_is_plain_text_for_every_client() -> None:
    """TLS on port 80 and the offer of a backend met on one listener, and istiod dropped one."""
    values = changed(setting(f"{_EDITION}.ports", _port(80, "TLS")))
    wrong = "port 80 is HTTP in every client namespace, because backends are offered there"
    assert told(values) == [(f"{_EDITION}.ports.web.protocol", wrong, "another port of the same service")]
    values.pop("backends")
    assert problems_of(values) == ()


def test_equal_claims_on_one_host_and_port_add_up() -> None:
    """Two teams could not use one host."""
    assert problems_of(_second(ports=_port(443, "TLS"), clients={"shop": {"serviceAccounts": ["other"]}})) == ()


def test_every_host_of_a_clash_is_named() -> None:
    """Only the first of several clashes was reported."""
    first = dev_values()["destinations"]["edition-cnn"]
    values = changed(setting("destinations.edition-cnn.hosts", ["edition.cnn.com", "www.cnn.com"]))
    values["destinations"]["second"] = {
        **first,
        "hosts": ["www.cnn.com", "edition.cnn.com"],
        "ports": _port(443, "HTTP"),
    }
    assert [wrong.split()[0] for _, wrong, _ in told(values)] == ["edition.cnn.com:443", "www.cnn.com:443"]


def test_one_port_has_one_name() -> None:
    """A port was there twice, and its handling was that of the last."""
    found = told(changed(setting(f"{_EDITION}.ports.again", {"port": 443, "protocol": "TLS"})))
    assert found == [
        (f"{_EDITION}.ports.{name}.port", "port 443 is there twice", "each port under one name")
        for name in ("again", "https")
    ]


def test_unknown_client_namespaces_are_refused() -> None:
    """A misspelt namespace had no sidecars and no lock-down, and nobody noticed."""
    clients = {"nwes": {"serviceAccounts": ["reader"]}, "warehouse": {"serviceAccounts": ["reader"]}}
    assert told(changed(setting(f"{_EDITION}.clients", clients))) == [
        (f"{_EDITION}.clients.nwes", "namespace `nwes` is not under cluster.namespaces", "did you mean `news`?"),
        (
            f"{_EDITION}.clients.warehouse",
            "namespace `warehouse` is not under cluster.namespaces",
            "one of: news, shop",
        ),
    ]


def test_platform_namespaces_are_no_clients() -> None:
    """A namespace that is not locked down was taken for one that is."""
    found = told(changed(setting(f"{_EDITION}.clients.monitoring", {"serviceAccounts": ["prometheus"]})))
    assert found == [
        (
            f"{_EDITION}.clients.monitoring",
            "namespace `monitoring` has the role `platform`, so it is not locked to its destinations",
            "`role: client` at cluster.namespaces.monitoring, or another namespace",
        )
    ]


@pytest.mark.parametrize("protocol", ["HTTP", "GRPC", "TLS"])
@pytest.mark.parametrize("number", sorted(ISTIO_PORTS))
def test_istio_s_own_ports_are_no_destinations(number: int, protocol: str) -> None:
    """A destination's port was one on which every proxy listens for itself."""
    assert told(changed(setting(f"{_EDITION}.ports", _port(number, protocol)))) == [
        (
            f"{_EDITION}.ports.web.port",
            f"port {number} belongs to Istio's own proxies",
            "another port of the same service",
        )
    ]


@pytest.mark.parametrize("protocol", ["HTTP", "GRPC"])
@pytest.mark.parametrize("number", [LANES.start, LANES.stop - 1])
def test_lanes_are_no_plain_ports(number: int, protocol: str) -> None:
    """HTTP on a lane's number met TLS that is passed through there."""
    assert told(changed(setting(f"{_EDITION}.ports", _port(number, protocol)))) == [
        (
            f"{_EDITION}.ports.web.port",
            f"port {number} is one of the gateway's lanes",
            "another port of the same service",
        )
    ]


@pytest.mark.parametrize(
    ("number", "protocol"), [(LANES.start, "TLS"), (LANES.start - 1, "HTTP"), (LANES.stop, "GRPC")]
)
def test_what_is_no_lane_at_the_gateway_is_free(number: int, protocol: str) -> None:
    """TLS on a lane's number outside, or a port beside the lanes, was refused."""
    assert problems_of(changed(setting(f"{_EDITION}.ports", _port(number, protocol)))) == ()


def _tls(first: int, count: int) -> dict[str, Any]:
    return {f"p{number}": {"port": number, "protocol": "TLS"} for number in range(first, first + count)}


def test_a_host_has_no_more_tls_ports_than_there_are_lanes() -> None:
    """Ports of one host ran out of lanes in the middle of planning, with a traceback."""
    found = told(changed(setting(f"{_EDITION}.ports", _tls(1000, MOST_TLS_PORTS + 1))))
    assert found == [
        (
            f"{_EDITION}.ports",
            f"makes {MOST_TLS_PORTS + 1} TLS ports for edition.cnn.com; "
            f"the gateway has lanes for {MOST_TLS_PORTS} of one host",
            "fewer ports",
        )
    ]
    assert problems_of(changed(setting(f"{_EDITION}.ports", _tls(1000, MOST_TLS_PORTS)))) == ()


def test_tls_ports_of_one_host_add_up_over_destinations() -> None:
    """As above, where no single destination has too many."""
    values = _second(ports=_tls(2000, MOST_TLS_PORTS))
    assert [path for path, _, _ in told(values)] == ["destinations.second.ports"]


@pytest.mark.parametrize(
    ("key", "near"),
    [("port", "ports"), ("Hosts", "hosts"), ("owners", "owner"), ("expire", "expires"), ("client", "clients")],
)
def test_unknown_keys_say_what_was_meant(key: str, near: str) -> None:
    """A misspelt key was passed over, and its value with it."""
    found = told(changed(setting(f"{_EDITION}.{key}", "x")))
    assert found == [(f"{_EDITION}.{key}", f"unknown key `{key}`", f"did you mean `{near}`?")]


def test_unknown_keys_without_a_likeness_list_what_there_is() -> None:
    """As above, where no known key is near."""
    found = told(changed(setting(f"{_EDITION}.zzz", 1)))
    choices = "addresses, authorizer, cidrs, clients, expires, gateway, hosts, owner, ports, servedBy, ticket, token"
    assert found == [(f"{_EDITION}.zzz", "unknown key `zzz`", f"one of: {choices}")]


@pytest.mark.parametrize("protocol", ["http", "HTTPS", "tcp", "UDP"])
def test_unknown_protocols_are_refused(protocol: str) -> None:
    """A protocol that the flavour cannot route was routed as another."""
    ((path, wrong, instead),) = told(changed(setting(f"{_EDITION}.ports.http.protocol", protocol)))
    assert (path, wrong) == (f"{_EDITION}.ports.http.protocol", f'"{protocol}" is not known here')
    assert "HTTP" in instead or "TLS" in instead or "GRPC" in instead
