"""Several egress gateways, how their pods come and go, and a second istiod during an upgrade."""

import json
from typing import Any

import pytest

from components.plan import KubeObject, Plan, Release
from tests.plan.gateway_projections import ways_of_gateways
from tests.support import Values, changed, dev_values, istio_of, of_kind, plan_of, setting

_OWN_NODES: Values = {
    "mode": "existing",
    "labels": {"role": "partners"},
    "taints": {"partners": {"effect": "NoExecute"}},
}


def _values(**mesh: Any) -> Values:
    """The `dev` stack with a second gateway, and a destination for it."""
    values = dev_values()
    values["egress"]["mesh"] |= {"gateways": {"partners": {"nodes": _OWN_NODES, "drainSeconds": 600}}} | mesh
    values["destinations"]["partner"] = {
        "hosts": ["api.example.org"],
        "ports": {"https": {"port": 443, "protocol": "TLS"}, "http": {"port": 8080, "protocol": "HTTP"}},
        "clients": {"news": {"serviceAccounts": ["reader", "other"]}},
        "cidrs": ["54.1.2.4/32"],
        "gateway": "partners",
        "owner": "team-news",
        "ticket": "FW-2000",
        "expires": "2029-12-31",
    }
    return values


def _releases(plan: Plan) -> dict[str, Release]:
    return {release.name: release for release in plan.egress_gateway.releases}


def _pods(**gateway: Any) -> Any:
    """The chart's values of a stack's only gateway."""
    values = changed(setting("egress.mesh.gateway", gateway)) if gateway else dev_values()
    return plan_of(values).egress_gateway.releases[0].values


def test_each_gateway_is_on_its_own_nodes() -> None:
    """Guards against traffic that leaves from addresses that its firewall does not know."""
    releases = _releases(plan_of(_values()))
    placed = {
        name: (release.values["nodeSelector"], release.values["tolerations"]) for name, release in releases.items()
    }
    assert placed == {
        "egress-gateway": (
            {"node-role.cluster-egress/egress": "true"},
            [{"key": "dedicated", "operator": "Equal", "value": "egress", "effect": "NoSchedule"}],
        ),
        "egress-gateway-partners": (
            {"role": "partners"},
            [{"key": "partners", "operator": "Exists", "effect": "NoExecute"}],
        ),
    }


def test_offers_stay_on_the_egress_nodes() -> None:
    """Guards against proxies that follow the first gateway to nodes of its own."""
    plan = plan_of(_values(gateway={"nodes": _OWN_NODES}))
    (proxy,) = of_kind(plan, "EnvoyProxy")
    pod = proxy.spec["provider"]["kubernetes"]["envoyDeployment"]["pod"]
    assert pod["nodeSelector"] == {"node-role.cluster-egress/egress": "true"}
    assert _releases(plan)["egress-gateway"].values["nodeSelector"] == {"role": "partners"}


@pytest.mark.parametrize("name", ["egress-gateway", "egress-gateway-partners"])
def test_the_pods_of_each_gateway_are_spread_by_themselves(name: str) -> None:
    """Guards against pods of one gateway that make room for those of another, and against an update in one zone."""
    (spread,) = _releases(plan_of(_values()))[name].values["topologySpreadConstraints"]
    assert spread["labelSelector"] == {"matchLabels": {"app": name, "istio": name}}
    assert (spread["maxSkew"], spread["whenUnsatisfiable"]) == (1, "DoNotSchedule")
    assert spread["matchLabelKeys"] == ["pod-template-hash"]


@pytest.mark.parametrize("gateway", [{"replicas": 3}, {"autoscaling": {"maxReplicas": 6}}])
def test_an_update_takes_no_pod_before_its_successor_is_there(gateway: Values) -> None:
    """Guards against the default of Kubernetes, by which a quarter of the pods may be away during an update."""
    values = _pods(**gateway)
    assert values["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert values["podDisruptionBudget"] == {"maxUnavailable": 1}


def test_a_fixed_number_of_pods_is_fixed() -> None:
    """Guards against the chart's autoscaler, which is on by default and goes down to one pod."""
    values = _pods(replicas=4)
    assert (values["autoscaling"], values["replicaCount"]) == ({"enabled": False}, 4)
    assert "resources" not in values


@pytest.mark.pinned("nodes", "pods come and go by load", "no metrics server runs in the bed; the object is applied")
def test_pods_by_load() -> None:
    """Guards against a number that every update sets back, and a load that is measured against next to nothing."""
    values = _pods(autoscaling={"minReplicas": 3, "maxReplicas": 9, "cpuPercent": 55})
    assert values["autoscaling"] == {
        "enabled": True,
        "minReplicas": 3,
        "maxReplicas": 9,
        "targetCPUUtilizationPercentage": 55,
    }
    assert "replicaCount" not in values
    assert values["resources"]["requests"] == {"cpu": "500m", "memory": "256Mi"}


def test_a_pod_that_goes_waits_for_its_connections() -> None:
    """Guards against pilot-agent's default, which cuts whatever is open after five seconds."""
    releases = _releases(plan_of(_values()))
    for name, seconds in (("egress-gateway", 30), ("egress-gateway-partners", 600)):
        assert releases[name].values["terminationGracePeriodSeconds"] == seconds
        assert releases[name].values["env"] == {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}


def test_nothing_leaks_between_gateways() -> None:
    """Guards against a destination that a second gateway, with other addresses and other clients, lets out as well."""
    ways = ways_of_gateways(plan_of(_values()))
    assert ways["egress-gateway"].hosts == {"edition.cnn.com"}
    assert ways["egress-gateway-partners"].hosts == {"api.example.org"}
    assert ways["egress-gateway"].clients == {"news/reader", "shop/storefront"}
    assert ways["egress-gateway-partners"].clients == {"news/reader", "news/other"}
    assert ways["egress-gateway-partners"].cidrs == {"54.1.2.4/32"}
    assert "54.1.2.4/32" not in ways["egress-gateway"].cidrs
    assert {443, 80} == ways["egress-gateway"].outside_ports
    assert {443, 8080} == ways["egress-gateway-partners"].outside_ports
    assert 8080 not in ways["egress-gateway"].service_ports
    assert 80 not in ways["egress-gateway-partners"].service_ports


def test_a_further_gateway_changes_nothing_of_the_first() -> None:
    """Guards against a second gateway that renames, moves or restarts the one that carries traffic."""
    before, after = plan_of(dev_values()), plan_of(_values())
    assert _releases(after)["egress-gateway"] == _releases(before)["egress-gateway"]
    known = {_key(item): item for item in [*before.gateway_policies, *before.client_policies]}
    now = {_key(item): item for item in [*after.gateway_policies, *after.client_policies]}
    assert {key: now[key] for key in known} == known
    groups = before.egress_gateway.groups
    assert [group for group in after.egress_gateway.groups if group in groups] == list(groups)


def _key(item: KubeObject) -> tuple[str, str | None, str]:
    return item.kind, item.namespace, item.name


def _upgrade(**canary: Any) -> Plan:
    values = _values()
    values["install"] = {"istio": {"version": "1.31.2", "canary": {"version": "1.32.0", **canary}}}
    return plan_of(values)


def test_a_second_istiod_is_the_same_but_for_its_revision() -> None:
    """Guards against two control planes that make two meshes of one."""
    istio = istio_of(_upgrade())
    assert istio.canary is not None
    assert (istio.istiod.name, istio.canary.name) == ("istiod", "istiod-canary")
    assert istio.canary.values == {**istio.istiod.values, "revision": "canary"}
    assert (istio.istiod.version, istio.canary.version) == ("1.31.2", "1.32.0")
    assert istio.canary.chart == istio.istiod.chart
    assert istio_of(plan_of(_values())).canary is None


def test_the_crds_are_those_of_the_newer_istiod() -> None:
    """Guards against a second istiod that watches what the API server does not know."""
    assert istio_of(_upgrade()).base.version == "1.32.0"
    assert istio_of(_upgrade()).base.values == {"defaultRevision": "default"}


def test_only_who_is_named_moves() -> None:
    """Guards against a namespace that has both labels: the older one wins, and nothing moves."""
    plan = _upgrade(namespaces=["news"], gateways=["partners"])
    labels = {namespace.name: dict(namespace.labels) for namespace in istio_of(plan).namespaces}
    assert labels == {
        "monitoring": {"cluster-egress/role": "platform"},
        "news": {"cluster-egress/role": "client", "istio.io/rev": "canary"},
        "shop": {"cluster-egress/role": "client", "istio-injection": "enabled"},
    }
    moved = {name: (release.version, release.values.get("revision")) for name, release in _releases(plan).items()}
    assert moved == {"egress-gateway": ("1.31.2", None), "egress-gateway-partners": ("1.32.0", "canary")}


def test_the_first_gateway_moves_by_its_own_name() -> None:
    """Guards against a gateway that has no name under `gateways`, and so could never be upgraded in steps."""
    releases = _releases(_upgrade(gateways=["default"]))
    assert releases["egress-gateway"].values["revision"] == "canary"
    assert "revision" not in releases["egress-gateway-partners"].values


def test_gateways_reach_every_istiod() -> None:
    """Guards against a moved gateway without certificates: both istiods have the label that is let through."""
    for policy in _upgrade(gateways=["default", "partners"]).gateway_policies:
        if policy.namespace == "istio-egress":
            peers = [
                peer for rule in policy.spec.get("egress", ()) if rule["ports"] == [_tcp(15012)] for peer in rule["to"]
            ]
            assert [peer["podSelector"] for peer in peers] == [{"matchLabels": {"app": "istiod"}}]


def _tcp(port: int) -> Any:
    return {"protocol": "TCP", "port": port}


def test_headers_stay_closed_on_every_gateway() -> None:
    """Guards against a further gateway that tells the outside what the first does not."""
    annotations = [release.values["podAnnotations"] for release in plan_of(_values()).egress_gateway.releases]
    told = [json.loads(each["proxy.istio.io/config"]) for each in annotations]
    assert len(told) == 2
    assert told[0] == told[1]
