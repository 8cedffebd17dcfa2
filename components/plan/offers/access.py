"""Who may call a backend: a SecurityPolicy for its route, in force before it.

Envoy asks one after the other, and each can only refuse: the authorizer, the key, the password, the login, the token,
then the claims and the address (Envoy Gateway v1.9, internal/xds/translator/httpfilters.go). Where a Secret is missing
or wrong, Envoy Gateway answers every request 500 (translateSecurityPolicyForRoute).
"""

from collections.abc import Iterator
from typing import Any

from components.plan.objects import KubeObject
from components.plan.offers import credentials
from components.plan.offers.attaching import attached, policy_name
from components.plan.offers.authorization import authorization
from components.plan.offers.authorizers import external
from components.settings import Settings
from components.settings.offers.backends import Backend


def access_policies(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """What must be in force before a backend's routes: nothing where it is public, or asks for certificates only."""
    ways = _ways(name, backend)
    if ways:
        yield KubeObject(
            api_version="gateway.envoyproxy.io/v1alpha1",
            kind="SecurityPolicy",
            name=policy_name(name, backend),
            namespace=settings.install.envoy_gateway.namespace,
            spec={"targetRefs": attached(name, backend), **ways},
        )


def _ways(name: str, backend: Backend) -> dict[str, Any]:
    access = backend.access
    ways = {
        "jwt": None if access.jwt is None else credentials.jwt(access.jwt),
        "oidc": None if access.oidc is None else credentials.oidc(backend, access.oidc),
        "apiKeyAuth": None if access.api_keys is None else credentials.api_keys(access.api_keys),
        "basicAuth": None if access.basic is None else credentials.basic(access.basic),
        "extAuth": None if access.external is None else external(name, access.external),
        "authorization": authorization(access),
    }
    return {key: way for key, way in ways.items() if way is not None}
