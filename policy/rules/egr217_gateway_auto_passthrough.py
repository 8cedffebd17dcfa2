"""EGR217: a gateway that connects to whichever service the client's SNI names, without a route."""

from collections.abc import Iterator

from policy.readers.mesh_hosts import EVERY_HOST, is_in_cluster
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    for server in reader.items(reader.field(root(subject.whole), "spec", "servers")):
        # What cannot be read in `tls` is EGR216's finding.
        if Reader().field(server, "tls", "mode").value == "AUTO_PASSTHROUGH":
            hosts = reader.field(server, "hosts")
            if is_empty(hosts):
                reader.report(hosts, "is missing")
            for host in reader.items(hosts):
                _judge(reader, host, context)
    yield from reader.findings


def _judge(reader: Reader, host: Node, context: Context) -> None:
    text = reader.text(host)
    if text is None:
        return
    name = text.rpartition("/")[2]  # behind the namespace, if it says one
    try:
        in_cluster = name != EVERY_HOST and is_in_cluster(name, context)
    except ValueError:
        in_cluster = False
    if not in_cluster:
        reader.report(host, f"{shown(text)} also lets the client's SNI pick services outside the cluster")


RULE = ObjectRule(
    id="EGR217",
    name="gateway-auto-passthrough",
    severity=Severity.BLOCK,
    applies_to=frozenset({"networking.istio.io/Gateway"}),
    summary="A gateway that picks the service by the client's SNI alone does so for Services of the cluster only.",
    why="AUTO_PASSTHROUGH needs no route: the SNI names where to connect to, and the gateway never sees who asks. With "
    "other hosts than those of the mesh's clusters it is a way out for whoever reaches the port.",
    remediation="use ISTIO_MUTUAL and routes on an egress gateway; for traffic between clusters, hosts: ['*.local']",
    example="""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: cross-network, namespace: istio-system}
spec:
  selector: {istio: eastwestgateway}
  servers:
    - port: {number: 15443, name: tls, protocol: TLS}
      hosts: ["*.local"]
      tls: {mode: AUTO_PASSTHROUGH}
""",
    url="https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings-TLSmode",
    source="istio/api: networking/v1alpha3/gateway.proto; Istio: multi-primary on different networks",
    check=_check,
)
