"""What shuts a client namespace, beyond the fixtures of EGR301: policies of no namespace, and exceptions."""

import yaml
from rule_fixtures import TODAY, exception

from policy.registry import judge
from policy.rule import Context, Grants, RuleException, Violation
from policy.subjects import subjects_of

CLIENTS = frozenset({"news", "shop"})
EVERY_POD_OF_THE_CLUSTER = "{to: [{namespaceSelector: {}}]}"


def _policy(namespace: str | None, *, egress: str = EVERY_POD_OF_THE_CLUSTER, name: str = "lockdown") -> object:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    spec: object = {"podSelector": {}, "policyTypes": ["Egress"], "egress": yaml.safe_load(f"[{egress}]")}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _opening(*cidrs: str) -> str:
    return f"{{to: [{', '.join(f'{{ipBlock: {{cidr: {cidr}}}}}' for cidr in cidrs)}]}}"


def _egr301(*objects: object, exceptions: tuple[RuleException, ...] = ()) -> list[Violation]:
    context = Context(today=TODAY, client_namespaces=CLIENTS, grants=Grants(exceptions=exceptions))
    violations = judge([subject for whole in objects for subject in subjects_of(whole)], context)
    return [violation for violation in violations if violation.rule.id == "EGR301"]


def _said(*objects: object, exceptions: tuple[RuleException, ...] = ()) -> list[tuple[str, str]]:
    return [(f"{v.ref}", v.message) for v in _egr301(*objects, exceptions=exceptions)]


def test_a_policy_without_a_namespace_locks_no_namespace() -> None:
    """Guards against a lock-down that the engine puts into `default`, where it shuts nobody in."""
    no_policy = "no NetworkPolicy selects all its pods for egress"
    assert _said(_policy("news"), _policy("shop")) == []
    assert _said(_policy("news"), _policy(None)) == [("Namespace shop", no_policy)]


def test_a_policy_without_a_namespace_may_open_every_namespace() -> None:
    """Guards against an opening that offline nobody counts, because its namespace is only known to the engine."""
    locked = (_policy("news"), _policy("shop"))
    wide = ("NetworkPolicy open", "the ipBlocks '0.0.0.0/0' together are too wide")
    assert _said(*locked, _policy(None, name="open", egress=_opening("0.0.0.0/0"))) == [wide]
    metadata = ("NetworkPolicy open", "169.254.169.254/32 touches metadata addresses")
    assert _said(*locked, _policy(None, name="open", egress=_opening("169.254.169.254/32"))) == [metadata]


def test_a_policy_without_a_namespace_counts_together_with_each_namespaces_own() -> None:
    """Guards against two halves of a wide block, one of which says no namespace."""
    half = _policy(None, name="half", egress=_opening("47.96.0.0/16"))
    together = "its NetworkPolicies together open too wide a part of the Internet"
    assert _said(_policy("news", egress=_opening("47.97.0.0/16")), _policy("shop"), half) == [
        ("Namespace news", together)
    ]


def test_a_policy_without_a_namespace_is_nothing_to_who_has_no_clients() -> None:
    """Guards against findings of this rule in a stack that it is not about."""
    context = Context(today=TODAY)
    subjects = subjects_of(_policy(None, egress=_opening("0.0.0.0/0")))
    assert [violation.rule.id for violation in judge(subjects, context)] == ["EGR001"]


def test_an_excused_policy_does_not_excuse_what_all_open_together() -> None:
    """Guards against an exception for one address that hides a wide opening of the whole namespace."""
    granted = exception(rule="EGR301", kind="NetworkPolicy", namespace="news", name="half")
    halves = (
        _policy("shop"),
        _policy("news", egress=_opening("47.97.0.0/16")),
        _policy("news", name="half", egress=_opening("47.96.0.0/16", "169.254.20.10/32")),
    )
    together = "its NetworkPolicies together open too wide a part of the Internet"
    assert _said(*halves, exceptions=(granted,)) == [("Namespace news", together)]
