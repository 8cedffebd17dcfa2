"""What destinations say of hosts, their places and their ports: each once, and nothing that proxies keep apart."""

import pytest

from tests.every_key import rich_values
from tests.support import Values, changed, dev_values, problems_of, setting, told

_EDITION = "destinations.edition-cnn"


def test_one_host_stands_in_one_place() -> None:
    """Two destinations of one host gave it two sets of addresses, and istiod took the older."""
    first = dev_values()["destinations"]["edition-cnn"]
    values = changed(setting("destinations.second", {**first, "addresses": ["151.101.1.67"]}))
    assert told(values) == [
        (
            "destinations.second.hosts[0]",
            "edition.cnn.com is also in destinations.edition-cnn, with another `addresses`",
            "the same in both, or one destination for all its clients",
        )
    ]


def test_a_port_is_handled_in_one_way() -> None:
    """Two destinations set two time limits for one host, and the last one won."""
    first = dev_values()["destinations"]["edition-cnn"]
    ports = {"web": {"port": 80, "protocol": "HTTP", "routing": {"timeout": "1s"}}}
    assert told(changed(setting("destinations.second", {**first, "ports": ports}))) == [
        (
            "destinations.second.ports.web",
            "edition.cnn.com:80 is handled in another way in destinations.edition-cnn",
            "the same in both, or one destination for all its clients",
        )
    ]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"addresses": ["151.101.1.67"], "cidrs": ["151.101.0.0/22"]}, "cidrs"),
        ({"addresses": ["151.101.1.67"], "servedBy": "www.cnn.com", "hosts": ["*.cnn.com"]}, "servedBy"),
        ({"servedBy": "www.cnn.com"}, "servedBy"),
        (
            {"hosts": ["*.cnn.com"], "addresses": ["151.101.1.67"], "ports": {"db": {"port": 1, "protocol": "TCP"}}},
            "hosts[0]",
        ),
    ],
)
def test_a_place_is_said_once_and_fits(changes: Values, path: str) -> None:
    """Two keys said where a host stands, and one of them was not heeded."""
    assert [
        where
        for where, _, _ in told(changed(lambda all_values: all_values["destinations"]["edition-cnn"].update(changes)))
    ] == [f"{_EDITION}.{path}"]


@pytest.mark.parametrize("number", [20040, 20047])
def test_numbers_that_only_proxies_know_are_no_ports(number: int) -> None:
    """A client's port was one by which proxies know the TLS side of a host."""
    values = changed(setting(f"{_EDITION}.ports.http.port", number))
    assert [(where, wrong) for where, wrong, _ in told(values)] == [
        (f"{_EDITION}.ports.http.port", f"port {number} is one of the gateway's lanes")
    ]


@pytest.mark.parametrize(("count", "fits"), [(8, True), (9, False)])
def test_tls_starts_on_so_many_ports_of_a_host(count: int, fits: bool) -> None:
    """The ninth port of a host had no number by which proxies know it."""
    ports = {
        f"p{number}": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 8000 + number}} for number in range(count)
    }
    assert (problems_of(changed(setting(f"{_EDITION}.ports", ports))) == ()) is fits


def test_two_hosts_have_no_address_and_tcp_port_in_common() -> None:
    """A sidecar has one listener for an address and port, so the first of two hosts got the other's connections."""
    first = rich_values()["destinations"]["database"]
    values = changed(setting("destinations.second", {**first, "hosts": ["db2.example.net"]}), rich_values())
    assert {path for path, _, _ in told(values)} == {"destinations.second.ports.sql.port"}
