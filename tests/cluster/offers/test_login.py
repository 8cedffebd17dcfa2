"""Logins in the browser, with the real Envoy and an OpenID provider: who gets through, and what the backend sees."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cluster.bed import openid_provider
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Answer
from tests.cluster.offers.aiming import proxies
from tests.cluster.offers.asking import Caller
from tests.cluster.offers.declared import NAMESPACE
from tests.cluster.offers.watching import paths

_SITE: Final = "https://signed-in.example.org"
_CONTROLLER: Final = (NAMESPACE, "control-plane=envoy-gateway")


def _logged_in(caller: Caller, path: str, jar: str) -> Answer:
    """Ask as a browser does, which keeps cookies and goes where it is sent."""
    caller.settled(f"{_SITE}/settle", outcome="302")
    keeping = ("--location", "--cookie", f"/run/{jar}", "--cookie-jar", f"/run/{jar}")
    return caller.curl(f"{_SITE}{path}", *keeping)


def _cookies(caller: Caller, jar: str) -> dict[str, str]:
    """The site's cookies in a jar, by name (curl keeps them as Netscape did: the last two of seven columns)."""
    lines = caller.pod.run("cat", f"/run/{jar}").stdout.splitlines()
    rows = [line.split("\t") for line in lines if line.count("\t") == 6]
    return {row[5]: row[6] for row in rows if "signed-in.example.org" in row[0]}


def _told(cookies: Mapping[str, str]) -> tuple[str, str]:
    return "--cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())


@pytest.mark.proves("north-south", "without a login callers are sent to the provider, and the backend is not asked")
def test_strangers_are_sent_to_the_provider(offered: Cluster, caller: Caller) -> None:
    """Guards against a login page of somebody else, and against codes that are sent elsewhere."""
    since = offered.outside.count("vm1")
    answer = caller.settled(f"{_SITE}/stranger", "--dump-header", "-", "--output", "/dev/null", outcome="302")
    (location,) = (line.partition(" ")[2] for line in answer.body.splitlines() if line.lower().startswith("location:"))
    parts, query = urlsplit(location), parse_qs(urlsplit(location).query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{openid_provider.ISSUER}/authorize"
    assert query["redirect_uri"] == [f"{_SITE}/oauth2/callback"]
    assert query["client_id"] == [openid_provider.CLIENT_ID]
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert "openid" in query["scope"][0].split()
    assert openid_provider.CLIENT_SECRET not in answer.body
    assert caller.curl("http://signed-in.example.org/stranger").outcome == "404", "offered without TLS too"
    assert offered.outside.seen("vm1", since=since, event="request", path="/stranger") == []


@pytest.mark.proves("north-south", "a login leads back to the page that was asked for, and the backend gets no tokens")
def test_a_login_leads_back(offered: Cluster, caller: Caller) -> None:
    """Guards against a login without end, and against tokens with which the backend could call others."""
    since = offered.outside.count("vm1")
    answer = _logged_in(caller, "/page?of=mine", "back")
    assert (answer.outcome, answer.body.split()[0]) == ("200", "vm1")
    (request,) = offered.outside.seen("vm1", since=since, event="request", path="/page?of=mine")
    cookies = _cookies(caller, "back")
    assert any(name.startswith("AccessToken-") for name in cookies)
    assert not any("." in value and value.startswith("ey") for value in cookies.values()), "tokens that are legible"
    # Not even cookies: in those that the backend would see, Envoy has made the tokens legible.
    assert set(request["headers"]) == {"host", "user-agent", "accept", "x-request-id"}


@pytest.mark.proves(
    "north-south", "the controller asks where the provider has its parts, and the proxies ask for tokens"
)
def test_who_asks_the_provider(offered: Cluster, caller: Caller) -> None:
    """Guards against a fetch that the NetworkPolicies do not know of: it would be cut, or need a wider hole."""
    since = offered.outside.count("login")
    assert _logged_in(caller, "/asked", "asked").outcome == "200"
    own = {pod.address for pod in proxies(offered)}
    (asked,) = offered.outside.seen("login", since=since, event="request", method="POST", path="/token")
    assert asked["peer"] in own
    discovered = offered.outside.seen("login", event="request", path="/.well-known/openid-configuration")
    assert {each["peer"] for each in discovered} == {pod.address for pod in offered.pods(*_CONTROLLER)}


@pytest.mark.proves("north-south", "a login that was forged, or changed, is none")
def test_forged_logins_are_refused(offered: Cluster, caller: Caller) -> None:
    """Guards against cookies that nobody checks: anybody can write them."""
    assert _logged_in(caller, "/genuine", "forged").outcome == "200"
    genuine, since = _cookies(caller, "forged"), offered.outside.count("vm1")
    assert caller.curl(f"{_SITE}/genuine", *_told(genuine)).outcome == "200", "the cookies as they were given"
    assert caller.curl(f"{_SITE}/forged", *_told(dict.fromkeys(genuine, "9999999999"))).outcome == "302"
    # With a genuine refresh token, which only the login has, Envoy asks the provider anew whatever the others say.
    (renewing,) = (name for name in genuine if name.startswith("RefreshToken-"))
    assert caller.curl(f"{_SITE}/forged", *_told({**genuine, renewing: "forged"})).outcome == "302"
    lasting = {name: value for name, value in genuine.items() if name != renewing}
    for name in lasting:
        for changed in ({**lasting, name: "9999999999"}, {**lasting, name: f"A{lasting[name][1:]}"}):
            assert caller.curl(f"{_SITE}/forged", *_told(changed)).outcome == "302", name
    guessed = caller.curl(f"{_SITE}/oauth2/callback?code=guessed&state=guessed")
    assert guessed.status in {400, 401, 403}
    assert [path for path in paths(offered, "vm1", since) if path != "/settle"] == ["/genuine"]


@pytest.mark.proves("north-south", "a logout ends a login")
def test_a_logout_ends_a_login(caller: Caller) -> None:
    """Guards against a login that stays in the browser of whoever sits there next."""
    assert _logged_in(caller, "/before", "out").outcome == "200"
    cookies = _cookies(caller, "out")
    answer = caller.curl(f"{_SITE}/logout", *_told(cookies), "--dump-header", "-", "--output", "/dev/null")
    assert answer.outcome == "302"
    headers = [line.partition(": ") for line in answer.body.splitlines()]
    ended = [value.partition("=") for name, _, value in headers if name == "set-cookie"]
    assert {name for name, _, rest in ended if "expires=Thu, 01 Jan 1970" in rest} >= set(cookies)
    (location,) = (value for name, _, value in headers if name == "location")
    assert location.startswith(f"{openid_provider.ISSUER}/logout?"), "the provider would let in whoever comes next"
