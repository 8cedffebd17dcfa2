"""Who may call a backend: SecurityPolicies for its routes, and ClientTrafficPolicies for its listeners."""

from collections.abc import Iterator

from components.plan.objects import KubeObject
from components.settings import Settings
from components.settings.offers.backends import Backend


def access_policies(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """What must be in force before a backend's routes."""
    yield from ()
