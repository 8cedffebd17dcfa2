"""RBAC for platform subjects: exactly them, exactly what backends are made of, in one namespace."""

from components.plan.objects import Holder
from components.plan.offers.rights import rights
from tests.plan.admission_policies import SUBJECTS, planned
from tests.support import approval, dev_values, just_enough, settings_of

_SUBJECTS = {
    "admins": approval(kind="Group", name="platform-admins"),
    "deployer": approval(kind="ServiceAccount", namespace="ci", name="deployer"),
    "jane": approval(kind="User", name="jane@example.com"),
}
_SETTINGS = settings_of(dev_values())
_RIGHTS = rights(_SETTINGS, just_enough(_SETTINGS, platformSubjects=_SUBJECTS))


def test_the_role_is_for_exactly_the_platform_subjects() -> None:
    """Somebody whom nobody approved could write Backends, or whoever was approved could not."""
    assert _RIGHTS.namespace == "envoy-gateway-system"
    assert _RIGHTS.holders == (
        Holder(kind="Group", name="platform-admins", namespace=None),
        Holder(kind="ServiceAccount", name="deployer", namespace="ci"),
        Holder(kind="User", name="jane@example.com", namespace=None),
    )


def test_the_role_holds_no_wildcard_and_no_code() -> None:
    """A role for backends let its holders write everything, or put code into proxies."""
    resources = {resource for group in _RIGHTS.resources.values() for resource in group}
    assert "*" not in {*resources, *_RIGHTS.resources, *_RIGHTS.verbs}
    assert "backends" in resources
    assert not {"envoypatchpolicies", "envoyextensionpolicies", "referencegrants"} & resources


def test_whatever_the_role_gives_the_admission_policy_keeps_from_others() -> None:
    """A kind that opens the cluster was given by the role, and any other role could give it to anybody else."""
    rules = planned()[SUBJECTS].policy.spec["matchConstraints"]["resourceRules"]
    guarded = {(rule["apiGroups"][0], resource) for rule in rules for resource in rule["resources"]}
    given = {(group, resource) for group, resources in _RIGHTS.resources.items() for resource in resources}
    assert given < guarded
