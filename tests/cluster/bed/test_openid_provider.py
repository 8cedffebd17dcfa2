"""The provider of the bed: whom it lets in, and whom it does not."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.cluster.bed.openid_provider import CLIENT_ID, CLIENT_SECRET, ISSUER, SUBJECT, Answer, OpenIdProvider

BACK = "https://app.example.org/callback?of=app"
VERIFIER = "a-verifier-of-more-than-forty-three-characters"


def asked(provider: OpenIdProvider, **more: str) -> Answer:
    """A browser is sent to the provider."""
    query = {"client_id": CLIENT_ID, "response_type": "code", "scope": "openid", "redirect_uri": BACK, **more}
    return provider.answer("GET", f"/authorize?{urlencode(query)}", {}, b"")


def code_of(answer: Answer) -> str:
    """The code that the browser brings back."""
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def redeemed(provider: OpenIdProvider, secret: str = CLIENT_SECRET, **form: str) -> Answer:
    """The client redeems what it was given."""
    encoded = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
    body = urlencode({"grant_type": "authorization_code", "redirect_uri": BACK, **form}).encode()
    return provider.answer("POST", "/token", {"authorization": f"Basic {encoded}"}, body)


def payload(token: str) -> Any:
    """What a token says."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_code_becomes_tokens() -> None:
    """Guards against a login that no client can finish."""
    provider = OpenIdProvider()
    answer = asked(provider, state="s", nonce="n")
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"{BACK}&code=")
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] == ["s"]
    told = json.loads(redeemed(provider, code=code_of(answer)).body)
    identity = payload(told["id_token"])
    assert {key: identity[key] for key in ("iss", "sub", "aud", "nonce")} == {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": CLIENT_ID,
        "nonce": "n",
    }
    again = redeemed(provider, grant_type="refresh_token", refresh_token=told["refresh_token"])
    assert payload(json.loads(again.body)["access_token"])["sub"] == SUBJECT


def test_a_client_may_show_its_secret_in_the_form() -> None:
    """Guards against a provider that knows one way of two."""
    provider = OpenIdProvider()
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code": code_of(asked(provider))}
    body = urlencode({**form, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}).encode()
    assert provider.answer("POST", "/token", {}, body).status == 200


@pytest.mark.parametrize(
    ("form", "secret", "error"),
    [
        ({}, "wrong", "invalid_client"),
        ({"code": "guessed"}, CLIENT_SECRET, "invalid_grant"),
        ({"redirect_uri": "https://elsewhere.example.org/"}, CLIENT_SECRET, "invalid_grant"),
        ({"code_verifier": "another"}, CLIENT_SECRET, "invalid_grant"),
        ({"grant_type": "password"}, CLIENT_SECRET, "unsupported_grant_type"),
    ],
)
def test_tokens_are_for_whom_the_code_was_given_to(form: dict[str, str], secret: str, error: str) -> None:
    """Guards against a provider that believes every client: a proxy that sends nonsense would pass its test."""
    provider = OpenIdProvider()
    digest = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    code = code_of(asked(provider, code_challenge=digest, code_challenge_method="S256"))
    answer = redeemed(provider, secret, **{"code": code, "code_verifier": VERIFIER, **form})
    assert json.loads(answer.body) == {"error": error}


def test_a_code_is_good_once() -> None:
    """Guards against a proxy that redeems a code again for every request."""
    provider = OpenIdProvider()
    digest = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    code = code_of(asked(provider, code_challenge=digest, code_challenge_method="S256"))
    assert redeemed(provider, code=code, code_verifier=VERIFIER).status == 200
    assert redeemed(provider, code=code, code_verifier=VERIFIER).status == 400


@pytest.mark.parametrize("more", [{"client_id": "stranger"}, {"response_type": "token"}, {"scope": "email"}])
def test_others_are_not_logged_in(more: dict[str, str]) -> None:
    """Guards against a code for whoever asks."""
    assert asked(OpenIdProvider(), **more).status == 400


def test_what_it_publishes_leads_to_it() -> None:
    """Guards against a discovery document with an address that nothing answers."""
    provider = OpenIdProvider()
    document = json.loads(provider.answer("GET", "/.well-known/openid-configuration", {}, b"").body)
    assert document["issuer"] == ISSUER
    for key, method in (("jwks_uri", "GET"), ("end_session_endpoint", "GET"), ("token_endpoint", "POST")):
        assert document[key].startswith(f"{ISSUER}/")
        assert provider.answer(method, document[key].removeprefix(ISSUER), {}, b"").status != 404
    keys = json.loads(provider.answer("GET", "/keys", {}, b"").body)
    assert keys == json.loads(provider.signer.key_set)
