"""What shuts a client namespace, beyond the fixtures of EGR301: no namespace, approvals, and exceptions."""

from rule_fixtures import TODAY, documents, exception

from policy.facts.addresses import special_networks
from policy.registry import judge
from policy.rule import Context, Grants, Violation
from policy.subjects import subjects_of

CLIENTS = frozenset({"news", "shop"})
NOTHING = Grants()
EVERY_POD_OF_THE_CLUSTER = "{to: [{namespaceSelector: {}}]}"


def _policy(namespace: str | None, *, egress: str = EVERY_POD_OF_THE_CLUSTER, name: str = "lockdown") -> object:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    spec: object = {"podSelector": {}, "policyTypes": ["Egress"], "egress": documents(f"[{egress}]")[0]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _opening(*cidrs: str) -> str:
    return f"{{to: [{', '.join(f'{{ipBlock: {{cidr: {cidr}}}}}' for cidr in cidrs)}]}}"


def _without_special(cidr: str) -> str:
    """Everything that is public in `cidr`, on port 443."""
    excepted = ", ".join(str(network) for network in special_networks(4))
    return f"{{to: [{{ipBlock: {{cidr: {cidr}, except: [{excepted}]}}}}], ports: [{{port: 443}}]}}"


def _judged(*objects: object, grants: Grants = NOTHING) -> list[Violation]:
    """What the rules about NetworkPolicies say, without that of a missing namespace."""
    context = Context(today=TODAY, client_namespaces=CLIENTS, grants=grants)
    violations = judge([subject for whole in objects for subject in subjects_of(whole)], context)
    return [violation for violation in violations if violation.rule.id.startswith("EGR3")]


def _said(*objects: object, grants: Grants = NOTHING) -> list[tuple[str, str]]:
    return [(f"{v.ref}", v.message) for v in _judged(*objects, grants=grants)]


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


def test_a_wide_policy_is_wide_in_whatever_namespace() -> None:
    """Guards against a policy that nobody judges because its namespace is no client's, or is not known."""
    for policy in (_policy(None, egress=_opening("0.0.0.0/0")), _policy("tools", egress=_opening("0.0.0.0/0"))):
        violations = judge(subjects_of(policy), Context(today=TODAY))
        assert [violation.rule.id for violation in violations if violation.rule.id != "EGR001"] == ["EGR302"]


def test_an_excused_policy_does_not_excuse_what_all_open_together() -> None:
    """Guards against an exception for one address that hides a wide opening of the whole namespace."""
    granted = exception(rule="EGR305", kind="NetworkPolicy", namespace="news", name="half")
    halves = (
        _policy("shop"),
        _policy("news", egress=_opening("47.97.0.0/16")),
        _policy("news", name="half", egress=_opening("47.96.0.0/16", "169.254.20.10/32")),
    )
    together = "its NetworkPolicies together open too wide a part of the Internet"
    assert _said(*halves, grants=Grants(exceptions=(granted,))) == [("Namespace news", together)]


def test_what_is_approved_for_a_gateway_does_not_open_a_client() -> None:
    """Guards against an approval of public addresses with which clients pass by the gateway."""
    public = _without_special("0.0.0.0/0")
    locked = (_policy("news", egress=public), _policy("shop"))
    together = "its NetworkPolicies together open too wide a part of the Internet"
    assert _said(*locked, grants=Grants(public_ports=frozenset({443}))) == [("Namespace news", together)]
    assert _said(_policy("news"), _policy("shop"), _policy("istio-egress", egress=public)) == [
        ("NetworkPolicy istio-egress/lockdown", "the ipBlocks '0.0.0.0/0' together are too wide")
    ]


def test_an_unknown_port_opens_no_link_local_address() -> None:
    """Guards against a port that is DNS in the preview and another one in the update."""
    text = "{to: [{ipBlock: {cidr: 169.254.20.10/32}}], ports: [{protocol: UDP, port: !unknown x}]}"
    policy = _policy("tools", egress=text)
    violations = judge(subjects_of(policy), Context(today=TODAY))
    assert [(violation.rule.id, violation.path) for violation in violations] == [
        ("EGR302", "spec.egress[0].ports[0].port"),
        ("EGR305", "spec.egress[0].to[0].ipBlock.cidr"),
    ]
