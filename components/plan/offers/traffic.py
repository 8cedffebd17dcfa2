"""How a backend is asked, and how much: BackendTrafficPolicies for its routes."""

from collections.abc import Iterator

from components.plan.objects import KubeObject
from components.settings import Settings
from components.settings.offers.backends import Backend


def traffic_policies(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """Limits, health, retries and timeouts, in force before a backend's routes."""
    yield from ()
