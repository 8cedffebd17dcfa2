"""Registers Cloud Firewall's address books, and says how policies of both boundaries speak of them."""

from collections.abc import Sequence
from typing import Final, TypedDict

import pulumi
import pulumi_alicloud as alicloud

from components.plan.cloud.firewall import AddressBook
from components.vpc import ANYWHERE

THROTTLED: Final = pulumi.CustomTimeouts(create="20m", update="20m", delete="20m")
"""Many calls one after the other meet the limit of ten a second, and are tried again."""

Book = alicloud.cloudfirewall.AddressBook


class Ends(TypedDict):
    """From where to where a policy is."""

    source: pulumi.Input[str]
    source_type: str
    destination: pulumi.Input[str]
    destination_type: str


def ends(source: Book | None, destination: Book | None) -> Ends:
    """Books by their names; `None` is everybody, and everywhere."""
    return Ends(
        source=ANYWHERE if source is None else source.group_name,
        source_type="net" if source is None else "group",
        destination=ANYWHERE if destination is None else destination.group_name,
        destination_type="net" if destination is None else "group",
    )


def ports(port: int | None) -> str:
    """A port as policies say it; `None` is every port."""
    return "0/0" if port is None else f"{port}/{port}"


def address_book(
    component: pulumi.ComponentResource,
    planned: AddressBook,
    after: Sequence[pulumi.Resource],
    *,
    entries: Sequence[pulumi.Input[str]] | None = None,
) -> Book:
    """Register a book as a child of `component`.

    Args:
        component: the parent.
        planned: its name, its kind, and what is in it.
        after: what it waits for.
        entries: what is in it instead, where only the cloud knows.
    """
    return Book(
        planned.name,
        group_name=planned.name,
        group_type=planned.kind,
        description="Written by cluster-egress, and changed there",
        address_lists=[*(planned.entries if entries is None else entries)],
        opts=pulumi.ResourceOptions(parent=component, custom_timeouts=THROTTLED, depends_on=[*after]),
    )
