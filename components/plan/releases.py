"""Helm releases, as every layer plans them."""

from components.plan.objects import Plain, Release
from components.settings import Settings


def release(
    settings: Settings, *, name: str, namespace: str, chart: str, version: str, values: Plain, crds: bool = False
) -> Release:
    """One release, with the credentials for its chart where the settings name some."""
    registry = settings.install.chart_registry
    return Release(
        name=name,
        namespace=namespace,
        chart=chart,
        version=version,
        values=values,
        crds=crds,
        username=None if registry is None else registry.username,
        password_secret=None if registry is None else registry.password_secret,
    )
