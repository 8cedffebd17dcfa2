"""What is told of who calls backends: lines of access logs, metrics, records and spans, from real proxies."""

import re
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from components.plan.offers.alerts import backend_rules
from components.plan.offers.planning import plan_backends
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.collector import collector, records, spans
from tests.cluster.bed.pods import Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stack import Stack
from tests.cluster.offers.asking import DEFAULT, EDGE, GATEWAYS, Caller
from tests.cluster.offers.conftest import FETCHED, INLINE
from tests.cluster.offers.declared import NAMESPACE, declare
from tests.support import just_enough, settings_of

_SECRET: Final = "s3cr3t-of-the-query"  # noqa: S105 - what must not be told
_PAIR: Final = "/tmp/told.pem"  # noqa: S108 - in a pod of the bed, where nobody else is
_SUBJECT: Final = "job-7"
"""Whose tokens the bed's signers write."""
_NOT_YET: Final = {"envoy_cluster_ratelimit_error"}
"""Metrics that Envoy has from the first time on that they count something."""
_OWN: Final = "0af7651916cd43dd8448eb211c80319c"
"""The number of a trace that a caller writes."""
_TRACE: Final = ("--header", f"traceparent: 00-{_OWN}-b7ad6b7169203331-01", "--header", "tracestate: a=b")


def _proxies(cluster: Cluster, *gateways: str) -> list[Pod]:
    return [
        pod
        for gateway in gateways
        for pod in cluster.pods(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={gateway}")
    ]


def _line(cluster: Cluster, gateway: str, last: str, response_code: int = 200) -> Mapping[str, Any]:
    """The last line of a Gateway's access logs whose path ends in this segment, once it is there."""
    found: list[Mapping[str, Any]] = []

    def told() -> bool:
        lines = [line for pod in _proxies(cluster, gateway) for line in pod.access_log("envoy")]
        of_path = [line for line in lines if str(line.get("path")).rpartition("/")[2] == last]
        found[:] = [line for line in of_path if line["response_code"] == response_code]
        return found != []

    wait_until(told, f"a line about {last}", seconds=20)
    return found[-1]


@pytest.mark.proves("observability", "Gateways log who asked for what, how, and who answered")
def test_a_request_is_logged(offered: Cluster, probe: Pod, caller: Caller) -> None:
    """Guards against a log that leaves open who it was, or whom the proxy asked for it."""
    token = ("--header", f"authorization: Bearer {FETCHED.token(aud='offers')}")
    host = "fetched-token.example.org"
    caller.settled(f"http://{host}/", *token)
    assert caller.curl(f"http://{host}/logged", *token).outcome == "200"
    line = _line(offered, DEFAULT, "logged")
    for field in ("downstream_remote_address", "downstream_direct_remote_address"):
        assert line[field].rpartition(":")[0] == probe.address
    assert line["upstream_host"] == "172.139.21.11:8080"
    assert line["upstream_local_address"].rpartition(":")[0] in {pod.address for pod in _proxies(offered, DEFAULT)}
    assert line["route_name"].startswith(f"httproute/{NAMESPACE}/fetched-token/")
    assert (line["proxy"], line["gateway"], line["authority"]) == ("backend-gateway", DEFAULT, host)
    assert (line["method"], line["response_code"], line["upstream_attempts"]) == ("GET", 200, 1)
    assert line["token_subject"] == _SUBJECT


@pytest.mark.proves("observability", "Gateways log who asked for what, how, and who answered")
def test_a_callers_certificate_is_logged(offered: Cluster, caller: Caller) -> None:
    """Guards against a log in which all callers with certificates are one."""
    outside = offered.outside
    pair = "".join(each.read_text(encoding="utf-8") for each in (outside.client_certificate, outside.client_key))
    caller.pod.run("sh", "-c", f'printf %s "$1" > {_PAIR}', "sh", pair)
    caller.settled("https://certified.example.org/certified", "--cert", _PAIR)
    line = _line(offered, DEFAULT, "certified")
    assert "bed-client" in str(line["downstream_peer_dns_names"])
    assert line["downstream_tls_version"] in {"TLSv1.2", "TLSv1.3"}


@dataclass(frozen=True)
class _Asked:
    """A request, and how a Gateway answers it."""

    url: str
    outcome: int
    gateway: str = DEFAULT
    arguments: tuple[str, ...] = ()

    def line(self, caller: Caller, query: str = "") -> Mapping[str, Any]:
        """Ask, and give the line that the Gateway logs of it: a rewritten path keeps its last segment."""
        outcome, last = f"{self.outcome}", self.url.rpartition("/")[2]
        caller.settled(f"{self.url}{query}", *self.arguments, gateway=self.gateway, outcome=outcome)
        return _line(caller.cluster, self.gateway, last=last, response_code=self.outcome)


_JUDGED: Final = ("--header", "x-judge: yes")


@pytest.mark.proves("observability", "no proxy logs a query, which may hold a secret")
@pytest.mark.parametrize(
    "asked",
    [
        _Asked("http://routed.example.org/n9e/told-rewritten", 200),
        _Asked("http://routed.example.org/old", 301),
        _Asked("http://routed.example.org/copied", 200),
        _Asked("http://web.example.org/told", 301),
        _Asked("https://web.example.org/told-by-tls", 200),
        _Asked("http://keyed.example.org/told", 401),
        _Asked("http://misnamed.example.org/told-of-others", 503),
        _Asked("http://nobody.example.org/told", 404),
        _Asked("http://judged.example.org/told-by-judge", 200, arguments=_JUDGED),
        _Asked("http://rehosted.example.org/inside/told-inside", 200, EDGE, _JUDGED),
        _Asked("http://judged-beside.example.org/told-beside", 200, EDGE, _JUDGED),
    ],
    ids=str,
)
def test_no_query_is_logged(offered: Cluster, caller: Caller, asked: _Asked) -> None:
    """Guards against a token in a query that everybody reads who may read logs, rewritten or refused or not."""
    assert asked.line(caller, f"?token={_SECRET}")
    for pod in _proxies(offered, *GATEWAYS):
        logs = list((pod.folder / "logs").iterdir())
        assert {"envoy.log", "shutdown-manager.log"} <= {log.name for log in logs}
        assert [log.name for log in logs if _SECRET in log.read_text(errors="replace")] == []


@pytest.mark.proves("observability", "what a Gateway refuses is logged, with who it was and why")
@pytest.mark.parametrize(
    ("asked", "flags", "why"),
    [
        (_Asked("http://keyed.example.org/refused-key", 401), "-", "missing_api_key"),
        (_Asked("http://password.example.org/refused-password", 401), "-", "no_credential_for_basic_auth"),
        (_Asked("http://token.example.org/refused-token", 401), "-", "jwt_authn"),
        (_Asked("http://near.example.org/refused-address", 403), "-", "rbac_access_denied"),
        (_Asked("http://judged.example.org/refused-by-judge", 403), "UAEX", "ext_authz_denied"),
        (_Asked("http://counted.example.org/refused", 429), "RL", "local_rate_limited"),
        (_Asked("http://nobody.example.org/refused", 404), "NR", "route_not_found"),
        (_Asked("http://misnamed.example.org/refused", 503), "UF", "upstream_reset_before_response_started"),
    ],
    ids=str,
)
def test_a_refusal_is_logged(caller: Caller, asked: _Asked, flags: str, why: str) -> None:
    """Guards against a refusal of which nobody can say whose it was, or whether it was the backend's own."""
    line = asked.line(caller)
    assert flags in (line["response_flags"] or "-").split(",")
    assert why in str(line["response_code_details"]).lower()
    assert line["downstream_remote_address"].rpartition(":")[0] == caller.pod.address


@pytest.mark.proves("observability", "the metrics that alerts are about exist, by the names that they use")
def test_metrics_of_alerts_exist(offered: Cluster, probe: Pod, caller: Caller) -> None:
    """Guards against an alert on what nothing counts, or not by that label."""
    caller.settled("http://misnamed.example.org/counted", outcome="503")
    caller.settled("https://web.example.org/counted")
    stack = Stack(project=offered.folder / "offers" / "project", name="dev")
    config = yaml.safe_load(stack.file.read_text(encoding="utf-8"))["config"]
    settings = settings_of({key.removeprefix("cluster-egress:"): value for key, value in config.items()})
    rules = backend_rules(settings, plan_backends(settings, just_enough(settings)))
    asked = {name for rule in rules for name in re.findall(r"\benvoy_(?!gateway_)\w+(?=\{)", rule["expr"])}
    assert len(asked) >= 4
    told = "".join(
        probe.curl(f"http://{pod.address}:19001/stats/prometheus").body for pod in _proxies(offered, DEFAULT)
    )
    assert {name for name in asked if f"\n{name}{{" not in told} <= _NOT_YET
    failed = f'envoy_cluster_name="httproute/{NAMESPACE}/misnamed/rule/0"'
    lines = [line for line in told.splitlines() if line.startswith("envoy_cluster_upstream_rq_xx{") and failed in line]
    assert any('envoy_response_code_class="5"' in line and not line.endswith(" 0") for line in lines), lines
    expiring = "envoy_listener_ssl_certificate_expiration_unix_time_seconds{"
    assert any("offers" in line for line in told.splitlines() if line.startswith(expiring))


@pytest.fixture(scope="module")
def collected(offered: Cluster) -> Generator[Path]:
    """The same with spans, and logs of the default Gateway, sent to a collector in `monitoring`; its log."""
    stack = offered.stack("dev", "collected")
    declare(stack, INLINE, FETCHED)
    values = yaml.safe_load(stack.file.read_text(encoding="utf-8"))
    service = {"namespace": "monitoring", "service": "collector"}
    values["config"]["cluster-egress:egress"]["mesh"]["tracing"] = {**service, "percent": 100}
    values["config"]["cluster-egress:backendGateways"]["default"]["accessLog"] = {"collector": service}
    stack.file.write_text(yaml.safe_dump(values), encoding="utf-8")
    with ExitStack() as undone:
        log = undone.enter_context(collector(offered, "monitoring", "collector"))
        undone.enter_context(offered.changed_to(stack, "collected-manifests"))
        yield log


@pytest.mark.proves("observability", "collectors get records and spans of what backends are asked, without queries")
def test_collectors_are_told(collected: Path, offered: Cluster, caller: Caller) -> None:
    """Guards against records and spans that never arrive, that nobody can join, or that hold secrets."""

    def arrived() -> bool:
        assert caller.curl(f"http://copies.example.org/collected?token={_SECRET}").outcome == "200"
        return _record(collected, path="/collected") is not None and spans(collected) != []

    wait_until(arrived, "a record and a span", seconds=60, why_not=lambda: collected.read_text()[-2000:])
    told = _record(collected, path="/collected")
    assert told is not None
    assert told["service"] == f"{DEFAULT}.{NAMESPACE}"
    assert told["record"]["upstream_host"] == "172.139.21.12:8080"

    def joined() -> bool:
        """A record names the trace of a span."""
        assert caller.curl("http://copies.example.org/joined").outcome == "200"
        traces = {each["trace_id"] for each in spans(collected) if each["service"] == f"{DEFAULT}.{NAMESPACE}"}
        return any(each["record"].get("trace_id") in traces for each in records(collected))

    wait_until(joined, "a record and a span of one trace", seconds=30)
    urls = {each["attributes"].get("http.url") for each in spans(collected)}
    assert "http://copies.example.org/collected" in urls
    assert _SECRET not in collected.read_text(encoding="utf-8")
    for pod in _proxies(offered, *GATEWAYS):
        assert _SECRET not in pod.log("envoy")


def _record(log: Path, **like: Any) -> Mapping[str, Any] | None:
    found = [each for each in records(log) if all(each["record"].get(key) == value for key, value in like.items())]
    return found[-1] if found else None


@pytest.mark.proves("observability", "a caller's own trace does not reach the backend")
def test_traces_begin_at_the_gateway(collected: Path, offered: Cluster, caller: Caller) -> None:
    """Guards against a caller who writes into the traces of others, and a backend that learns of the inside."""
    found: list[Mapping[str, Any]] = []

    def traced() -> bool:
        since = offered.outside.count("vm1")
        assert caller.curl("http://routed.example.org/n9e/own-trace", *_TRACE).outcome == "200"
        found[:] = offered.outside.seen("vm1", since=since, event="request", path="/own-trace")
        return "traceparent" in found[-1]["headers"]

    wait_until(traced, "a trace that begins at the Gateway", seconds=60)
    headers = found[-1]["headers"]
    assert _OWN not in str(headers)
    assert headers.get("tracestate", "") != "a=b"
    trace = headers["traceparent"].split("-")[1]
    wait_until(lambda: trace in {each["trace_id"] for each in spans(collected)}, "its span", seconds=30)
    assert _OWN not in collected.read_text(encoding="utf-8")
