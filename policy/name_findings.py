"""What rules about host names share: which special names are approved."""

from policy.rule import Grants


def is_approved_name(name: str, grants: Grants) -> bool:
    """Whether `name`, in lower case, is in an approved zone of private names.

    A suffix of one label would approve everybody's names under it, so it approves nothing.
    """
    labels = name.split(".")
    suffixes = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return not grants.private_names.isdisjoint(suffixes)
