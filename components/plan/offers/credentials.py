"""What callers show to be let in: tokens, logins, keys and passwords, as a SecurityPolicy has them."""

from typing import Any

from components.plan.offers.telemetry import TOKENS
from components.settings.offers.access import ApiKeys, Jwt, Oidc
from components.settings.offers.backends import Backend
from components.settings.reserved import OFFER_TLS_PORT


def jwt(asked: Jwt) -> dict[str, Any]:
    """`jwt`: one provider, by whose name claims are compared and logs find the token."""
    keys = (
        {"localJWKS": {"type": "Inline", "inline": asked.jwks}}
        if asked.jwks_uri is None
        else {"remoteJWKS": {"uri": asked.jwks_uri}}
    )
    return {
        "providers": [
            {
                "name": TOKENS,
                "issuer": asked.issuer,
                "audiences": sorted(asked.audiences),
                # Without it a token would also be taken from the query, which ends up in logs.
                "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
                **keys,
            }
        ]
    }


def oidc(backend: Backend, asked: Oidc) -> dict[str, Any]:
    """`oidc`: cookies for the one hostname, which other sites cannot have sent along with a form."""
    hostname = (backend.hostnames or ("",))[0]
    port = backend.listening_port
    where = hostname if port == OFFER_TLS_PORT else f"{hostname}:{port}"
    endpoints = (
        {}
        if asked.endpoints is None
        else {"authorizationEndpoint": asked.endpoints.authorization, "tokenEndpoint": asked.endpoints.token}
    )
    return {
        "provider": {"issuer": asked.issuer, **endpoints},
        "clientID": asked.client_id,
        "clientSecret": {"name": asked.secret},
        **({} if asked.scopes is None else {"scopes": sorted(asked.scopes)}),
        "redirectURL": f"https://{where}{asked.callback}",
        "logoutPath": asked.logout,
        "cookieConfig": {"sameSite": "Lax"},  # `Strict` is not sent when the provider sends browsers back
        "forwardAccessToken": False,
    }


def api_keys(asked: ApiKeys) -> dict[str, Any]:
    """`apiKeyAuth`: the key goes no further than the Gateway."""
    return {
        "credentialRefs": [{"name": asked.secret}],
        "extractFrom": [{"headers": [asked.header]}],
        "sanitize": True,
    }


def basic(secret: str) -> dict[str, Any]:
    """`basicAuth`."""
    return {"users": {"name": secret}}
