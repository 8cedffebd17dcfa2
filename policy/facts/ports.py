"""Ports that lead to what runs a cluster, and ports at which a data store or a shell answers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Sources. Kubernetes: Ports and Protocols. Istio: Application Requirements, ports used by Istio. Envoy Gateway:
# internal/xds/bootstrap, internal/infrastructure, charts/gateway-helm. Docker: protect the daemon socket. Envoy: the
# admin interface of its own examples.
DENIED_PORTS: Final[Mapping[int, str]] = MappingProxyType(
    {
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
)
"""Ports that are never a destination, by whom they lead to."""

_QUESTIONABLE: Final[Mapping[int, str]] = MappingProxyType(
    {
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
    }
)
_NODE_PORTS: Final = range(30000, 32768)  # Kubernetes: Service, type NodePort: the default range
LAST_PORT: Final = 65535


def denied_port(number: int) -> str | None:
    """Who answers at a port that is never a destination; None for every other port."""
    return DENIED_PORTS.get(number)


def questionable_port(number: int) -> str | None:
    """What usually answers at a port that somebody should look at; None for every other port."""
    if number in _NODE_PORTS:
        return "a NodePort of some cluster"
    return _QUESTIONABLE.get(number)
