"""Backends and Gateways that the `dev` stack does not have, as tests about networks and hand-offs need them."""

from typing import Any

from tests.support import Values, dev_values

JWT: dict[str, Any] = {
    "issuer": "https://sso.example.com",
    "audiences": ["n9e"],
    "jwksUri": "https://keys.example.com:8443/keys",
    "cidrs": ["93.184.216.0/24"],
}
OIDC: dict[str, Any] = {"issuer": "https://login.example.com/realm", "clientId": "n9e", "secret": "oidc"}
PARTNERS: dict[str, Any] = {
    "exposure": "intranet",
    "sourceRanges": ["10.30.0.0/16"],
    "addresses": {"mode": "existing", "cidrs": ["203.0.113.20/32"]},
}
SERVICE: dict[str, Any] = {"namespace": "monitoring", "name": "n9e", "port": 80, "podPort": 17000}


def exposed_values() -> Values:
    """A second Gateway, which the VPC reaches, with the backend httpbin on it."""
    values = dev_values()
    values["backendGateways"] = {"default": {"exposure": "inside"}, "partners": PARTNERS}
    values["backends"]["httpbin"] |= {"gateway": "partners", "certificate": {"secret": "httpbin"}}
    return values


def calling(backend: str, access: dict[str, Any]) -> Values:
    """The `dev` stack with a backend whose callers show something, by TLS."""
    values = dev_values()
    values["backends"][backend] |= {"access": access, "certificate": {"secret": backend}}
    return values


def moved(values: Values) -> None:
    """Has n9e lead to a Service in the cluster."""
    del values["backends"]["n9e"]["endpoints"]
    values["backends"]["n9e"]["service"] = SERVICE
