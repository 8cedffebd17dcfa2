"""SNAT entries: whose traffic leaves by which NAT gateway."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.readers.cloud.kinds import NAT_GATEWAY, SNAT_ENTRY, SWITCHES
from policy.readers.cloud.links import CloudStack, Leads
from policy.reading import Node, Reader, root
from policy.rule import Subject


@dataclass(frozen=True, kw_only=True, eq=False)
class SnatEntry:
    """One entry."""

    subject: Subject
    gateway: Leads
    """The NAT gateway, by the table of its entries."""
    vswitch: Leads
    """The vSwitch that it is for; none where it is for a range."""
    source: Node
    """The range; the API fills it in where there is a vSwitch."""


def snat_entries(stack: CloudStack) -> Iterator[SnatEntry]:
    """The SNAT entries of the stack."""
    for subject in stack.each({SNAT_ENTRY}):
        yield SnatEntry(
            subject=subject,
            gateway=stack.follow(subject, "snatTableId", {NAT_GATEWAY}),
            vswitch=stack.follow(subject, "sourceVswitchId", SWITCHES),
            source=Reader().field(root(subject.whole), "sourceCidr"),
        )
