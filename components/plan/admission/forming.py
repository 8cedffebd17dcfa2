"""The form of a ValidatingAdmissionPolicy, and of the binding that puts it in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.plan.admission.cel import Variable
from components.plan.admission.judging import Validation
from components.plan.objects import KubeObject

_API: Final = "admissionregistration.k8s.io/v1"

Resources = Mapping[str, Sequence[str]]
"""API group -> resources; every served version of them."""


@dataclass(frozen=True, kw_only=True)
class AdmissionPolicy:
    """A policy, and the binding that puts it in force."""

    policy: KubeObject
    binding: KubeObject


def policy(
    name: str,
    resources: Resources,
    *,
    conditions: Sequence[Mapping[str, str]],
    variables: Sequence[Variable],
    validations: Sequence[Validation],
) -> KubeObject:
    """A policy about creating and changing these resources, which fails closed."""
    return KubeObject(
        api_version=_API,
        kind="ValidatingAdmissionPolicy",
        name=name,
        spec={
            "failurePolicy": "Fail",
            "matchConstraints": {
                "matchPolicy": "Equivalent",
                "resourceRules": [
                    {
                        "apiGroups": [group],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": list(resources[group]),
                    }
                    for group in sorted(resources)
                ],
            },
            "matchConditions": [dict(condition) for condition in conditions],
            "variables": [{"name": each.name, "expression": each.expression} for each in variables],
            "validations": list(validations),
        },
    )


def validation(expression: str, message: str) -> Validation:
    """That an expression holds; else the message is the answer."""
    return {"expression": expression, "message": message, "reason": "Forbidden"}


def bound(policy: KubeObject, actions: Sequence[str]) -> AdmissionPolicy:
    """The policy, with a binding that has it act so."""
    return AdmissionPolicy(
        policy=policy,
        binding=KubeObject(
            api_version=_API,
            kind="ValidatingAdmissionPolicyBinding",
            name=policy.name,
            spec={"policyName": policy.name, "validationActions": list(actions)},
        ),
    )
