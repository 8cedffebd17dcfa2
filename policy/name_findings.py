"""What rules about host names share: which are no good anywhere, and which special ones are approved."""

from policy.facts.names import NameClass
from policy.rule import Grants

NEVER_NAMES = {
    NameClass.LOCALHOST: "is a name of the pod itself, or of its node",
    NameClass.METADATA: "is a name of a cloud's metadata service",
    NameClass.CLUSTER: "is a name inside the cluster",
    NameClass.SINGLE_LABEL: "is a single label, which pods complete with the cluster's search path",
    NameClass.WILDCARD_DNS: "is in a DNS zone that answers with loopback, or with the address that the name spells",
    NameClass.UNLISTED_TLD: "has no public top-level domain, so pods complete it with the cluster's search path",
}
"""What nothing can approve, and what is wrong with it."""


def is_approved_name(name: str, grants: Grants) -> bool:
    """Whether `name`, in lower case, is in an approved zone of private names.

    A suffix of one label would approve everybody's names under it, so it approves nothing.
    """
    labels = name.split(".")
    suffixes = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return not grants.private_names.isdisjoint(suffixes)
