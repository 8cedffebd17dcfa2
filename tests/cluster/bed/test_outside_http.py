"""Hosts outside, without a network of their own: what they answer, and what they write down."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cluster.bed.network import Network
from tests.cluster.bed.outside import HOSTS, Outside
from tests.cluster.bed.outside_http import HttpHost


@contextmanager
def running(log: Path) -> Generator[httpx.Client]:
    """A host on a port of this machine, and a client of it."""
    server = HttpHost("vm1", log, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    """The hosts outside, none of which was started."""
    return Outside(folder=tmp_path, network=Network(prefix="none-"))


def test_a_host_behaves_as_told_for_a_while(outside: Outside) -> None:
    """Guards against a failure that is told of one path and hits another, or stays."""
    with running(outside.log("vm1")) as client:
        with outside.behaving("vm1", status=503), outside.behaving("vm1", under="/health", status=200):
            assert client.get("/page").status_code == 503
            assert client.get("/health/live").status_code == 200
        assert client.get("/page").status_code == 200
        with outside.behaving("vm1", under="/health", status=500):
            assert client.get("/page").status_code == 200
            assert client.get("/health").status_code == 500


def test_a_body_is_read(outside: Outside) -> None:
    """Guards against a body that is taken for the next request of the same connection."""
    with running(outside.log("vm1")) as client:
        assert client.post("/in", content=b"x" * 5000).status_code == 200
        assert client.get("/next").text == "vm1 saw 127.0.0.1\n"
    seen = outside.seen("vm1", event="request")
    assert [(each["method"], each["path"], each["size"]) for each in seen] == [
        ("POST", "/in", 5000),
        ("GET", "/next", 0),
    ]


def test_pages_and_failures(outside: Outside) -> None:
    """Guards against pages that are read once, and failures that never end."""
    with running(outside.log("vm1")) as client:
        outside.publish("vm1", {"/keys": json.dumps({"keys": []})})
        assert client.get("/keys").json() == {"keys": []}
        assert [client.get("/fail/2").status_code for _ in range(3)] == [503, 503, 200]


def test_no_two_hosts_share_an_address_or_a_name() -> None:
    """Guards against a new host that answers for another."""
    addresses = [address for host in HOSTS for address in host.addresses]
    names = [name for host in HOSTS for name in host.names]
    assert len(addresses) == len(set(addresses))
    assert len(names) == len(set(names))
    assert len({host.name for host in HOSTS}) == len(HOSTS)


def test_certificates_are_of_the_authority_that_is_asked_for(outside: Outside) -> None:
    """Guards against a private certificate that everybody trusts."""
    ours, theirs = outside.issue("a.example.net"), outside.issue("a.example.net", private=True)
    assert ours.chain.count("BEGIN CERTIFICATE") >= 1
    assert "PRIVATE KEY" in ours.key
    assert ours.chain != theirs.chain
