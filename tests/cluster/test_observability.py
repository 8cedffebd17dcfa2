"""What is told of traffic that leaves: lines of access logs, metrics, and spans, from real proxies."""

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.collector import collector, spans
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until

CNN: Final = "edition.cnn.com"
READER: Final = "spiffe://cluster.local/ns/news/sa/reader"
OTHER: Final = "spiffe://cluster.local/ns/news/sa/other"
_SECRET: Final = "s3cr3t-of-the-query"  # noqa: S105 - what must not be logged


def _line(pods: list[Pod], **like: Any) -> Mapping[str, Any]:
    """The last line of these pods' access logs with such values, once it is there."""
    found: list[Mapping[str, Any]] = []

    def told() -> bool:
        lines = [line for pod in pods for line in pod.access_log("istio-proxy")]
        found[:] = [line for line in lines if all(line.get(key) == value for key, value in like.items())]
        return found != []

    wait_until(told, f"a line with {like}", seconds=20)
    return found[-1]


@pytest.mark.proves(
    "observability",
    "client and gateway log who asked for what, and that it was declared",
    kinds=("Telemetry.telemetry.istio.io",),
)
def test_a_declared_request_is_logged_at_both(cluster: Cluster, client: Client) -> None:
    """Guards against a log that leaves open who it was, and against secrets of queries in logs."""
    reader, gateways = client("news", "reader"), cluster.pods(*EGRESS_GATEWAYS)
    assert reader.curl(f"http://{CNN}/told?token={_SECRET}").outcome == "200"
    for pods, proxy in (([reader], "client"), (gateways, "gateway")):
        line = _line(pods, path="/told")
        assert (line["proxy"], line["client"], line["destination"], line["declared"]) == (proxy, READER, CNN, "yes")
        assert line["response_code"] == 200
        assert not any(_SECRET in pod.log("istio-proxy") for pod in pods)


@pytest.mark.proves("observability", "client and gateway log who asked for what, and that it was declared")
def test_declared_tls_is_logged_at_both(cluster: Cluster, client: Client) -> None:
    """As above, where no proxy sees a request."""
    reader, gateways = client("news", "reader"), cluster.pods(*EGRESS_GATEWAYS)
    assert reader.curl(f"https://{CNN}/told").outcome == "200"
    line = _line([reader], requested_server_name=CNN)
    assert (line["client"], line["destination"], line["declared"]) == (READER, CNN, "yes")
    line = _line(gateways, upstream_cluster=f"outbound|443||{CNN}", client=READER)
    assert (line["destination"], line["declared"]) == (f"outbound|443||{CNN}", "yes")


@pytest.mark.proves("observability", "the gateway tells a host that nobody declared from one that others may ask")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_another_client_is_told_apart(cluster: Cluster, client: Client, scheme: str) -> None:
    """Guards against a refusal that looks like an undeclared host: another team answers for it."""
    since = {pod.name: len(pod.log("istio-proxy")) for pod in cluster.pods(*EGRESS_GATEWAYS)}
    client("news", "other").curl(f"{scheme}://{CNN}/told")

    def told() -> bool:
        lines = [
            line
            for pod in cluster.pods(*EGRESS_GATEWAYS)
            for line in pod.access_log("istio-proxy", since[pod.name])
            if line["client"] == OTHER
        ]
        return lines != [] and all(line["declared"] == "host-only" for line in lines)

    wait_until(told, "the gateway's word on the other client", seconds=20)


@pytest.mark.proves("observability", "undeclared requests and connections are logged with the client's identity")
@pytest.mark.parametrize(("scheme", "namespace"), [("http", "news"), ("https", "news"), ("http", "elsewhere")])
def test_the_undeclared_is_logged_as_such(client: Client, scheme: str, namespace: str) -> None:
    """Guards against a refusal of which nobody can say whose it was."""
    reader = client(namespace, "reader")
    reader.curl(f"{scheme}://undeclared.example.com/told")
    line = _line([reader], destination="undeclared.example.com", declared="no")
    assert line["client"] == f"spiffe://cluster.local/ns/{namespace}/sa/reader"


@pytest.mark.proves("observability", "what stays in the cluster is not logged")
def test_traffic_inside_is_not_logged(client: Client) -> None:
    """Guards against logs that drown what leaves, and cost what all traffic costs."""
    reader = client("news", "reader")
    since = len(reader.log("istio-proxy"))
    reader.curl("http://kube-dns.kube-system.svc.cluster.local:53/inside")
    reader.curl(f"http://{CNN}/after-inside")
    _line([reader], path="/after-inside")
    assert [line for line in reader.access_log("istio-proxy", since) if "kube-system" in str(line)] == []


@pytest.mark.proves("observability", "the metrics that alerts are about exist, by the names that they use")
def test_metrics_of_alerts_exist(cluster: Cluster, client: Client) -> None:
    """Guards against an alert on what nothing counts; only Istio's own proxy has the metrics of `istio.stats`."""
    for scheme in ("http", "https"):
        client("news", "other").curl(f"{scheme}://{CNN}/counted")
    gateways = cluster.pods(*EGRESS_GATEWAYS)
    printed = "".join(pod.admin("stats/prometheus", port=15020) for pod in gateways)
    for metric in ("envoy_http_rbac", "envoy_tcp"):
        lines = [line for line in printed.splitlines() if line.startswith(f"{metric}{{")]
        assert any('authz_enforce_result="denied"' in line for line in lines), [
            line for line in printed.splitlines() if "rbac" in line
        ]
    assert 'istio_agent_cert_expiry_seconds{resource_name="default"}' in printed


@pytest.fixture(scope="module")
def traced(cluster: Cluster) -> Generator[Path]:
    """The stack with tracing, and a collector in `monitoring`; its log."""
    stack = cluster.stack("dev", "traced")
    tracing = "tracing: {namespace: monitoring, service: collector, percent: 100}"
    text = stack.file.read_text(encoding="utf-8")
    stack.file.write_text(text.replace("flavour: istio-api", f"flavour: istio-api\n      {tracing}"), encoding="utf-8")
    with ExitStack() as undone:
        log = undone.enter_context(collector(cluster, "monitoring", "collector"))
        undone.enter_context(cluster.changed_to(stack, "traced-manifests"))
        yield log


@pytest.mark.proves(
    "observability", "a trace holds the client's span and the gateway's; the outside hears nothing of it"
)
def test_a_request_is_one_trace(traced: Path, cluster: Cluster, client: Client) -> None:
    """Guards against spans that nobody can join, and against trace headers and queries that leave the cluster."""
    reader = client("news", "reader")
    wait_until(
        lambda: _asked_until_joined(reader, traced),
        "a trace that begins with the client and holds the gateway's span",
        seconds=60,
        why_not=lambda: str([[(s["service"], s["name"], s["parent_span_id"]) for s in t] for t in _traces(traced)]),
    )
    assert _SECRET not in traced.read_text(encoding="utf-8")
    since = cluster.outside.count("cnn")
    own = (
        "--header",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "--header",
        "tracestate: a=b",
    )
    for arguments in ((), own):
        assert reader.curl(f"http://{CNN}/traced-headers", *arguments).outcome == "200"
    for request in cluster.outside.seen("cnn", since=since, event="request", path="/traced-headers"):
        assert set(request["headers"]) == {"host", "user-agent", "accept", "x-request-id"}

    def joined() -> bool:
        """A line of each log names a trace; a connection from before may still be served without."""
        reader.curl(f"http://{CNN}/traced-line")
        pods = [[reader], cluster.pods(*EGRESS_GATEWAYS)]
        found = [{line["trace_id"] for pod in each for line in pod.access_log("istio-proxy")} - {None} for each in pods]
        return found[0] & found[1] != set()

    wait_until(joined, "the trace in the logs of both", seconds=30)


def _asked_until_joined(reader: Pod, log: Path) -> bool:
    """Ask once more, and look for a whole trace; proxies send their spans in batches, so parts come later."""
    reader.curl(f"http://{CNN}/traced?token={_SECRET}")
    return any(_joined(trace) for trace in _traces(log))


def _joined(trace: Sequence[Mapping[str, Any]]) -> bool:
    """One span has no parent in the trace, the client's; the gateway's descends from it."""
    ids = {span["span_id"] for span in trace}
    first = [span["service"] for span in trace if span["parent_span_id"] not in ids]
    return first == ["reader.news"] and "egress-gateway.istio-egress" in {span["service"] for span in trace}


def _traces(log: Path) -> list[list[Mapping[str, Any]]]:
    """The spans that have arrived, by trace."""
    by_trace: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for span in spans(log):
        by_trace[span["trace_id"]].append(span)
    return list(by_trace.values())
