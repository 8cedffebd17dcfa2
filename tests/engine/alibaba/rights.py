"""What the RAM policy of docs/reference/ram-policy.md does not grant, of what was called."""

from typing import Final

from components.plan.cloud.ram import ACTIONS
from tests.engine.alibaba.cloud import AlibabaCloud

_GRANTED: Final = {right.partition(":")[2] for rights in ACTIONS.values() for right in rights}


def not_granted(cloud: AlibabaCloud) -> set[str]:
    """The actions that a role with that policy could not have called."""
    return cloud.calls.actions() - _GRANTED
