"""Many destinations more than a stack declares, for the tests of scale."""

from typing import Any, Final, cast

import yaml12

from tests.cluster.bed.stack import Stack
from tests.scale.declarations import destination, write_config

_KINDS: Final = 3
"""A third of the hosts each has HTTP, TLS, and both."""


def declare_many(stack: Stack, hosts: int, namespace: str, account: str) -> None:
    """Have a stack declare so many hosts more, which one service account may use.

    Args:
        stack: a copy of the project; its stack file is changed.
        hosts: a multiple of three, so that there are equally many of each kind.
        namespace: the clients'.
        account: their service account.
    """
    assert hosts % _KINDS == 0
    whole = cast("dict[str, Any]", yaml12.parse_yaml(stack.file.read_text(encoding="utf-8")))
    declared = whole["config"]["cluster-egress:destinations"]
    clients = {namespace: {"serviceAccounts": [account]}}
    declared |= {f"host-{number}": {**destination(number, 0), "clients": clients} for number in range(hosts)}
    write_config(stack.project, whole["config"])
