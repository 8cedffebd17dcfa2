"""The flavour for Alibaba's managed mesh: its own objects, judged by their field tables; no ASM runs here."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.plan import KubeObject, Plan, make_plan
from components.settings.reserved import ASM_PORTS
from tests.declarations import declarations
from tests.plan.asm_fields import API, NAMESPACES, SPECS
from tests.plan.projections import Access, declared
from tests.support import Values, changed, dev_values, just_enough, objects, of_kind, setting, settings_of

ASM = {"context": "asm", "clusterId": "c0123456789abcdef", "controlPlane": ["10.20.0.15"]}
_SOME = hypothesis_settings(max_examples=25, deadline=None)


def asm_values(values: Values | None = None) -> Values:
    """A declaration for the managed mesh."""
    return changed(setting("egress.mesh", {"flavour": "asm", "asm": ASM}), values)


def _plan(values: Values) -> Plan:
    settings = settings_of(values)
    return make_plan(settings, just_enough(settings), stack="test")


def _pods(item: KubeObject) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Which pods an object of the gateway's namespace speaks of."""
    return item.namespace, tuple(sorted(item.spec["selector"]["matchLabels"].items()))


def _behind(plan: Plan) -> dict[tuple[str, int], tuple[set[str], str, int]]:
    """What is behind each port of each gateway: the namespaces that are sent there, the host, the port clients call."""
    found: dict[tuple[str, int], tuple[set[str], str, int]] = {}
    for policy in of_kind(plan, "ASMEgressTrafficPolicy"):
        for rule in policy.spec["egressRules"]:
            for to in rule["to"]:
                (host,) = to["hosts"]
                key = policy.spec["byEgressGateway"]["name"], to["byEgressGateway"]["port"]
                assert key not in found, f"{key} leads to two places"
                found[key] = {each["namespace"] for each in rule["from"]}, host, to["port"]["number"]
    return found


def _lets_through(plan: Plan, trust_domain: str = "cluster.local") -> set[Access]:
    """Every service account that its sidecar sends to a gateway port, and that the gateway lets through there."""
    gateway_of = {
        (item.namespace, tuple(sorted(item.spec["podLabels"].items()))): item.name
        for item in of_kind(plan, "IstioGateway")
    }
    behind = _behind(plan)
    found: set[Access] = set()
    for policy in of_kind(plan, "AuthorizationPolicy"):
        assert policy.spec.get("action", "ALLOW") == "ALLOW"
        for rule in policy.spec.get("rules", []):
            ((source,), (to,)) = rule["from"], rule["to"]
            for port in to["operation"]["ports"]:
                namespaces, host, called = behind[gateway_of[_pods(policy)], int(port)]
                for principal in source["source"]["principals"]:
                    domain, _, namespace, _, account = principal.split("/")
                    assert domain == trust_domain
                    assert namespace in namespaces, f"{principal} may, and its sidecar does not know how"
                    found.add((f"{namespace}/{account}", host, called))
    return found


@pytest.mark.pinned("mesh", "ASM: egress policies and gateways fit their field tables", "no ASM runs here")
@given(values=declarations())
@_SOME
def test_every_object_fits_the_field_tables(values: Values) -> None:
    """Guards against a field that ASM does not know, and that its API server would drop or refuse."""
    found = [item for item in objects(_plan(asm_values(values))) if item.kind in SPECS]
    assert {item.kind for item in found} == set(SPECS)
    for item in found:
        assert (item.api_version, item.namespace) == (API, NAMESPACES[item.kind])
        SPECS[item.kind].model_validate(item.spec)


@pytest.mark.parametrize("change", [{"weight": 1}, {"hosts": []}, {"hosts": ["a.com"] * 51}])
def test_the_field_tables_refuse(change: dict[str, Any]) -> None:
    """Guards against tables that take anything."""
    (policy,) = of_kind(_plan(asm_values()), "ASMEgressTrafficPolicy")
    spec = {**policy.spec, "egressRules": [{**policy.spec["egressRules"][0]}]}
    spec["egressRules"][0]["to"] = [{**spec["egressRules"][0]["to"][0], **change}]
    with pytest.raises(ValidationError):
        SPECS[policy.kind].model_validate(spec)


@pytest.mark.pinned("mesh", "ASM: exactly what is declared gets through its gateways", "no ASM runs here")
@given(values=declarations())
@_SOME
def test_the_objects_let_through_exactly_what_is_declared(values: Values) -> None:
    """Guards against a client without its way out, and against a way that nobody declared."""
    assert _lets_through(_plan(asm_values(values))) == declared(values)


@given(values=declarations())
@_SOME
def test_sidecars_are_sent_exactly_where_their_namespace_may(values: Values) -> None:
    """Guards against a namespace whose sidecars learn of hosts that none of its accounts may use."""
    sent = {
        (namespace, host, port)
        for namespaces, host, port in _behind(_plan(asm_values(values))).values()
        for namespace in namespaces
    }
    assert sent == {(client.split("/")[0], host, port) for client, host, port in declared(values)}


@given(values=declarations())
@_SOME
def test_gateways_listen_where_they_are_asked_and_nowhere_else(values: Values) -> None:
    """Guards against a port that the Service or the NetworkPolicy does not know, or knows for nothing."""
    plan = _plan(asm_values(values))
    used = {port for _, port in _behind(plan)}
    (gateway,) = of_kind(plan, "IstioGateway")
    (network,) = [item for item in of_kind(plan, "NetworkPolicy") if item.namespace == "istio-system"]
    clients = network.spec["ingress"][0]
    assert {port["port"] for port in gateway.spec["ports"]} == used
    assert {port["port"] for port in clients["ports"]} == used
    assert used <= set(ASM_PORTS)


@given(values=declarations(), seed=st.randoms(use_true_random=False))
@_SOME
def test_order_plays_no_part(values: Values, seed: Any) -> None:
    """Guards against gateway ports that move when somebody sorts a file."""
    shuffled = list(values["destinations"].items())
    seed.shuffle(shuffled)
    assert _plan(asm_values({**values, "destinations": dict(shuffled)})) == _plan(asm_values(values))


def _with_hosts(count: int) -> Values:
    destination = dev_values()["destinations"]["edition-cnn"] | {"cidrs": ["151.101.0.0/16"]}
    entries = {f"host-{index}": {**destination, "hosts": [f"host{index}.example.com"]} for index in range(count)}
    return asm_values(changed(lambda values: values.update(destinations=entries)))


def test_a_host_more_changes_four_objects_and_replaces_none() -> None:
    """Guards against objects that grow in number with hosts, and against ports of others that move."""
    before, after = (
        {(item.kind, item.namespace, item.name): item for item in objects(_plan(_with_hosts(count)))}
        for count in (200, 201)
    )
    assert before.keys() == after.keys()
    changed_kinds = sorted(
        kind for kind, namespace, name in after if before[kind, namespace, name] != after[kind, namespace, name]
    )
    assert changed_kinds == ["ASMEgressTrafficPolicy", "AuthorizationPolicy", "IstioGateway", "NetworkPolicy"]
    one, other = (_behind(_plan(_with_hosts(count))) for count in (200, 201))
    assert one.items() <= other.items()


def test_the_deny_of_a_gateway_holds_for_no_other_pod() -> None:
    """Guards against a policy without a selector in istio-system, which would refuse everything in the whole mesh."""
    values = asm_values()
    values["egress"]["mesh"]["gateways"] = {"partners": {"replicas": 3}}
    values["destinations"]["other"] = {
        **values["destinations"]["edition-cnn"],
        "hosts": ["other.example.com"],
        "gateway": "partners",
    }
    plan = _plan(values)
    gateways = of_kind(plan, "IstioGateway")
    policies = of_kind(plan, "AuthorizationPolicy")
    assert all(policy.namespace == "istio-system" and policy.spec["selector"]["matchLabels"] for policy in policies)
    denying = {_pods(policy) for policy in policies if not policy.spec.get("rules")}
    assert denying == {("istio-system", tuple(item.spec["podLabels"].items())) for item in gateways}
    assert [item.name for item in gateways] == ["egress-gateway", "egress-gateway-partners"]


@pytest.mark.parametrize("posture", ["observe", "enforce"])
def test_observing_refuses_nobody(posture: str) -> None:
    """Guards against a gateway that cuts traffic while it should only watch."""
    plan = _plan(changed(setting("egress.posture", posture), asm_values()))
    dry = [policy.annotations.get("istio.io/dry-run") for policy in of_kind(plan, "AuthorizationPolicy")]
    modes = [item.spec["outboundTrafficPolicy"]["mode"] for item in of_kind(plan, "Sidecar")]
    observed = posture == "observe"
    assert dry == ["true" if observed else None] * len(dry)
    assert set(modes) == {"ALLOW_ANY" if observed else "REGISTRY_ONLY"}
    assert bool(plan.gateway_policies) is not observed


def test_nothing_of_ours_installs_a_mesh() -> None:
    """Guards against a second istiod beside the managed one, and against deleting a namespace that is not ours."""
    plan = _plan(asm_values())
    assert plan.istio is None
    assert plan.egress_gateway.releases == ()
    assert plan.namespaces == ("envoy-gateway-system",)
    assert plan.managed_mesh is not None
    assert plan.managed_mesh.context == "asm"
    assert plan.managed_mesh.namespaces == ("istio-egress", "envoy-gateway-system")
    assert {each.name: each.labels.get("istio-injection") for each in plan.managed_mesh.members} == {
        "monitoring": None,
        "news": "enabled",
        "shop": "enabled",
    }
    made_by_asm = {"Gateway", "VirtualService", "DestinationRule"}
    assert not [item for item in objects(plan.egress_gateway) if item.kind in made_by_asm]


def test_proxies_reach_the_managed_control_plane() -> None:
    """Guards against a lock-down that cuts every sidecar from the mesh, which is outside the cluster."""
    rule = {"to": [{"ipBlock": {"cidr": "10.20.0.15/32"}}], "ports": [{"protocol": "TCP", "port": 15012}]}
    plan = _plan(asm_values())
    policies = {item.namespace: item for item in of_kind(plan, "NetworkPolicy") if item.name != "control-plane"}
    assert {namespace for namespace, item in policies.items() if rule in item.spec.get("egress", ())} == {
        "istio-system",
        "news",
        "shop",
    }


def test_a_gateway_runs_where_and_as_it_is_declared() -> None:
    """Guards against gateway pods on other nodes, of another number, or in another network than declared."""
    values = asm_values()
    values["egress"]["mesh"]["gateway"] = {
        "autoscaling": {"maxReplicas": 6},
        "hostNetwork": True,
        "nodes": {
            "mode": "existing",
            "labels": {"pool": "b"},
            "taints": {"dedicated": {"effect": "NoExecute"}},
        },
    }
    (gateway,) = of_kind(_plan(values), "IstioGateway")
    spec = gateway.spec
    assert spec["nodeSelector"] == {"pool": "b"}
    assert spec["tolerations"] == [{"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}]
    assert (spec["hostNetwork"], spec["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    assert (spec["autoscaleEnabled"], spec["minReplicas"], spec["maxReplicas"]) == (True, 2, 6)
    assert "replicaCount" not in spec
    (budget,) = of_kind(_plan(values), "PodDisruptionBudget")
    assert budget.spec["selector"] == {"matchLabels": spec["podLabels"]}
    assert (budget.namespace, budget.spec["maxUnavailable"]) == ("istio-system", 1)


def test_tls_starts_at_the_gateway_on_the_port_outside() -> None:
    """Guards against plain text to a port where TLS is spoken, and against TLS to the port that clients call."""
    port = {"port": 8443, "protocol": "HTTP", "tls": {"clientPort": 8080}}
    plan = _plan(changed(setting("destinations.edition-cnn.ports", {"web": port}), asm_values()))
    (policy,) = of_kind(plan, "ASMEgressTrafficPolicy")
    (rule,) = policy.spec["egressRules"]
    (to,) = rule["to"]
    assert to["port"] == {"name": "http-8080", "number": 8080, "protocol": "HTTP"}
    assert to["httpsUpgrade"] == {"enabled": True, "port": 8443}
    (allowing,) = [item for item in of_kind(plan, "AuthorizationPolicy") if item.spec.get("rules")]
    (only,) = allowing.spec["rules"]
    assert only["to"] == [{"operation": {"ports": [f"{to['byEgressGateway']['port']}"]}}]
