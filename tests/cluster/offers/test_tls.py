"""TLS on both sides of a Gateway: to endpoints, always verified, and from callers."""

from typing import Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.offers.asking import APART, DEFAULT, Caller
from tests.cluster.offers.watching import addresses, asked, headers, server, told

_HANDSHAKE: Final = 35
"""Of curl: there was no handshake."""


@pytest.mark.proves(
    "north-south", "endpoints are asked with TLS and the declared name, with public and private authorities"
)
@pytest.mark.parametrize(
    ("backend", "host", "name"),
    [
        ("secure", "vm1", "vm.example.net"),
        ("private", "private", "private.example.net"),
        ("mutual", "mutual", "mutual.example.net"),
    ],
)
def test_endpoints_are_asked_with_tls(offered: Cluster, caller: Caller, backend: str, host: str, name: str) -> None:
    """Guards against plain text to an endpoint with TLS, and against a certificate that every caller would show."""
    path = f"/with-tls/{backend}"
    assert server(caller.curl(f"http://{backend}.example.org{path}")) == host
    (seen,) = asked(offered, host, path)
    assert (seen["sni"], seen["tls"]) == (name, "TLSv1.3")
    assert seen["client"] == ("bed-client" if backend == "mutual" else None)
    assert seen["headers"]["host"] == f"{backend}.example.org"
    assert seen["peer"] in addresses(offered)


@pytest.mark.proves("north-south", "an endpoint with a wrong certificate, or TLS that is too old, is not asked")
@pytest.mark.parametrize(
    ("backend", "host", "why"),
    [
        ("misnamed", "vm1", "CERTIFICATE_VERIFY_FAILED"),
        ("untrusted", "private", "CERTIFICATE_VERIFY_FAILED"),
        ("too-old", "old", "TLSV1_ALERT_PROTOCOL_VERSION"),
    ],
)
def test_wrong_endpoints_are_not_asked(offered: Cluster, caller: Caller, backend: str, host: str, why: str) -> None:
    """Guards against a name, an authority or a version that nobody compares, and against a refusal by accident."""
    path = f"/wrong/{backend}"
    assert caller.curl(f"http://{backend}.example.org{path}").outcome == "503"
    assert asked(offered, host, path) == []
    assert why in told(offered, path)["upstream_transport_failure_reason"]


@pytest.mark.proves("north-south", "callers' TLS ends with the declared certificate, at the names that have one")
def test_tls_ends_at_the_gateway(offered: Cluster, caller: Caller) -> None:
    """Guards against a certificate of another, and against one that is shown for every name."""
    answer = caller.curl("https://web.example.org/ended")
    assert server(answer) == "vm1"
    (seen,) = asked(offered, "vm1", "/ended")
    assert (seen["sni"], seen["port"]) == (None, 8080)
    assert told(offered, "/ended")["downstream_tls_version"] == "TLSv1.3"
    for name in ("vms", "nobody"):
        assert caller.curl(f"https://{name}.example.org/ended").exit_code == _HANDSHAKE


@pytest.mark.proves("north-south", "callers with TLS older than the Gateway takes are refused")
@pytest.mark.parametrize(
    ("gateway", "host", "version", "taken"),
    [
        (DEFAULT, "web", "1.1", False),
        (DEFAULT, "web", "1.2", True),
        (APART, "modern", "1.2", False),
        (APART, "modern", "1.3", True),
    ],
)
def test_old_callers_are_refused(caller: Caller, gateway: str, host: str, version: str, taken: bool) -> None:
    """Guards against a least version that holds for another Gateway, and against one that nobody speaks."""
    spoken = ("--tlsv1.0", "--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0")
    answer = caller.curl(f"https://{host}.example.org/version", *spoken, gateway=gateway)
    if taken:
        assert server(answer) == "vm1"
    else:
        assert answer.exit_code == _HANDSHAKE
        assert "protocol version" in answer.error  # the Gateway's alert, and not curl's own refusal


@pytest.mark.proves(
    "tls", "plain text is sent to the same place with TLS, where that is asked for, and answered nothing"
)
def test_plain_text_is_sent_to_tls(offered: Cluster, caller: Caller) -> None:
    """Guards against a redirect to elsewhere, and against a backend with a certificate that also answers without."""
    answer = caller.curl("http://web.example.org/sent/on?a=b", "--include")
    assert answer.outcome == "301"
    assert headers(answer)["location"] == "https://web.example.org/sent/on?a=b"
    assert caller.curl("http://certified.example.org/sent/on").outcome == "404"
    assert asked(offered, "vm1", "/sent/on?a=b") == asked(offered, "vm1", "/sent/on") == []


@pytest.mark.proves("north-south", "a request for another host than its connection's is not answered")
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("host", ["certified.example.org", "signed-in.example.org", "vms.example.org"])
def test_one_name_opens_no_other(offered: Cluster, caller: Caller, host: str, version: str) -> None:
    """Guards against callers who shake hands where no certificate is asked for, and go on to where one is."""
    path = f"/fronted/{host}/{version}"
    answer = caller.curl(f"https://web.example.org{path}", "--header", f"host: {host}", version)
    assert answer.outcome == "404"
    assert [asked(offered, name, path) for name in ("vm1", "vm2")] == [[], []]
