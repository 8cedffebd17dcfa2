"""Each alert fires when it should and not otherwise, by Prometheus' own `promtool`."""

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.plan.alerting import alerting, fired
from tests.support import changed, dev_values, of_kind, plan_of, setting

_CALLER: Final = {"source_workload_namespace": "news", "source_workload": "reader"}
_MADE: Final = 'reporter="source",source_workload_namespace="news",source_workload="reader"'
_POD: Final = 'namespace="istio-egress",pod="egress-gateway-7d9c8b6f5-{}"'
_ZONES: Final = {
    f'kube_node_labels{{node="egress-{zone}",label_topology_kubernetes_io_zone="zone-{zone}",'
    'label_node_role_cluster_egress_egress="true"}': "1x60"
    for zone in "ab"
}
_PODS: Final = {f'kube_pod_info{{{_POD.format(f"{zone}" * 5)},node="egress-{zone}"}}': "1x60" for zone in "ab"}


def _ready(**by_zone: str) -> dict[str, str]:
    """Whether the pod of each zone is ready, as kube-state-metrics tells it."""
    return {
        f'kube_pod_status_ready{{{_POD.format(zone * 5)},condition="true"}}': values for zone, values in by_zone.items()
    }


def _made(metric: str, cluster: str) -> str:
    return f'{metric}{{{_MADE},destination_service_name="{cluster}"}}'


def test_without_the_setting_there_are_no_alerts() -> None:
    """A cluster without Prometheus' operator refused the whole stack."""
    assert of_kind(plan_of(dev_values()), "PrometheusRule") == []


def test_the_rule_is_where_prometheus_looks() -> None:
    """A PrometheusRule that no Prometheus selects alerts nobody."""
    (rule,) = of_kind(plan_of(alerting()), "PrometheusRule")
    assert (rule.api_version, rule.namespace) == ("monitoring.coreos.com/v1", "monitoring")
    assert rule.metadata["labels"]["release"] == "prometheus"


def test_each_alert_says_what_to_do() -> None:
    """Somebody was woken up, and did not know what for."""
    (rule,) = of_kind(plan_of(alerting()), "PrometheusRule")
    alerts = [each for group in rule.spec["groups"] for each in group["rules"] if "alert" in each]
    assert len({each["alert"] for each in alerts}) == 12
    for each in alerts:
        assert each["labels"] == {"severity": "warning"}
        assert set(each["annotations"]) == {"summary", "description", "action"}


def test_rules_are_well_formed(promtool: Path, tmp_path: Path) -> None:
    """Prometheus' operator dropped a rule that it could not read, and nobody was told."""
    for values in (
        alerting(),
        alerting("posture", "observe"),
        alerting("mesh.gateways", {"payments": {"replicas": 2}}),
    ):
        (rule,) = of_kind(plan_of(values), "PrometheusRule")
        (tmp_path / "rules.yaml").write_text(json.dumps(rule.spec), encoding="utf-8")
        done = subprocess.run(
            [promtool, "check", "rules", "rules.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("alert", "cluster"),
    [("EgressUndeclaredRefused", "BlackHoleCluster"), ("EgressUndeclaredPassed", "PassthroughCluster")],
)
@pytest.mark.parametrize("metric", ["istio_requests_total", "istio_tcp_connections_opened_total"])
def test_undeclared_hosts_are_alerted(promtool: Path, tmp_path: Path, alert: str, cluster: str, metric: str) -> None:
    """Whoever asked for undeclared hosts was never found, or what is declared alerted everybody."""
    name = _made(metric, cluster)
    assert fired(promtool, tmp_path, alerting(), {name: "0x24 1x40"}, alert) == [
        {"alertname": alert, "severity": "warning", **_CALLER}
    ]
    first = fired(promtool, tmp_path, alerting(), {name: "_x24 1x30"}, alert)
    assert first == [{"alertname": alert, "severity": "warning", **_CALLER}]
    assert fired(promtool, tmp_path, alerting(), {name: "7x60"}, alert) == []
    assert fired(promtool, tmp_path, alerting(), {_made(metric, "edition.cnn.com"): "0+9x60"}, alert) == []


def test_namespaces_that_may_pass_alert_nobody(promtool: Path, tmp_path: Path) -> None:
    """A migration with `allow-any` alerted all day."""
    values = changed(setting("cluster.namespaces.news.outbound", "allow-any"), alerting())
    values["destinations"]["edition-cnn"]["clients"] = {"shop": {"serviceAccounts": ["storefront"]}}
    series = {_made("istio_requests_total", "PassthroughCluster"): "0+9x60"}
    assert fired(promtool, tmp_path, values, series, "EgressUndeclaredPassed") == []


@pytest.mark.parametrize(
    ("posture", "result"), [("enforce", "authz_enforce_result"), ("observe", "authz_dry_run_result")]
)
@pytest.mark.parametrize("metric", ["envoy_http_rbac", "envoy_tcp"])
def test_refused_clients_are_alerted(promtool: Path, tmp_path: Path, posture: str, result: str, metric: str) -> None:
    """A client whose destination is not declared for it was refused, and nobody knew."""
    values = alerting("posture", posture)
    pod = _POD.format("aaaaa")
    for told, alerts in (("denied", 1), ("allowed", 0)):
        series = {f'{metric}{{{pod},{result}="{told}"}}': "0x24 3x40"}
        assert len(fired(promtool, tmp_path, values, series, "EgressClientRefused")) == alerts


@pytest.mark.parametrize(("seconds", "alerts"), [(3600 * 5, 1), (3600 * 11, 0)])
def test_certificates_that_are_not_renewed_are_alerted(
    promtool: Path, tmp_path: Path, seconds: int, alerts: int
) -> None:
    """The gateway's certificate ran out in the night."""
    series = {f'istio_agent_cert_expiry_seconds{{{_POD.format("aaaaa")},resource_name="default"}}': f"{seconds}x60"}
    assert len(fired(promtool, tmp_path, alerting(), series, "EgressGatewayCertificateExpiring")) == alerts


@pytest.mark.parametrize(("days", "alerts"), [(29, 1), (31, 0)])
def test_a_root_that_expires_is_alerted(promtool: Path, tmp_path: Path, days: int, alerts: int) -> None:
    """All mTLS of the mesh ended at once, ten years after anybody had thought of it."""
    series = {"citadel_server_root_cert_expiry_seconds": f"{days * 24 * 3600}x120"}
    found = fired(promtool, tmp_path, alerting(), series, "MeshRootCertificateExpiring", minutes=90)
    assert len(found) == alerts


@pytest.mark.parametrize(
    ("ready", "zones"),
    [
        (_ready(a="1x60", b="1x60"), []),
        (_ready(a="1x60", b="0x60"), ["zone-b"]),
        (_ready(a="1x60"), ["zone-b"]),
        (_ready(a="1x60", b="1x28 0x30"), []),
        ({}, ["zone-a", "zone-b"]),
    ],
    ids=["both", "not-ready", "no-pod", "not-yet", "none"],
)
def test_a_zone_without_a_gateway_is_alerted(
    promtool: Path, tmp_path: Path, ready: dict[str, str], zones: list[str]
) -> None:
    """One zone had no gateway for weeks, until the other one failed."""
    found = fired(promtool, tmp_path, alerting(), {**_ZONES, **_PODS, **ready}, "EgressGatewayDownInZone")
    assert [each["label_topology_kubernetes_io_zone"] for each in found] == zones
    down = fired(promtool, tmp_path, alerting(), {**_ZONES, **_PODS, **ready}, "EgressGatewayDown")
    assert len(down) == (len(zones) == len(_ZONES))


def test_more_zones_than_pods_alert_nobody(promtool: Path, tmp_path: Path) -> None:
    """Two pods cannot be in three zones, and the third one alerted for ever."""
    third = next(iter(_ZONES)).replace("egress-a", "egress-c").replace("zone-a", "zone-c")
    series = {**_ZONES, third: "1x60", **_PODS, **_ready(a="1x60", b="1x60")}
    assert fired(promtool, tmp_path, alerting(), series, "EgressGatewayDownInZone") == []
    enough = alerting("mesh.gateway", {"replicas": 3})
    assert len(fired(promtool, tmp_path, enough, series, "EgressGatewayDownInZone")) == 1
