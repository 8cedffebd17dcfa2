"""Registers Cloud Firewall's address books, and what policies of both boundaries say of them."""

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_alicloud as alicloud

from components.plan.cloud.firewall import AddressBook, Policy

ANYWHERE: Final = "0.0.0.0/0"
THROTTLED: Final = pulumi.CustomTimeouts(create="20m", update="20m", delete="20m")
"""Many calls one after the other meet the limit of ten a second, and are tried again."""


def address_book(
    component: pulumi.ComponentResource,
    planned: AddressBook,
    after: Sequence[pulumi.Resource],
    *,
    entries: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
) -> alicloud.cloudfirewall.AddressBook:
    """Register a book as a child of `component`, once everything in `after` is there.

    Args:
        component: the parent.
        planned: its name, kind and entries.
        after: what it waits for.
        entries: what is in it, where only the cloud knows.
    """
    return alicloud.cloudfirewall.AddressBook(
        planned.name,
        group_name=planned.name,
        group_type=planned.kind,
        description=planned.name,
        address_lists=list(planned.entries) if entries is None else entries,
        opts=pulumi.ResourceOptions(parent=component, custom_timeouts=THROTTLED, depends_on=list(after)),
    )
