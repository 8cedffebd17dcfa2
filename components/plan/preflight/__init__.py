"""Is everything that the declaration asks for approved? Settings can ask; only approvals can grant."""

from components.plan.preflight import addresses, cloud, names, offers, sources
from components.settings import Problem, Settings
from policy.approvals import Approvals


def check(settings: Settings, approvals: Approvals, *, file: str, approvals_file: str) -> list[Problem]:
    """Everything that is asked for and not granted, with its path in the stack file."""
    found = [
        *names.check(settings, approvals, approvals_file),
        *addresses.check(settings, approvals, approvals_file),
        *sources.check(settings, approvals, approvals_file),
        *offers.check(settings, approvals, approvals_file),
        *cloud.check(settings, approvals, approvals_file),
    ]
    return [Problem(file=file, path=path, wrong=wrong, instead=instead) for path, wrong, instead in found]
