"""Each alert on backends fires when it should and not otherwise, by Prometheus' own `promtool`."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml12

from components.plan.offers.alerts import BACKEND_METRICS
from tests.plan.alerting import alerting, fired
from tests.support import ROOT, Values, changed, of_kind, plan_of, setting

_OWN: Final = "envoy-gateway-system"
_ENDPOINT: Final = "envoy_gateway_backend_endpoint_info"
_DAY: Final = 24 * 3600
_TOGETHER: Final = {"requests": 10, "per": "second", "counted": "together"}


def _answers(code: str, values: str, route: str = f"httproute/{_OWN}/n9e") -> dict[str, str]:
    cluster = f"{route}/rule/0"
    labels = f'namespace="{_OWN}",pod="p",envoy_response_code_class="{code}",envoy_cluster_name="{cluster}"'
    return {f"envoy_cluster_upstream_rq_xx{{{labels}}}": values}


def _endpoint(**labels: str) -> dict[str, str]:
    text = ",".join(f'{key}="{value}"' for key, value in {"namespace": _OWN, "name": "n9e", **labels}.items())
    return {f"{_ENDPOINT}{{{text}}}": "1x60"}


@pytest.mark.parametrize(
    ("answers", "alerts"),
    [
        (("0+100x60", "0+10x60"), 1),
        (("0+100x60", "0+2x60"), 0),
        (("0+1x60", "0+0.5x60"), 0),
        (("0x60", "0+2x60"), 1),
        (("0+100x60", "500x60"), 0),
    ],
    ids=["share", "small-share", "few", "nothing-else", "long-ago"],
)
@pytest.mark.parametrize("route", [f"httproute/{_OWN}/n9e", f"grpcroute/{_OWN}/n9e", f"httproute/{_OWN}/n9e.partners"])
def test_a_backend_that_fails_is_alerted(
    promtool: Path, tmp_path: Path, answers: tuple[str, str], alerts: int, route: str
) -> None:
    """A virtual machine answered 500 for a night, or one unlucky caller woke everybody up."""
    good, bad = answers
    series = {**_answers("2", good, route), **_answers("5", bad, route)}
    found = fired(promtool, tmp_path, alerting(), series, "BackendFailing")
    assert found == [{"alertname": "BackendFailing", "backend": "n9e", "severity": "warning"}] * alerts


@pytest.mark.parametrize(
    "cluster",
    ["accesslog_otel_0_1", f"httproute/{_OWN}/n9e/rule/0-mirror-1", f"grpcroute/{_OWN}/n9e/rule/12-mirror-10"],
)
def test_what_is_no_backend_fails_unnoticed_here(promtool: Path, tmp_path: Path, cluster: str) -> None:
    """A collector of logs that was restarted looked like a backend, and who got copies like the one that sent them."""
    series = {
        key.replace(f"httproute/{_OWN}/n9e/rule/0", cluster): values for key, values in _answers("5", "0+10x60").items()
    }
    assert fired(promtool, tmp_path, alerting(), series, "BackendFailing") == []


@pytest.mark.parametrize(("days", "alerts"), [(13, 1), (15, 0)])
@pytest.mark.parametrize(
    "metric",
    [
        'envoy_listener_ssl_certificate_expiration_unix_time_seconds{envoy_listener_address="0.0.0.0_10443",',
        'envoy_cluster_ssl_certificate_expiration_unix_time_seconds{envoy_cluster_name="httproute/a/b/rule/0",',
    ],
)
def test_certificates_that_expire_are_alerted(
    promtool: Path, tmp_path: Path, metric: str, days: int, alerts: int
) -> None:
    """Nobody renewed a Secret, and callers were refused."""
    certificate = f"{_OWN}/certificate"
    series = {f'{metric}namespace="{_OWN}",envoy_tls_certificate="{certificate}"}}': f"{days * _DAY}x60"}
    found = fired(promtool, tmp_path, alerting(), series, "BackendCertificateExpiring")
    labels = {"alertname": "BackendCertificateExpiring", "envoy_tls_certificate": certificate, "severity": "warning"}
    assert found == [labels] * alerts


@pytest.mark.parametrize("name", ["unnamed_ca_cert_e3b0c442", f"{_OWN}/n9e/ca.crt", "xds_certificate"])
def test_public_authorities_alert_nobody(promtool: Path, tmp_path: Path, name: str) -> None:
    """The first of a bundle of authorities had expired years ago, and the alert never ended."""
    labels = f'namespace="{_OWN}",envoy_cluster_name="c",envoy_tls_certificate="{name}"'
    series = {f"envoy_cluster_ssl_certificate_expiration_unix_time_seconds{{{labels}}}": "1x60"}
    assert fired(promtool, tmp_path, alerting(), series, "BackendCertificateExpiring") == []


@pytest.mark.parametrize(("days", "alerts"), [(29, 1), (31, 0)])
@pytest.mark.parametrize("name", ["xds_certificate", "xds_trusted_ca"])
def test_the_control_planes_certificates_are_alerted(
    promtool: Path, tmp_path: Path, name: str, days: int, alerts: int
) -> None:
    """Five years after the installation no proxy heard of its controller."""
    labels = f'namespace="{_OWN}",envoy_cluster_name="xds_cluster",envoy_tls_certificate="{name}"'
    series = {f"envoy_cluster_ssl_certificate_expiration_unix_time_seconds{{{labels}}}": f"{days * _DAY}x120"}
    found = fired(promtool, tmp_path, alerting(), series, "EnvoyGatewayCertificateExpiring", minutes=90)
    assert len(found) == alerts


@pytest.mark.parametrize(("ready", "alerts"), [("2x60", 0), ("1x60", 0), ("0x60", 1), ("2x20 0x40", 1), (None, 1)])
def test_a_gateway_without_proxies_is_alerted(promtool: Path, tmp_path: Path, ready: str | None, alerts: int) -> None:
    """Nobody reached any backend, and the first who said so were callers."""
    deployment = "envoy-envoy-gateway-system-cluster-egress-aa27e14f"
    metric = f'kube_deployment_status_replicas_ready{{namespace="{_OWN}",deployment="{deployment}"}}'
    found = fired(promtool, tmp_path, alerting(), {} if ready is None else {metric: ready}, "BackendGatewayDown")
    assert [each["deployment"] for each in found] == [deployment] * alerts


def test_long_names_of_proxies_are_cut_as_envoy_gateway_cuts_them() -> None:
    """The alert asked for a Deployment that never existed, and fired for ever."""
    values = changed(setting("install.envoyGateway.namespace", "n" * 47), alerting())
    (rule,) = of_kind(plan_of(values), "PrometheusRule")
    (down,) = [each for each in _rules(rule.spec) if each.get("alert") == "BackendGatewayDown"]
    assert re.search(rf'deployment="envoy-{"n" * 47}-[0-9a-f]{{8}}"', down["expr"])


@pytest.mark.parametrize(("errors", "alerts"), [("0x24 3x40", 1), ("_x24 3x40", 1), ("3x60", 0)])
def test_requests_that_cannot_be_counted_are_alerted(promtool: Path, tmp_path: Path, errors: str, alerts: int) -> None:
    """Redis was away, every request with a limit was answered 500, and the limit was searched for in the backend."""
    values = changed(
        setting("install.envoyGateway.redis", {"namespace": "monitoring", "service": "redis"}),
        changed(setting("backends.n9e.limits.requests.all", _TOGETHER), alerting()),
    )
    cluster = f"httproute/{_OWN}/n9e/rule/0"
    series = {f'envoy_cluster_ratelimit_error{{namespace="{_OWN}",envoy_cluster_name="{cluster}"}}': errors}
    found = fired(promtool, tmp_path, values, series, "BackendRateLimitDown")
    assert [each["envoy_cluster_name"] for each in found] == [cluster] * alerts
    assert fired(promtool, tmp_path, alerting(), series, "BackendRateLimitDown") == []


@pytest.mark.parametrize(
    "endpoint",
    [
        {"address": "10.0.0.7", "ip_port": "443"},
        {"address": "172.16.0.7", "ip_port": "443"},
        {"address": "192.168.3.4", "ip_port": "443"},
        {"address": "169.254.169.254", "ip_port": "80"},
        {"address": "100.100.100.200", "ip_port": "80"},
        {"address": "127.0.0.1", "ip_port": "80"},
        {"address": "0.0.0.0", "ip_port": "80"},  # noqa: S104 - what must be found
        {"address": "239.1.1.1", "ip_port": "80"},
        {"address": "fd00:ec2::254", "ip_port": "80"},
        {"address": "fe80::1", "ip_port": "80"},
        {"address": "::1", "ip_port": "80"},
        {"address": "64:ff9b::a00:7", "ip_port": "443"},
        {"address": "93.184.216.34", "ip_port": "6379"},
        {"address": "172.139.20.181", "ip_port": "17001"},
        {"hostname": "db.example.com", "fqdn_port": "5432"},
        {"hostname": "kubernetes.default.svc", "fqdn_port": "443"},
        {"hostname": "grafana.monitoring.svc.cluster.local", "fqdn_port": "80"},
        {"path": "/var/run/docker.sock"},
    ],
    ids=lambda endpoint: "-".join(endpoint.values()),
)
@pytest.mark.parametrize("namespace", [_OWN, "shop"])
def test_undeclared_backends_are_alerted(
    promtool: Path, tmp_path: Path, endpoint: dict[str, str], namespace: str
) -> None:
    """Somebody led a route to the cloud's metadata by a Backend of his own, under the name of a declared one."""
    series = _endpoint(**{**endpoint, "namespace": namespace})
    found = fired(promtool, tmp_path, alerting(), series, "BackendUndeclared")
    assert [each["namespace"] for each in found] == [namespace]


@pytest.mark.parametrize(
    "endpoint",
    [
        {"address": "172.139.20.181", "ip_port": "17000"},
        {"name": "httpbin", "hostname": "httpbin.org", "fqdn_port": "80"},
        {"name": "other", "address": "93.184.216.34", "ip_port": "443"},
        {"name": "other", "address": "172.15.0.7", "ip_port": "443"},
        {"name": "other", "address": "100.63.0.7", "ip_port": "443"},
        {"name": "other", "address": "2606:4700::6810", "ip_port": "443"},
        {"name": "other", "hostname": "api.example.com", "fqdn_port": "443"},
    ],
    ids=lambda endpoint: "-".join(endpoint.values()),
)
def test_declared_and_usual_backends_alert_nobody(promtool: Path, tmp_path: Path, endpoint: dict[str, str]) -> None:
    """A declared virtual machine alerted for ever, until nobody looked any more."""
    assert fired(promtool, tmp_path, alerting(), _endpoint(**endpoint), "BackendUndeclared") == []


def test_a_declared_endpoint_excuses_no_other_backend(promtool: Path, tmp_path: Path) -> None:
    """A Backend beside the declared one led to the same machine, past who may call it."""
    series = _endpoint(name="mine", address="172.139.20.181", ip_port="17000")
    assert len(fired(promtool, tmp_path, alerting(), series, "BackendUndeclared")) == 1


@pytest.mark.parametrize(("kind", "alerts"), [("DynamicResolver", 1), ("Endpoints", 0)])
def test_undeclared_resolvers_are_alerted(promtool: Path, tmp_path: Path, kind: str, alerts: int) -> None:
    """A Backend that leads wherever the caller says has no endpoint that could be judged."""
    series = {f'envoy_gateway_backend_info{{namespace="shop",name="any",type="{kind}"}}': "1x60"}
    assert len(fired(promtool, tmp_path, alerting(), series, "BackendUndeclared")) == alerts


def test_the_socket_of_a_log_is_declared(promtool: Path, tmp_path: Path) -> None:
    """Our own Backend for a helper alerted as somebody else's."""
    series = _endpoint(name="cluster-egress.access-log", path="/var/run/cluster-egress/logger/socket")
    assert fired(promtool, tmp_path, _with_helper(), series, "BackendUndeclared") == []
    assert len(fired(promtool, tmp_path, alerting(), series, "BackendUndeclared")) == 1


def test_without_backends_there_are_no_rules_about_them() -> None:
    """A Gateway that nobody asked for was missed."""
    values = alerting()
    del values["backends"]
    (rule,) = of_kind(plan_of(values), "PrometheusRule")
    assert [group["name"] for group in rule.spec["groups"]] == ["cluster-egress"]


def test_the_page_shows_what_kube_state_metrics_needs() -> None:
    """The page's configuration made metrics of other names, and no alert ever fired."""
    page = (ROOT / "docs" / "backend-observability.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(kind: CustomResourceStateMetrics\n.*?)```", page, re.DOTALL)
    assert yaml12.parse_yaml(block) == BACKEND_METRICS


def test_the_alert_asks_for_the_labels_that_the_metrics_have() -> None:
    """A label that was renamed on one side matched everything, or nothing."""
    (resource,) = BACKEND_METRICS["spec"]["resources"]
    given = set(resource["labelsFromPath"])
    for metric in resource["metrics"]:
        given |= set(metric["each"]["info"]["labelsFromPath"])
    (rule,) = of_kind(plan_of(alerting()), "PrometheusRule")
    (undeclared,) = [each for each in _rules(rule.spec) if each.get("alert") == "BackendUndeclared"]
    (same,) = re.findall(r"unless on \(([^)]*)\)", undeclared["expr"])
    assert set(same.split(", ")) == given


def _with_helper() -> Values:
    gateway = {"helpers": {"logger": {"image": "registry.example.com/logger:1"}}, "accessLog": {"socket": "logger"}}
    return changed(setting("backendGateways", {"default": gateway}), alerting())


def _rules(spec: Any) -> list[dict[str, Any]]:
    return [each for group in spec["groups"] for each in group["rules"]]
