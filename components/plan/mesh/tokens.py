"""Which tokens the gateway can read: RequestAuthentication."""

from collections.abc import Mapping

from components.plan.mesh.address import SECURITY, GatewayAddress
from components.plan.names import kube_name
from components.plan.objects import KubeObject
from components.settings.mesh import Issuer


def request_authentication(at: GatewayAddress, issuers: Mapping[str, Issuer]) -> KubeObject | None:
    """The issuers whose tokens the gateway checks. A token that is there and wrong is refused with 401.

    Tokens are read from headers of their own only. Were it `authorization`, a token for the host outside would be
    refused as one of an unknown issuer.
    """
    if not issuers:
        return None
    return at.object(
        "RequestAuthentication",
        "tokens" if at.name is None else kube_name("tokens", at.name),
        {
            "selector": {"matchLabels": at.labels},
            "jwtRules": [
                {
                    "issuer": issuer.issuer,
                    "audiences": list(issuer.audiences),
                    "fromHeaders": [{"name": issuer.header}],
                    **({"jwks": issuer.jwks} if issuer.jwks_uri is None else {"jwksUri": issuer.jwks_uri}),
                }
                for _, issuer in sorted(issuers.items())
            ],
        },
        api_version=SECURITY,
    )


def token_headers(issuers: Mapping[str, Issuer]) -> tuple[str, ...]:
    """The headers that hold tokens for the gateway; no host outside is told them."""
    return tuple(sorted({issuer.header for issuer in issuers.values()}))
