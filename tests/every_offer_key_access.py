"""Backends that, together, use every key about who may call, and how much: what may not stand together is apart."""

from typing import Any, Final

from tests.support import NEVER, Values

KEYS: Final = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
"""A public key, as an issuer publishes it."""


def access_values(values: Values) -> None:
    """Add them to a declaration."""
    values["backends"] |= access_backends()
    gateways = values.setdefault("backendGateways", {}).setdefault("default", {})
    gateways["helpers"] = {**gateways.get("helpers", {}), "opa": {"image": "registry.example.com/opa:1.2.3"}}
    install = values.setdefault("install", {}).setdefault("envoyGateway", {})
    install.setdefault("redis", {"namespace": "monitoring", "service": "redis"})


def access_backends() -> dict[str, Any]:
    """One backend for each way of calling, and for each protocol whose callers are known otherwise."""
    ended: dict[str, Any] = {"certificate": {"secret": "tls"}}
    return {
        "tokens": backend(
            "tokens",
            jwt={
                "issuer": "https://sso.example.com",
                "audiences": ["offers"],
                "jwksUri": "https://sso.example.com/keys",
                "cidrs": ["93.184.216.0/24"],
                "claims": {"team": ["news", "shop"], "realm_access.roles": ["reader"]},
                "passOn": True,
            },
            **ended,
            limits=_limits(),
        ),
        "fixed-tokens": backend("fixed-tokens", jwt={"issuer": "lab", "audiences": ["offers"], "jwks": KEYS}, **ended),
        "logins": backend(
            "logins",
            oidc={
                "issuer": "https://sso.example.com",
                "clientId": "logins",
                "secret": "logins",
                "endpoints": {
                    "authorization": "https://sso.example.com/authorize",
                    "token": "https://sso.example.com/token",
                },
                "cidrs": ["93.184.216.0/24"],
                "scopes": ["email"],
                "callback": "/login/callback",
                "logout": "/login/end",
                "passOn": True,
            },
            **ended,
        ),
        "keys": backend(
            "keys",
            apiKeys={"secret": "keys", "header": "x-key"},
            clientCidrs=["10.20.0.0/16", "2001:db8::/32"],
            **ended,
        ),
        "passwords": backend("passwords", basic="passwords", **ended, connections=_connections(), outliers=_outliers()),
        "helped": backend(
            "helped", external={"socket": "opa", "timeout": "300ms"}, protocol="GRPC", healthCheck={"interval": "7s"}
        ),
        "asked": backend("asked", external={"service": _service()}, healthCheck=_health()),
        "shown": backend("shown", clientCertificates={"secret": "callers", "names": ["reader.example.com"]}, **ended),
        "through": backend("through", clientCidrs=["10.20.0.0/16"], protocol="TLS"),
    }


def backend(name: str, **more: Any) -> dict[str, Any]:
    """A backend; keys of `access` and of the backend itself are told apart."""
    own = {"certificate", "protocol", "limits", "connections", "outliers", "healthCheck", "routes", "port", "hostnames"}
    return {
        "hostnames": [f"{name}.offers.example.com"],
        "endpoints": [{"ip": "93.184.216.34", "port": 8443}],
        "owner": "team-platform",
        "ticket": "FW-1050",
        "expires": NEVER,
        **{key: value for key, value in more.items() if key in own},
        "access": {key: value for key, value in more.items() if key not in own},
    }


def _service() -> dict[str, Any]:
    return {
        "namespace": "monitoring",
        "service": "opa",
        "port": 9191,
        "podPort": 9192,
        "protocol": "HTTP",
        "timeout": "500ms",
        "headers": ["x-team"],
    }


def _limits() -> dict[str, Any]:
    return {
        "requests": {
            "each-proxy": {"requests": 50, "per": "second"},
            "all": {"requests": 1000, "per": "minute", "counted": "together"},
            "caller": {"requests": 100, "per": "hour", "counted": "together", "each": "caller-address"},
            "tenant": {"requests": 500, "per": "day", "counted": "together", "eachHeader": "x-tenant"},
        },
        "bodyBytes": 1048576,
    }


def _connections() -> dict[str, Any]:
    return {
        "maxConnections": 100,
        "connectTimeout": "3s",
        "maxPendingRequests": 50,
        "maxRequestsPerConnection": 1000,
        "maxParallelRequests": 200,
        "idleTimeout": "5m",
    }


def _outliers() -> dict[str, Any]:
    return {"consecutiveErrors": 3, "interval": "5s", "ejectionTime": "1m", "maxPercent": 30}


def _health() -> dict[str, Any]:
    return {"path": "/healthz", "interval": "10s", "timeout": "2s", "unhealthyAfter": 2, "healthyAfter": 3}
