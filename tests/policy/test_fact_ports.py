"""Which ports are denied, and which should be looked at."""

import pytest

from policy.facts.ports import DENIED_PORTS, LAST_PORT, denied_port, questionable_port

DENIED = {
    2375: "the Docker API",
    2376: "the Docker API with TLS",
    2377: "Docker Swarm's management",
    2379: "etcd",
    2380: "etcd's peers",
    2381: "etcd's metrics",
    4001: "etcd, formerly",
    6443: "the Kubernetes API server",
    9901: "Envoy's admin interface",
    10248: "kubelet's health",
    10249: "kube-proxy's metrics",
    10250: "kubelet",
    10251: "kube-scheduler, formerly",
    10252: "kube-controller-manager, formerly",
    10255: "kubelet, read-only",
    10256: "kube-proxy's health",
    10257: "kube-controller-manager",
    10258: "cloud-controller-manager",
    10259: "kube-scheduler",
    15000: "the sidecar's admin interface",
    15001: "the sidecar's outbound listener",
    15002: "the sidecar's failure detection",
    15004: "the sidecar's debug interface",
    15006: "the sidecar's inbound listener",
    15008: "the mesh's tunnel",
    15009: "the mesh's tunnel, in plain text",
    15010: "istiod in plain text",
    15012: "istiod",
    15014: "istiod's metrics",
    15017: "istiod's webhooks",
    15020: "the sidecar's agent, which can be told to quit",
    15053: "the sidecar's DNS",
    18000: "Envoy Gateway's xDS server",
    18001: "Envoy Gateway's rate limit configuration",
    18002: "Envoy Gateway's Wasm server",
    19000: "the proxy's admin interface",
    19001: "the proxy's metrics",
    19002: "the proxy's shutdown manager",
    19003: "the proxy's readiness listener",
}
QUESTIONABLE = {
    21: "FTP",
    22: "SSH",
    23: "Telnet",
    25: "SMTP",
    53: "DNS",
    111: "the portmapper",
    135: "Windows RPC",
    139: "NetBIOS",
    161: "SNMP",
    389: "LDAP",
    445: "SMB",
    873: "rsync",
    1433: "SQL Server",
    1521: "Oracle Database",
    2049: "NFS",
    2181: "ZooKeeper",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    5900: "VNC",
    5984: "CouchDB",
    5985: "WinRM",
    6379: "Redis",
    7000: "Cassandra",
    7001: "WebLogic, or Cassandra",
    8500: "Consul",
    9042: "Cassandra",
    9090: "Prometheus",
    9092: "Kafka",
    9093: "Alertmanager",
    9100: "a node's metrics",
    9200: "Elasticsearch",
    9300: "Elasticsearch's transport",
    11211: "memcached",
    15021: "Istio's health check",
    15090: "an Istio proxy's metrics",
    27017: "MongoDB",
    30000: "a NodePort of some cluster",
    32767: "a NodePort of some cluster",
}


@pytest.mark.parametrize(("port", "who"), DENIED.items())
def test_what_runs_a_cluster_is_denied(port: int, who: str) -> None:
    """Guards against losing one of the ports that the references name, or calling it by another's name."""
    assert (denied_port(port), questionable_port(port)) == (who, None)


@pytest.mark.parametrize(("port", "who"), QUESTIONABLE.items())
def test_data_stores_and_node_ports_are_questionable(port: int, who: str) -> None:
    """Guards against losing the warning, and against the ends of the range of NodePorts."""
    assert (denied_port(port), questionable_port(port)) == (None, who)


def test_no_other_port_is_denied() -> None:
    """Guards against a port that nobody tests."""
    assert dict(DENIED_PORTS) == DENIED


def test_no_other_port_is_questionable() -> None:
    """Guards against noise at ports that services really use."""
    told = {port for port in range(LAST_PORT + 1) if questionable_port(port) is not None}
    assert told == set(QUESTIONABLE) | set(range(30000, 32768))
