"""An OpenID provider (OpenID Connect Core 1.0, Discovery 1.0; PKCE: RFC 7636) where everybody is logged in at once.

One client is registered, `CLIENT_ID` with `CLIENT_SECRET`; it may come back to any address. A code is good once.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from tests.cluster.bed.signer import Signer

HOST: Final = "login.example.org"
ISSUER: Final = f"https://{HOST}"
CLIENT_ID: Final = "bed-client"
CLIENT_SECRET: Final = "bed-client-secret"  # noqa: S105 - of the bed's only
SUBJECT: Final = "jane"
"""Who is logged in."""
SECONDS: Final = 300
"""How long tokens are good."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an HTTP server answers."""

    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(kw_only=True)
class OpenIdProvider:
    """A provider with a key of its own, and the codes that it has given out."""

    signer: Signer = field(default_factory=lambda: Signer(issuer=ISSUER, name="login"))
    _granted: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """What was asked for, by code or refresh token."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request.

        Args:
            method: such as `GET`.
            target: path and query.
            headers: by name in small letters.
            body: a form, if it is a request for tokens.
        """
        path, query = urlsplit(target).path, _form(urlsplit(target).query)
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return _json(_discovery())
            case "GET", "/keys":
                return _json(json.loads(self.signer.key_set))
            case "GET", "/authorize":
                return self._authorize(query)
            case "POST", "/token":
                return self._token(headers, _form(body.decode()))
            case "GET", "/logout":
                return _json({"ended": True})
            case _:
                return _json({"error": "not_found"}, HTTPStatus.NOT_FOUND)

    def _authorize(self, query: Mapping[str, str]) -> Answer:
        if query.get("client_id") != CLIENT_ID or query.get("response_type") != "code":
            return _json({"error": "unauthorized_client"}, HTTPStatus.BAD_REQUEST)
        if "openid" not in query.get("scope", "").split() or "redirect_uri" not in query:
            return _json({"error": "invalid_request"}, HTTPStatus.BAD_REQUEST)
        code = secrets.token_urlsafe()
        self._granted[code] = query
        back = {"code": code, **({"state": query["state"]} if "state" in query else {})}
        mark = "&" if urlsplit(query["redirect_uri"]).query else "?"
        return Answer(status=HTTPStatus.FOUND, headers={"location": f"{query['redirect_uri']}{mark}{urlencode(back)}"})

    def _token(self, headers: Mapping[str, str], form: Mapping[str, str]) -> Answer:
        if _credentials(headers, form) != (CLIENT_ID, CLIENT_SECRET):
            return _json({"error": "invalid_client"}, HTTPStatus.UNAUTHORIZED)
        kind = form.get("grant_type")
        name = {"authorization_code": "code", "refresh_token": "refresh_token"}.get(kind or "")
        if name is None:
            return _json({"error": "unsupported_grant_type"}, HTTPStatus.BAD_REQUEST)
        granted = self._granted.pop(form.get(name, ""), None)
        if granted is None or (name == "code" and not _belongs(form, granted)):
            return _json({"error": "invalid_grant"}, HTTPStatus.BAD_REQUEST)
        claims = {"sub": SUBJECT, "exp": int(time.time()) + SECONDS, "iat": int(time.time())}
        nonce = {"nonce": granted["nonce"]} if "nonce" in granted else {}
        refresh = secrets.token_urlsafe()
        self._granted[refresh] = granted
        return _json(
            {
                "access_token": self.signer.token(**claims, aud="api", scope=granted["scope"]),
                "id_token": self.signer.token(**claims, aud=CLIENT_ID, **nonce),
                "refresh_token": refresh,
                "token_type": "Bearer",
                "expires_in": SECONDS,
                "scope": granted["scope"],
            }
        )


def _discovery() -> dict[str, Any]:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "end_session_endpoint": f"{ISSUER}/logout",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }


def _credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, str]:
    """Who asks for tokens: in the header, each part encoded as in a form (RFC 6749, 2.3.1), or in the form."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _belongs(form: Mapping[str, str], granted: Mapping[str, str]) -> bool:
    """Whether a code is redeemed by whom it was given to."""
    if form.get("redirect_uri") != granted["redirect_uri"]:
        return False
    if "code_challenge" not in granted:
        return True
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == granted["code_challenge"]


def _form(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _json(value: Mapping[str, Any], status: int = HTTPStatus.OK) -> Answer:
    return Answer(status=status, headers={"content-type": "application/json"}, body=json.dumps(value).encode())
