"""An ambient mesh: a destination means the same, through a waypoint; read from the objects alone.

No traffic shows any of it: a waypoint needs filters of Istio's own Envoy, and the bed runs upstream's.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from components.plan import KubeObject, Plan
from tests.declarations import answerable, declarations, large, with_host
from tests.plan.projections import Access, content, declared
from tests.support import Values, changed, dev_values, istio_of, of_kind, plan_of, setting

_SOME = hypothesis_settings(max_examples=40, deadline=None)
_MOST_TARGETS = 16
_Place = tuple[str, int]


def ambient_values(values: Values | None = None) -> Values:
    """A declaration for a mesh without sidecars."""
    return changed(setting("egress.mesh.dataPlane", "ambient"), values)


def _destinations(**entries: Values) -> Values:
    return ambient_values(changed(lambda values: values.update(destinations=entries)))


def _entry(**more: Any) -> Values:
    return {
        "hosts": ["a.com"],
        "ports": {"http": {"port": 80, "protocol": "HTTP"}},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **answerable(),
        **more,
    }


def _targets(policy: KubeObject, kind: str) -> set[str]:
    """The names of what a policy targets. With a selector beside them istiod would refuse it."""
    assert "selector" not in policy.spec
    groups = {"ServiceEntry": "networking.istio.io", "Gateway": "gateway.networking.k8s.io"}
    for ref in policy.spec["targetRefs"]:
        assert set(ref) == {"group", "kind", "name"}
        assert ref["group"] == groups[ref["kind"]]
    return {ref["name"] for ref in policy.spec["targetRefs"] if ref["kind"] == kind}


def _entries(plan: Plan) -> dict[str, KubeObject]:
    return {entry.name: entry for entry in of_kind(plan.egress_gateway, "ServiceEntry")}


def _policies(plan: Plan, target: str) -> list[KubeObject]:
    """The policies that allow at a ServiceEntry."""
    return [item for item in of_kind(plan, "AuthorizationPolicy") if target in _targets(item, "ServiceEntry")]


def _reached(plan: Plan, host: str, port: int, authority: str) -> set[_Place]:
    """Where the waypoint sends a request for `authority` that came in at the address of `host`."""
    for service in of_kind(plan, "VirtualService"):
        if host not in service.spec["hosts"]:
            continue
        assert service.spec["gateways"] == ["mesh"], "a waypoint has no other"
        for route in service.spec["http"]:
            for match in route["match"]:
                named = re.fullmatch(match["authority"]["regex"], authority)
                if match["port"] == port and named and "route" in route:
                    return {(each["destination"]["host"], port) for each in route["route"]}
        return set()
    return {(host, port)}  # without routes of its own: wherever the address leads


def _lets_through(plan: Plan, trust_domain: str = "cluster.local") -> set[Access]:
    """Every client that some policy lets to a host, whichever name its requests bear."""
    found: set[Access] = set()
    entries = _entries(plan)
    names = {host for entry in entries.values() for host in entry.spec["hosts"]}
    for name, entry in entries.items():
        places = _behind(plan, entry, names)
        for policy in _policies(plan, name):
            assert policy.spec["action"] == "ALLOW"
            for rule in policy.spec["rules"]:
                (to,) = rule["to"]
                reached = {place for number in to["operation"]["ports"] for place in places.get(int(number), ())}
                found |= {(client, *place) for client in _clients(rule, trust_domain) for place in reached}
    return found


def _behind(plan: Plan, entry: KubeObject, names: set[str]) -> dict[int, set[_Place]]:
    """What the ports of a ServiceEntry lead to, whatever a request calls itself; a waypoint reads no name in TLS."""
    found: dict[int, set[_Place]] = {port["number"]: set() for port in entry.spec["ports"]}
    for port in entry.spec["ports"]:
        number = port["number"]
        for host in entry.spec["hosts"]:
            if port["protocol"] == "TLS":
                found[number].add((host, number))
            else:
                found[number].update(*(_reached(plan, host, number, called) for called in names))
    return found


def _clients(rule: Mapping[str, Any], trust_domain: str) -> Iterator[str]:
    (source,) = rule["from"]
    for principal in source["source"]["principals"]:
        domain, _, namespace, _, account = principal.split("/")
        assert domain == trust_domain
        yield f"{namespace}/{account}"


@pytest.mark.pinned("mesh", "ambient: exactly what is declared gets through waypoints", "upstream Envoy lacks filters")
@given(values=declarations())
@_SOME
def test_policies_let_through_exactly_what_is_declared(values: Values) -> None:
    """Guards against a client without its way out, and against a way that nobody declared."""
    assert _lets_through(plan_of(ambient_values(values))) == declared(values)


@pytest.mark.pinned("mesh", "ambient: every host has a waypoint that denies by default", "upstream Envoy lacks filters")
@given(values=declarations())
@_SOME
def test_every_host_goes_through_a_waypoint_that_denies_by_default(values: Values) -> None:
    """Guards against a host that ztunnel takes out by itself, and a waypoint that lets pass what no policy is about."""
    plan = plan_of(ambient_values(values))
    gateways = {(item.namespace, item.name) for item in of_kind(plan, "Gateway") if item in _waypoints(plan)}
    denying = {
        (policy.namespace, name)
        for policy in of_kind(plan, "AuthorizationPolicy")
        if "rules" not in policy.spec and policy.spec.get("action", "ALLOW") == "ALLOW"
        for name in _targets(policy, "Gateway")
    }
    assert gateways == denying
    for entry in _entries(plan).values():
        assert (entry.namespace, entry.labels["istio.io/use-waypoint"]) in gateways
        assert len(_policies(plan, entry.name)) == 1


def _waypoints(plan: Plan) -> list[KubeObject]:
    return [each.gateway for each in plan.egress_gateway.waypoints]


def test_no_policy_targets_more_than_its_crd_allows() -> None:
    """Guards against an API server that refuses a policy half-way through an update."""
    ports = [{"p": {"port": 8000 + index, "protocol": "HTTP"}} for index in range(40)]
    entries = {f"e{index}": _entry(hosts=[f"h{index}.com"], ports=port) for index, port in enumerate(ports)}
    plan = plan_of(_destinations(**entries))
    targets = [len(policy.spec["targetRefs"]) for policy in of_kind(plan, "AuthorizationPolicy")]
    assert max(targets) <= _MOST_TARGETS
    assert len(targets) > 3, "too few hosts to be split"
    assert _lets_through(plan) == {("news/reader", f"h{index}.com", 8000 + index) for index in range(40)}


def test_clients_of_one_port_do_not_get_at_another() -> None:
    """Guards against a policy for a whole ServiceEntry, where its ports have different clients."""
    both = {"http": {"port": 80, "protocol": "HTTP"}, "https": {"port": 443, "protocol": "TLS"}}
    values = _destinations(
        one=_entry(hosts=["a.com", "b.com"], ports=both),
        two=_entry(hosts=["a.com"], clients={"news": {"serviceAccounts": ["writer"]}}),
    )
    assert _lets_through(plan_of(values)) == declared(values)


def test_permitted_requests_hold_also_by_the_name_of_a_neighbour() -> None:
    """Guards against a request that comes in at one host, is judged by its policy, and leaves for another."""
    port = {"port": 80, "protocol": "HTTP", "allow": {"methods": ["GET"], "paths": ["/v1/*"]}}
    plan = plan_of(_destinations(one=_entry(), two=_entry(hosts=["b.com"], ports={"http": port})))
    assert _reached(plan, "a.com", 80, "b.com") == set()
    assert _reached(plan, "b.com", 80, "b.com") == {("b.com", 80)}
    (limited,) = [entry for entry in _entries(plan).values() if "b.com" in entry.spec["hosts"]]
    assert limited.spec["hosts"] == ["b.com"]
    ((rule,),) = [policy.spec["rules"] for policy in _policies(plan, limited.name)]
    assert rule["to"] == [{"operation": {"ports": ["80"], "methods": ["GET"], "paths": ["/v1/*"]}}]


def test_tls_starts_at_the_waypoint_and_nobody_uses_the_port_behind_it() -> None:
    """Guards against a password that leaves in plain text, and a way around the limits on requests."""
    port = {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}}
    plan = plan_of(_destinations(one=_entry(ports={"web": port})))
    (entry,) = _entries(plan).values()
    outer, inner = entry.spec["ports"]
    assert (outer["number"], outer["targetPort"], inner["targetPort"]) == (80, 443, 443)
    (service,) = of_kind(plan, "VirtualService")
    assert service.spec["http"][0]["route"] == [{"destination": {"host": "a.com", "port": {"number": inner["number"]}}}]
    (rule,) = of_kind(plan, "DestinationRule")
    assert rule.namespace == entry.namespace
    assert rule.spec["trafficPolicy"]["portLevelSettings"] == [
        {"port": {"number": inner["number"]}, "tls": {"mode": "SIMPLE"}}
    ]
    ((allowed,),) = [policy.spec["rules"] for policy in _policies(plan, entry.name)]
    assert allowed["to"] == [{"operation": {"ports": ["80"]}}]


def _patches(values: Values) -> dict[str, Mapping[str, Any]]:
    (deployed,) = plan_of(values).egress_gateway.waypoints
    assert deployed.gateway.spec["infrastructure"]["parametersRef"]["name"] == deployed.parameters.name
    return {key: json.loads(patch) for key, patch in deployed.parameters.data.items()}


def test_a_waypoint_has_the_pods_of_a_gateway() -> None:
    """Guards against a waypoint on any node, whose address no firewall knows, or in one zone."""
    (release,) = plan_of(dev_values()).egress_gateway.releases
    patches = _patches(ambient_values())
    deployment = patches["deployment"]["spec"]
    pod = deployment["template"]["spec"]
    for key in ("nodeSelector", "tolerations", "topologySpreadConstraints", "terminationGracePeriodSeconds"):
        assert pod[key] == release.values[key]
    assert "hostNetwork" not in pod
    assert deployment["replicas"] == release.values["replicaCount"]
    assert deployment["strategy"] == release.values["strategy"]
    assert patches["podDisruptionBudget"] == {"spec": release.values["podDisruptionBudget"]}
    (gateway,) = _waypoints(plan_of(ambient_values()))
    assert gateway.spec["gatewayClassName"] == "istio-waypoint"
    assert gateway.spec["infrastructure"]["labels"] == release.values["labels"]


def test_a_waypoint_takes_tunnels_from_clients_and_nothing_else() -> None:
    """Guards against a NetworkPolicy that shuts ztunnel out, or opens a port for nothing."""
    plan = plan_of(ambient_values())
    (gateway,) = _waypoints(plan)
    ((listener,),) = [gateway.spec["listeners"]]
    assert (listener["port"], listener["protocol"]) == (15008, "HBONE")
    (network,) = [item for item in plan.gateway_policies if item.name == gateway.name]
    assert network.spec["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 15008}]
    assert network.spec["podSelector"]["matchLabels"] == gateway.spec["infrastructure"]["labels"]


def test_load_makes_more_waypoints() -> None:
    """Guards against a fixed number that every update goes back to."""
    values = changed(setting("egress.mesh.gateway.autoscaling", {"maxReplicas": 6}), ambient_values())
    patches = _patches(values)
    assert "replicas" not in patches["deployment"]["spec"]
    assert patches["horizontalPodAutoscaler"]["spec"]["maxReplicas"] == 6


def test_clients_have_no_sidecar_and_no_objects_for_one() -> None:
    """Guards against pods that are taken in twice, and objects that nobody reads."""
    plan = plan_of(ambient_values())
    labels = {each.name: each.labels for each in istio_of(plan).namespaces}
    for name in ("news", "shop"):
        assert labels[name] == {"cluster-egress/role": "client", "istio.io/dataplane-mode": "ambient"}
    assert of_kind(plan, "Sidecar") == []
    assert plan.observability.clients == ()
    assert plan.egress_gateway.releases == ()
    assert {item.namespace for item in of_kind(plan.egress_gateway, "DestinationRule")} <= {"istio-egress"}


def test_the_node_agents_are_installed_with_istiods_version_and_profile() -> None:
    """Guards against pods that no ztunnel carries, and an istiod that knows of none."""
    values = changed(setting("install.istio.imageRegistry", "mirror.example.com"), ambient_values())
    istio = istio_of(plan_of(values))
    assert [(each.name, each.namespace) for each in istio.node_agents] == [
        ("istio-cni", "istio-system"),
        ("ztunnel", "istio-system"),
    ]
    for each in (istio.istiod, *istio.node_agents):
        assert each.version == istio.istiod.version
        assert each.values["profile"] == "ambient"
        assert each.values["global"]["hub"] == "mirror.example.com"
    with_sidecars = istio_of(plan_of(dev_values()))
    assert with_sidecars.node_agents == ()
    assert "profile" not in with_sidecars.istiod.values


@pytest.mark.parametrize("posture", ["observe", "enforce"])
def test_observing_refuses_nobody(posture: str) -> None:
    """Guards against a waypoint that cuts traffic while it should only watch."""
    plan = plan_of(changed(setting("egress.posture", posture), ambient_values()))
    dry = {policy.annotations.get("istio.io/dry-run") for policy in of_kind(plan, "AuthorizationPolicy")}
    assert dry == ({"true"} if posture == "observe" else {None})


@given(values=declarations(), seed=st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=15, deadline=None)
def test_order_plays_no_part(values: Values, seed: Any) -> None:
    """Guards against policies that move between objects when somebody sorts a file."""
    shuffled = list(values["destinations"].items())
    seed.shuffle(shuffled)
    one, other = (
        plan_of(ambient_values({**values, "destinations": dict(each)})) for each in (values["destinations"], shuffled)
    )
    assert content(one) == content(other)


def test_a_host_more_adds_its_routes_and_changes_its_entry() -> None:
    """Guards against objects of others that change with every host."""
    values = ambient_values(large(40, 2, kinds=("both",)))
    before, after = (content(plan_of(each)) for each in (values, with_host(values, "group-0-both", "new.example.org")))
    assert [key[0] for key in set(after) - set(before)] == ["VirtualService"]
    assert set(before) <= set(after)
    assert sorted(key[0] for key in before if before[key] != after[key]) == ["ServiceEntry"]
