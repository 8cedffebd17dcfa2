"""The admission policies of the `dev` stack, as tests read them."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from components.plan.admission import AdmissionPolicy, plan_admission
from tests.support import changed, just_enough, setting, settings_of

BACKENDS = "cluster-egress-backends"
DESTINATIONS = "cluster-egress-destinations"
SUBJECTS = "cluster-egress-subjects"


def planned(*, posture: str = "enforce", **more: Any) -> dict[str, AdmissionPolicy]:
    """The policies by name, for just enough approvals and `more`."""
    settings = settings_of(changed(setting("egress.posture", posture)))
    return {each.policy.name: each for each in plan_admission(settings, just_enough(settings, **more))}


def variables(policy: AdmissionPolicy) -> dict[str, str]:
    """Its variables' expressions, by name."""
    return {each["name"]: each["expression"] for each in policy.policy.spec["variables"]}


def networks(expression: str) -> list[IPv4Network | IPv6Network]:
    """The CIDRs that an expression names."""
    return [ip_network(text) for text in re.findall(r'cidr\("([^"]+)"\)', expression)]
