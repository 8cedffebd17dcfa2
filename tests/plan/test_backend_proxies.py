"""The proxies of backends' Gateways: where they run, who reaches them, what stands beside them."""

from typing import Any

import pytest

from tests.every_offer_key_gateways import gateway_values
from tests.support import changed, dev_values, of_kind, plan_of, setting


def _proxy(name: str) -> Any:
    (found,) = [each for each in of_kind(plan_of(gateway_values(dev_values())), "EnvoyProxy") if each.name == name]
    return found.spec


def _kubernetes(name: str) -> Any:
    return _proxy(name)["provider"]["kubernetes"]


def test_each_gateway_s_proxies_are_on_its_own_nodes() -> None:
    """Guards against traffic that leaves from addresses that its firewall does not know."""
    selectors = {
        name: _kubernetes(name)["envoyDeployment"]["pod"].get("nodeSelector")
        for name in ("cluster-egress", "cluster-egress-partners", "cluster-egress-tcp")
    }
    assert selectors == {
        "cluster-egress": {"node-role.cluster-egress/egress": "true"},
        "cluster-egress-partners": {"pool": "partners"},
        "cluster-egress-tcp": None,
    }


@pytest.mark.pinned("north-south", "proxies come and go by load", "no metrics server runs in the bed")
def test_a_fixed_number_or_one_by_load() -> None:
    """Guards against a number that every update sets back, and a load that idle helpers hide."""
    fixed, scaled = _kubernetes("cluster-egress"), _kubernetes("cluster-egress-partners")
    assert (fixed["envoyDeployment"]["replicas"], "envoyHpa" in fixed) == (3, False)
    assert "replicas" not in scaled["envoyDeployment"]
    assert (scaled["envoyHpa"]["minReplicas"], scaled["envoyHpa"]["maxReplicas"]) == (3, 9)
    (metric,) = scaled["envoyHpa"]["metrics"]
    assert metric["containerResource"]["container"] == "envoy"
    assert metric["containerResource"]["target"] == {"type": "Utilization", "averageUtilization": 60}


def test_an_update_takes_no_proxy_before_its_successor_is_there() -> None:
    """Guards against the default of Kubernetes, by which a quarter of the pods may be away during an update."""
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    assert _kubernetes("cluster-egress")["envoyDeployment"]["strategy"]["rollingUpdate"] == rolling
    assert _kubernetes("cluster-egress")["envoyPDB"] == {"maxUnavailable": 1}


def test_inside_there_is_no_load_balancer() -> None:
    """Guards against Envoy Gateway's default, which is a public one."""
    assert _kubernetes("cluster-egress")["envoyService"] == {"type": "ClusterIP", "name": "cluster-egress"}


@pytest.mark.pinned("north-south", "a load balancer takes declared callers only", "no cloud is in the bed")
def test_a_load_balancer_is_for_those_who_are_declared() -> None:
    """Guards against one that the internet reaches, and against callers whose address a node has replaced."""
    service = _kubernetes("cluster-egress-partners")["envoyService"]
    assert service == {
        "name": "cluster-egress-partners",
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "loadBalancerSourceRanges": ["10.60.0.0/16"],
        "annotations": {
            "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": "intranet",
            "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-spec": "slb.s1.small",
        },
    }


def test_a_sidecar_sees_only_what_stays_in_the_cluster() -> None:
    """Guards against a sidecar that refuses what leaves, or that makes callers' addresses its own."""
    pod = _kubernetes("cluster-egress-partners")["envoyDeployment"]["pod"]
    assert pod["labels"] == {"sidecar.istio.io/inject": "true"}
    assert pod["annotations"] == {
        "traffic.sidecar.istio.io/includeInboundPorts": "",
        "traffic.sidecar.istio.io/includeOutboundIPRanges": "10.244.0.0/16,10.96.0.0/12",
        "traffic.sidecar.istio.io/excludeOutboundPorts": "8081",
    }
    assert _proxy("cluster-egress-partners")["routingType"] == "Service"
    assert _kubernetes("cluster-egress")["envoyDeployment"]["pod"]["labels"] == {"sidecar.istio.io/inject": "false"}
    assert "routingType" not in _proxy("cluster-egress")


def test_a_helper_shares_one_folder_and_nothing_else() -> None:
    """Guards against a helper with rights, or one whose socket Envoy cannot see or may replace."""
    deployment = _kubernetes("cluster-egress-partners")["envoyDeployment"]
    (helper,) = deployment["initContainers"]
    assert (helper["name"], helper["image"], helper["restartPolicy"]) == (
        "helper-judge",
        "registry.example.com/judge:1",
        "Always",
    )
    assert helper["args"] == ["--listen", "socket"]
    folder = {"name": "helper-judge", "mountPath": "/var/run/cluster-egress/judge"}
    assert helper["volumeMounts"] == [folder]
    assert deployment["container"] == {"volumeMounts": [{**folder, "readOnly": True}]}
    assert deployment["pod"]["volumes"] == [
        {"name": "helper-judge", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    ]
    locked = helper["securityContext"]
    assert (locked["privileged"], locked["allowPrivilegeEscalation"], locked["runAsNonRoot"]) == (False, False, True)
    assert (locked["readOnlyRootFilesystem"], locked["capabilities"]) == (True, {"drop": ["ALL"]})
    assert locked["runAsUser"] == 65532


def test_envoy_s_own_image_comes_from_the_mirror_too() -> None:
    """Guards against proxies that cannot start: the chart's registry is for the controller's images."""
    values = changed(setting("install.envoyGateway.imageRegistry", "mirror.example.com:5000"))
    (proxy,) = of_kind(plan_of(values), "EnvoyProxy")
    deployment = proxy.spec["provider"]["kubernetes"]["envoyDeployment"]
    assert deployment["container"] == {"imageRepository": "mirror.example.com:5000/envoyproxy/envoy"}


def test_the_admin_interface_answers_what_draining_and_metrics_need() -> None:
    """Guards against a backend at 127.0.0.1 that ends the proxy, or shows its configuration and certificates."""
    (patch,) = _proxy("cluster-egress")["bootstrap"]["jsonPatches"]
    assert (patch["op"], patch["path"]) == ("add", "/admin/allow_paths")
    assert patch["value"] == [
        {"exact": "/healthcheck/fail"},
        {"prefix": "/stats?filter="},
        {"prefix": "/stats/prometheus"},
    ]


def test_connections_come_to_an_end() -> None:
    """Guards against a drain that nobody declared, and one whose least is longer than its most."""
    assert _proxy("cluster-egress")["shutdown"] == {"drainTimeout": "30s", "minDrainDuration": "10s"}
    assert _proxy("cluster-egress-partners")["shutdown"] == {"drainTimeout": "120s", "minDrainDuration": "10s"}


@pytest.mark.parametrize(
    ("families", "said"),
    [(["IPv4"], None), (["IPv6"], "IPv6"), (["IPv4", "IPv6"], "DualStack"), (["IPv6", "IPv4"], "DualStack")],
)
def test_proxies_listen_to_the_families_of_the_cluster(families: list[str], said: str | None) -> None:
    """Guards against proxies that listen where no caller comes from."""
    values = dev_values()
    values["cluster"]["ipFamilies"] = families
    (proxy,) = of_kind(plan_of(values), "EnvoyProxy")
    assert proxy.spec.get("ipFamily") == said
