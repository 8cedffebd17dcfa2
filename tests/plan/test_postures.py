"""`observe` cuts nothing, `enforce` refuses what is not declared, in every layer together."""

from typing import Any

import pytest

from components.plan import Plan
from tests.support import changed, dev_values, istio_of, objects, of_kind, plan_of, setting


@pytest.fixture(scope="module")
def observed() -> Plan:
    """The `dev` stack, observing."""
    return plan_of(changed(setting("egress.posture", "observe")))


@pytest.fixture(scope="module")
def enforced() -> Plan:
    """The `dev` stack, enforcing."""
    return plan_of(dev_values())


def _modes(plan: Plan) -> set[str]:
    return {
        istio_of(plan).istiod.values["meshConfig"]["outboundTrafficPolicy"]["mode"],
        *(sidecar.spec["outboundTrafficPolicy"]["mode"] for sidecar in of_kind(plan, "Sidecar")),
    }


def test_observe_lets_undeclared_traffic_through_in_every_layer(observed: Plan) -> None:
    """One layer enforced while the others observed, and cut traffic that nobody had yet declared."""
    assert _modes(observed) == {"ALLOW_ANY"}
    assert of_kind(observed, "NetworkPolicy") == []


def test_enforce_closes_every_layer(enforced: Plan) -> None:
    """One layer stayed open under `enforce`."""
    assert _modes(enforced) == {"REGISTRY_ONLY"}
    assert [(policy.namespace, policy.name) for policy in of_kind(enforced, "NetworkPolicy")] == [
        ("istio-egress", "egress-gateway"),
        ("envoy-gateway-system", "cluster-egress"),
        ("envoy-gateway-system", "proxies"),
        ("envoy-gateway-system", "control-plane"),
        ("istio-system", "control-plane"),
        ("news", "cluster-egress"),
        ("shop", "cluster-egress"),
    ]


def test_observe_lists_what_enforce_would_add(observed: Plan, enforced: Plan) -> None:
    """Nobody could see before switching to `enforce` what it would cut."""
    assert enforced.handoff["planned"] == []
    assert observed.handoff["planned"] == sorted(
        f"{policy.kind} {policy.namespace}/{policy.name}" for policy in of_kind(enforced, "NetworkPolicy")
    )


def test_a_change_of_posture_adds_or_changes_and_never_renames(observed: Plan, enforced: Plan) -> None:
    """Switching to `enforce` replaced the gateway, which cut all traffic for a while."""
    before = {(item.kind, item.namespace, item.name) for item in objects(observed)}
    after = {(item.kind, item.namespace, item.name) for item in objects(enforced)}
    assert before < after
    assert {kind for kind, _, _ in after - before} == {"NetworkPolicy"}
    assert observed.egress_gateway.releases == enforced.egress_gateway.releases


@pytest.mark.parametrize("posture", ["observe", "enforce"])
def test_undeclared_traffic_is_logged_in_both_postures(posture: str) -> None:
    """What was let through, or refused, left no trace to write a declaration from."""
    plan = plan_of(changed(setting("egress.posture", posture)))
    gateway, mesh = plan.observability.mesh
    assert (mesh.namespace, "selector" in mesh.spec) == ("istio-system", False)
    expression = mesh.spec["accessLogging"][0]["filter"]["expression"]
    assert "!xds.cluster_name.endsWith('.svc.cluster.local')" in expression  # where the undeclared goes, and the rest
    assert "block_all" in expression
    assert (gateway.namespace, "selector" in gateway.spec) == ("istio-egress", False)
    assert "filter" not in gateway.spec["accessLogging"][0]


def test_namespaces_are_labelled_by_their_role(enforced: Plan) -> None:
    """A platform namespace got sidecars that nobody asked for, or a client namespace none."""
    labels: dict[str, Any] = {each.name: dict(each.labels) for each in istio_of(enforced).namespaces}
    assert labels == {
        "monitoring": {"cluster-egress/role": "platform"},
        "news": {"cluster-egress/role": "client", "istio-injection": "enabled"},
        "shop": {"cluster-egress/role": "client", "istio-injection": "enabled"},
    }
    assert enforced.namespaces == ("istio-system", "istio-egress", "envoy-gateway-system")


def test_observe_judges_clients_and_refuses_none(observed: Plan, enforced: Plan) -> None:
    """Under `observe` an undeclared service account was sent to the gateway, and refused there."""
    dry = [policy.annotations.get("istio.io/dry-run") for policy in of_kind(observed, "AuthorizationPolicy")]
    assert set(dry) == {"true"}
    assert all("istio.io/dry-run" not in policy.annotations for policy in of_kind(enforced, "AuthorizationPolicy"))
