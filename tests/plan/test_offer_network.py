"""NetworkPolicies in Envoy Gateway's namespace: who reaches its pods, and what they reach."""

from typing import Any

from components.plan import KubeObject
from tests.plan.offered import JWT, OIDC, SERVICE, calling, exposed_values, moved
from tests.plan.projections import blocks
from tests.support import Values, changed, dev_values, plan_of, setting

_NAMESPACE = "envoy-gateway-system"
_REDIS = {"namespace": "monitoring", "service": "redis", "port": 6379, "podPort": 6380}
_TOGETHER = {"requests": {"all": {"requests": 10, "per": "second", "counted": "together"}}}
_CONTROLLER = {"control-plane": "envoy-gateway"}
_LOAD_BALANCERS = "100.64.0.0/10"


def _policies(values: Values) -> dict[str, KubeObject]:
    found = [each for each in plan_of(values).gateway_policies if each.namespace == _NAMESPACE]
    return {each.name: each for each in found}


def _ports(rule: Any) -> list[int]:
    return [port["port"] for port in rule["ports"]]


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _to_pods(policy: KubeObject) -> set[tuple[str, str, int]]:
    """Where a policy lets its pods go inside the cluster, DNS aside: namespace, labels, port."""
    return {
        (
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
            ",".join(sorted(peer.get("podSelector", {}).get("matchLabels", {}).values())),
            port["port"],
        )
        for rule in policy.spec["egress"]
        for peer in rule["to"]
        if "namespaceSelector" in peer
        for port in rule["ports"]
        if port["port"] != 53
    }


_CONFIGURATION = (_NAMESPACE, "envoy-gateway", 18000)


def test_proxies_are_reached_where_they_listen_and_for_metrics() -> None:
    """Anybody inside could connect to the shutdown manager and have a proxy end, or read its configuration."""
    listening, metrics = _policies(dev_values())["cluster-egress"].spec["ingress"]
    assert listening == {"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 10080}]}
    assert metrics == {"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 19001}]}


def test_an_exposed_gateway_is_reached_from_its_source_ranges() -> None:
    """Behind a load balancer anybody came in; or nobody, because its own questions were refused."""
    policies = _policies(exposed_values())
    listening, _ = policies["cluster-egress-partners"].spec["ingress"]
    assert listening["from"] == [
        {"namespaceSelector": {}},
        {"ipBlock": {"cidr": "10.30.0.0/16"}},
        {"ipBlock": {"cidr": _LOAD_BALANCERS}},
    ]
    assert _ports(listening) == [10443]
    assert policies["cluster-egress"].spec["ingress"][0]["from"] == [{"namespaceSelector": {}}]


def test_proxies_reach_dns_their_controller_and_what_is_declared() -> None:
    """A proxy that was taken over could go anywhere in the cluster."""
    policy = _policies(dev_values())["cluster-egress"]
    assert _to_pods(policy) == {_CONFIGURATION}
    assert blocks(policy) == {("172.139.20.181/32", 17000), ("172.139.20.183/32", 17000), ("0.0.0.0/0", 80)}


def test_every_gateway_reaches_its_own_backends_only() -> None:
    """The proxies of one Gateway could go wherever another's may."""
    policies = _policies(exposed_values())
    assert blocks(policies["cluster-egress"]) == {("172.139.20.181/32", 17000), ("172.139.20.183/32", 17000)}
    assert blocks(policies["cluster-egress-partners"]) == {("0.0.0.0/0", 80)}


def test_standby_and_resolver_are_reached() -> None:
    """What stands by was shut off; and what is looked up was open, although its addresses are declared."""

    def change(values: Values) -> None:
        values["backends"]["n9e"] |= {
            "standby": [{"ip": "172.139.20.190", "port": 17001}],
            "healthCheck": {"path": "/"},
        }
        del values["backends"]["httpbin"]["endpoints"]
        values["backends"]["httpbin"] |= {
            "resolver": {"port": 443},
            "tls": {"minVersion": "1.3"},
            "cidrs": ["44.192.0.0/16"],
        }

    assert blocks(_policies(changed(change))["cluster-egress"]) == {
        ("172.139.20.181/32", 17000),
        ("172.139.20.183/32", 17000),
        ("172.139.20.190/32", 17001),
        ("44.192.0.0/16", 443),
    }


def test_a_service_is_reached_by_the_port_of_its_pods() -> None:
    """A NetworkPolicy sees a Service's pods and not the Service, so its port opened nothing, or something else."""
    policy = _policies(changed(moved))["cluster-egress"]
    assert _to_pods(policy) == {_CONFIGURATION, ("monitoring", "", 17000)}
    assert blocks(policy) == {("0.0.0.0/0", 80)}
    values = changed(moved)
    values["backends"]["n9e"]["service"] = {key: value for key, value in SERVICE.items() if key != "podPort"}
    assert ("monitoring", "", 80) in _to_pods(_policies(values)["cluster-egress"])


def test_whom_proxies_ask_and_tell_is_reached() -> None:
    """Every request was refused, because nobody could ask the authorizer; or logs and spans were lost."""

    def change(values: Values) -> None:
        opa = {"namespace": "monitoring", "service": "opa", "port": 9191, "podPort": 9192}
        values["backends"]["n9e"]["access"] = {"external": {"service": opa}}
        collector = {"namespace": "monitoring", "service": "logs", "podPort": 4318}
        values["backendGateways"] = {"default": {"accessLog": {"collector": collector}}}
        values["egress"]["mesh"]["tracing"] = {"namespace": "monitoring", "service": "otel"}

    policy = _policies(changed(change))["cluster-egress"]
    asked = {("monitoring", "", 9192), ("monitoring", "", 4318), ("monitoring", "", 4317)}
    assert _to_pods(policy) == {_CONFIGURATION, *asked}


def test_a_sidecar_beside_the_proxies_reaches_its_control_plane() -> None:
    """With `inMesh` the proxies never became ready, or nobody saw what their sidecars count."""
    values = changed(setting("backendGateways", {"default": {"inMesh": True}}))
    policy = _policies(values)["cluster-egress"]
    assert ("istio-system", "istiod", 15012) in _to_pods(policy)
    assert _ports(policy.spec["ingress"][1]) == [19001, 15020, 15090]


def test_each_fetcher_reaches_what_it_fetches() -> None:
    """Keys were shut off from the proxies; or the controller was let go where only proxies must."""
    values = calling("n9e", {"oidc": {**OIDC, "cidrs": ["93.184.217.0/24"]}})
    values["backends"]["httpbin"]["access"] = {"jwt": JWT}
    policies = _policies(values)
    assert {("93.184.216.0/24", 8443), ("93.184.217.0/24", 443)} < blocks(policies["cluster-egress"])
    assert blocks(policies["control-plane"]) == {("192.168.0.10/32", 6443), ("93.184.217.0/24", 443)}


def test_given_endpoints_spare_the_controller_the_question() -> None:
    """The controller kept a way out that it has no use for; or the token's host was shut off."""
    endpoints = {"authorization": "https://login.example.com/auth", "token": "https://token.example.com:8443/token"}
    oidc = {**OIDC, "cidrs": ["93.184.217.0/24"], "endpoints": endpoints}
    policies = _policies(calling("n9e", {"oidc": oidc}))
    assert ("93.184.217.0/24", 8443) in blocks(policies["cluster-egress"])
    assert ("93.184.217.0/24", 443) not in blocks(policies["cluster-egress"])
    assert blocks(policies["control-plane"]) == {("192.168.0.10/32", 6443)}


def test_fetches_belong_to_the_backend_s_own_gateway() -> None:
    """The proxies of every Gateway could fetch what only one of them needs."""
    values = changed(setting("backends.n9e.access", {"jwt": JWT}), exposed_values())
    policies = _policies(values)
    assert ("93.184.216.0/24", 8443) in blocks(policies["cluster-egress"])
    assert ("93.184.216.0/24", 8443) not in blocks(policies["cluster-egress-partners"])


def test_gateways_that_nobody_declared_reach_nothing() -> None:
    """A Gateway of our class in another namespace got proxies in ours, on which no policy was."""
    policy = _policies(dev_values())["proxies"]
    assert policy.spec == {
        "podSelector": {
            "matchLabels": {
                "app.kubernetes.io/component": "proxy",
                "app.kubernetes.io/managed-by": "envoy-gateway",
            }
        },
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [],
    }


def test_the_controller_is_told_apart_from_its_neighbours() -> None:
    """Any pod could ask the controller for the proxies' configuration, with every secret in it."""
    policy = _policies(dev_values())["control-plane"]
    assert policy.spec["podSelector"] == {"matchLabels": _CONTROLLER}
    assert _to_pods(policy) == set()
    configuration, webhook, metrics = policy.spec["ingress"]
    proxies = {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/managed-by": "envoy-gateway"}
    assert configuration["from"] == [{**_namespace(_NAMESPACE), "podSelector": {"matchLabels": proxies}}]
    assert _ports(configuration) == [18000]
    assert webhook == {"ports": [{"protocol": "TCP", "port": 9443}]}
    assert (metrics["from"], _ports(metrics)) == ([{"namespaceSelector": {}}], [19001])


def _counting() -> Values:
    values = exposed_values()
    values["install"] = {"envoyGateway": {"redis": _REDIS}}
    values["backends"]["n9e"]["limits"] = _TOGETHER
    return values


def test_what_counts_together_reaches_redis_and_nothing_else() -> None:
    """Requests were refused, because nobody could count them; or whoever counts could go anywhere."""
    policies = _policies(_counting())
    counts = (_NAMESPACE, "envoy-gateway,ratelimit", 8081)
    assert counts in _to_pods(policies["cluster-egress"])
    assert counts not in _to_pods(policies["cluster-egress-partners"])
    assert _to_pods(policies["rate-limit"]) == {(_NAMESPACE, "envoy-gateway", 18001), ("monitoring", "", 6380)}
    assert blocks(policies["rate-limit"]) == set()
    assert [_ports(rule) for rule in policies["rate-limit"].spec["ingress"]] == [[8081], [19001]]
    assert [18001] in [_ports(rule) for rule in policies["control-plane"].spec["ingress"]]


def test_limits_of_each_proxy_need_nobody_else() -> None:
    """A way to a rate limit service stood open where there is none."""
    alone = {"requests": {"all": {"requests": 10, "per": "second"}}}
    policies = _policies(changed(setting("backends.n9e.limits", alone)))
    assert "rate-limit" not in policies
    assert _to_pods(policies["cluster-egress"]) == {_CONFIGURATION}


def test_policies_have_names_of_their_own() -> None:
    """Two policies had one name, and the second took the first one's place."""
    policies = [each for each in plan_of(_counting()).gateway_policies if each.namespace == _NAMESPACE]
    assert len({each.name for each in policies}) == len(policies) == 5


def test_without_backends_there_is_no_policy() -> None:
    """A namespace that does not exist got policies."""
    values = changed(lambda all_values: all_values.pop("backends"))
    assert _policies(values) == {}
