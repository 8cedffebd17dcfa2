"""Which requests go where, and as what they arrive."""

import json
import math
import time
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.offers.asking import EDGE, Caller
from tests.cluster.offers.watching import addresses, asked, headers, server

_ROUTED: Final = "http://routed.example.org"
_JUDGE: Final = ("--header", "x-judge: yes")
"""The server in the mesh answers 200 to these only."""
_REQUESTS: Final = 200
_PERCENT: Final = 30
_INSIDE: Final = "judge.shop.svc.cluster.local"


@pytest.mark.proves(
    "north-south",
    "host and path are written anew, and headers set and removed, on the way there and back",
    kinds=("HTTPRoute.gateway.networking.k8s.io",),
)
def test_requests_are_written_anew(offered: Cluster, caller: Caller) -> None:
    """Guards against a prefix that stays, a host by which the endpoint knows nothing, and headers that leak."""
    sent = ("--header", "x-debug: 1", "--header", "x-team: somebody", "--include")
    answer = caller.curl(f"{_ROUTED}/n9e/anew/a?b=c", *sent)
    assert answer.outcome == "200"
    assert headers(answer)["x-answered"] == "yes"
    (seen,) = asked(offered, "vm1", "/anew/a?b=c")
    assert seen["peer"] in addresses(offered)
    arrived = seen["headers"]
    assert (arrived["host"], arrived["x-team"]) == ("inner.example.org", "platform")
    assert arrived["x-forwarded-host"] == "routed.example.org"
    assert set(arrived) == {"host", "user-agent", "accept", "x-team", "x-request-id", "x-forwarded-host"}
    assert caller.curl(f"{_ROUTED}/n9else").outcome == "404"


@pytest.mark.proves("north-south", "requests are told apart by path, method and header, and others are answered 404")
@pytest.mark.parametrize(
    ("path", "arguments", "outcome"),
    [
        ("/chosen", ("--header", "x-version: 2"), "200"),
        ("/chosen", (), "404"),
        ("/chosen", ("--header", "x-version: 20"), "404"),
        ("/chosen", ("--header", "x-version: 2", "--request", "POST"), "404"),
        ("/chosen/below", ("--header", "x-version: 2"), "404"),
        ("/", (), "404"),
        ("/nowhere", (), "404"),
        ("/nowhere/../chosen", ("--header", "x-version: 2", "--path-as-is"), "200"),
    ],
)
def test_requests_are_told_apart(
    offered: Cluster, caller: Caller, path: str, arguments: tuple[str, ...], outcome: str
) -> None:
    """Guards against a match that holds for more than it says, and against a rule for what no route names."""
    since = offered.outside.count("vm1")
    answer = caller.curl(f"{_ROUTED}{path}", *arguments)
    assert answer.outcome == outcome
    seen = offered.outside.seen("vm1", since=since, event="request")
    found = [each["path"] for each in seen if each["headers"].get("host") == "routed.example.org"]
    assert found == (["/chosen"] if outcome == "200" else [])


@pytest.mark.proves("north-south", "redirects lead where they say")
def test_redirects_lead_on(offered: Cluster, caller: Caller) -> None:
    """Guards against a Location with the Gateway's own port, or another host."""
    answer = caller.curl(f"{_ROUTED}/old?a=b", "--include")
    assert answer.outcome == "301"
    assert headers(answer)["location"] == f"{_ROUTED}/new?a=b"
    assert asked(offered, "vm1", "/old?a=b") == []


@pytest.mark.proves("north-south", "copies of requests arrive elsewhere, and who asks sees only the first answer")
def test_copies_arrive(offered: Cluster, caller: Caller) -> None:
    """Guards against copies that are never sent, and against callers who wait for them."""
    url = f"{_ROUTED}/copied"
    with offered.outside.behaving("vm2", under="/copied", status=500, seconds=2):
        begun = time.monotonic()
        assert server(caller.curl(url)) == "vm1"
        assert time.monotonic() - begun < 2
        wait_until(lambda: asked(offered, "vm2", "/copied") != [], "the copy", seconds=10)
    (seen,) = asked(offered, "vm2", "/copied")
    assert seen["peer"] in addresses(offered)


@pytest.mark.proves("north-south", "requests that take longer than declared are answered 504")
def test_late_answers_are_not_waited_for(caller: Caller) -> None:
    """Guards against a timeout that holds for nothing, or for another route."""
    begun = time.monotonic()
    assert caller.curl(f"{_ROUTED}/wait/6").outcome == "504"
    assert 1 <= time.monotonic() - begun < 4  # one is declared, and machines are slow
    assert caller.curl(f"{_ROUTED}/wait/0").outcome == "200"
    assert caller.curl("http://copies.example.org/wait/2").outcome == "200"


@pytest.mark.proves("north-south", "requests are asked again as often as declared, and otherwise once")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{_ROUTED}/fail/3/at-last", ("200", 4)),
        (f"{_ROUTED}/fail/9/in-vain", ("503", 4)),
        ("http://secure.example.org/fail/1/once", ("503", 1)),
    ],
)
def test_failures_are_asked_again(offered: Cluster, caller: Caller, url: str, expected: tuple[str, int]) -> None:
    """Guards against retries that multiply requests where nobody asked for them, and against none where they are."""
    path = url.partition(".org")[2]
    assert (caller.curl(url).outcome, len(asked(offered, "vm1", path))) == expected


def _told_inside(offered: Cluster, start: str) -> list[Mapping[str, Any]]:
    """What the server in the mesh has written down about paths that begin so."""
    (pod,) = offered.pods("shop", "app=judge")
    return [line for line in pod.access_log("app") if line["path"].startswith(start)]


@pytest.mark.proves("north-south", "a backend that moves shares its requests out as declared")
def test_moving_in_steps(offered: Cluster, caller: Caller, probe: Pod) -> None:
    """Guards against shares that hold for nobody, or that lose requests: five standard deviations are allowed for."""
    wait_until(
        lambda: all(
            caller.curl(f"http://moving.example.org/settle/{each}", *_JUDGE, gateway=EDGE).outcome == "200"
            for each in range(20)
        ),
        "both to answer",
        seconds=30,
    )
    to = ("--resolve", f"moving.example.org:80:{caller.address(EDGE)}")
    answered = ("--output", "/dev/null", "--write-out", '"%{response_code}"\n')
    url = f"http://moving.example.org/share/[1-{_REQUESTS}]"
    done = probe.run("curl", "--silent", *to, *_JUDGE, *answered, url, seconds=60)
    assert [json.loads(line) for line in done.stdout.splitlines()] == ["200"] * _REQUESTS
    seen = offered.outside.seen("vm1", event="request")
    outside = [each for each in seen if each["path"].startswith("/share/")]
    inside = _told_inside(offered, "/share/")
    assert len(outside) + len(inside) == _REQUESTS
    share = _PERCENT / 100
    deviation = math.sqrt(_REQUESTS * share * (1 - share))
    assert abs(len(inside) - _REQUESTS * share) < 5 * deviation
    assert {each["peer"] for each in outside} <= addresses(offered, EDGE)
    assert {each["headers"]["host"] for each in outside} == {"moving.example.org"}
    assert {each["host"] for each in inside} == {_INSIDE}


@pytest.mark.proves(
    "north-south",
    "a Gateway in the mesh writes host and prefix anew for a Service that takes nothing but mTLS",
)
def test_a_service_behind_strict_mtls_answers(offered: Cluster, caller: Caller, probe: Pod) -> None:
    """Guards against plain text from proxies to the mesh, and against a name that their sidecars do not know."""
    to_edge = {"gateway": EDGE}
    caller.settled("http://rehosted.example.org/inside/settle", *_JUDGE, **to_edge)
    assert caller.curl("http://rehosted.example.org/inside/page?a=b", *_JUDGE, **to_edge).outcome == "200"
    (told,) = _told_inside(offered, "/page")
    assert (told["host"], told["path"]) == (_INSIDE, "/page?a=b")
    assert "URI=spiffe://cluster.local/ns/envoy-gateway-system/sa/" in told["client"]
    for path in ("/", "/page", "/insider"):
        assert caller.curl(f"http://rehosted.example.org{path}", *_JUDGE, **to_edge).outcome == "404"
    # The same Service in plain text, by its name, its address and its pod's: nobody answers.
    service = offered.kubectl.get("service", "judge", "shop")["spec"]["clusterIP"]
    (pod,) = offered.pods("shop", "app=judge")
    for address in (_INSIDE, service, pod.address):
        assert probe.curl(f"http://{address}:8000/plain", *_JUDGE).exit_code != 0
    assert _told_inside(offered, "/plain") == []
