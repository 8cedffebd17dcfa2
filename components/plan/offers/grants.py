"""What backends need from elsewhere, and who may write them."""

from collections.abc import Iterator

from components.plan.objects import KubeObject
from components.settings import Settings
from policy.approvals import Approvals


def grants(settings: Settings, approvals: Approvals) -> Iterator[KubeObject]:
    """ReferenceGrants for what stands in other namespaces, and the rights of platform subjects."""
    yield from ()
