"""What keeps the addresses that firewalls outside know: against the API, and against Pulumi."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import EIPS, NAT_FIREWALL, NAT_GATEWAY
from policy.reading import Reader, root
from policy.rule import Context, Finding, Subject

PROTECTED_KINDS: Final = EIPS | {NAT_FIREWALL, NAT_GATEWAY}
_WITHOUT_OWN: Final = frozenset({NAT_FIREWALL, "alicloud:ecs/EipSegmentAddress"})
"""What the API cannot protect."""


def is_to_be_protected(subject: Subject, context: Context) -> bool:
    """Whether the settings have one of `PROTECTED_KINDS` protected; it is where there are none."""
    return context.addresses_protected if subject.group_kind in EIPS else context.gateway_protected


def missing_protection(subject: Subject) -> Iterator[Finding]:
    """What does not protect `subject`, of one of `PROTECTED_KINDS`."""
    protection = Reader().field(root(subject.whole), "deletionProtection")
    if subject.group_kind not in _WITHOUT_OWN and protection.value in (None, False):
        said = "is missing" if protection.value is None else "false"
        yield Finding(path=protection.path, message=f"{said}: one call of the API deletes it")
    if subject.registration is not None and subject.registration.protected is False:
        yield Finding(path="", message="has no `protect`: Pulumi deletes or replaces it without asking again")
