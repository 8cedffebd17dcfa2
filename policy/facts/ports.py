"""Ports that lead to what runs a cluster, and ports at which a data store or a shell answers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_KUBERNETES = "Kubernetes: Ports and Protocols"
_ENVOY_GATEWAY = "envoyproxy/gateway: internal/xds/bootstrap, internal/infrastructure, charts/gateway-helm"
_ISTIO = "Istio: Application Requirements, ports used by Istio"

DENIED_PORTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        2375: "the Docker API",  # Docker: daemon attack surface
        2376: "the Docker API with TLS",
        2377: "Docker Swarm's management",
        2379: f"etcd ({_KUBERNETES})",
        2380: f"etcd's peers ({_KUBERNETES})",
        2381: "etcd's metrics",
        4001: "etcd, formerly",
        6443: f"the Kubernetes API server ({_KUBERNETES})",
        9901: "Envoy's admin interface (Envoy's own examples)",
        10248: f"kubelet's health ({_KUBERNETES})",
        10249: f"kube-proxy's metrics ({_KUBERNETES})",
        10250: f"kubelet ({_KUBERNETES})",
        10251: f"kube-scheduler, formerly ({_KUBERNETES})",
        10252: f"kube-controller-manager, formerly ({_KUBERNETES})",
        10255: f"kubelet, read-only ({_KUBERNETES})",
        10256: f"kube-proxy's health ({_KUBERNETES})",
        10257: f"kube-controller-manager ({_KUBERNETES})",
        10258: f"cloud-controller-manager ({_KUBERNETES})",
        10259: f"kube-scheduler ({_KUBERNETES})",
        15000: f"the sidecar's admin interface ({_ISTIO})",
        15001: f"the sidecar's outbound listener ({_ISTIO})",
        15002: f"the sidecar's failure detection ({_ISTIO})",
        15004: f"the sidecar's debug interface ({_ISTIO})",
        15006: f"the sidecar's inbound listener ({_ISTIO})",
        15008: f"the mesh's tunnel ({_ISTIO})",
        15009: f"the mesh's tunnel, in plain text ({_ISTIO})",
        15010: f"istiod in plain text ({_ISTIO})",
        15012: f"istiod ({_ISTIO})",
        15014: f"istiod's metrics ({_ISTIO})",
        15017: f"istiod's webhooks ({_ISTIO})",
        15020: f"the sidecar's agent, which can be told to quit ({_ISTIO})",
        15053: f"the sidecar's DNS ({_ISTIO})",
        18000: f"Envoy Gateway's xDS server ({_ENVOY_GATEWAY})",
        18001: f"Envoy Gateway's rate limit configuration ({_ENVOY_GATEWAY})",
        18002: f"Envoy Gateway's Wasm server ({_ENVOY_GATEWAY})",
        19000: f"the proxy's admin interface ({_ENVOY_GATEWAY})",
        19001: f"the proxy's metrics ({_ENVOY_GATEWAY})",
        19002: f"the proxy's shutdown manager ({_ENVOY_GATEWAY})",
        19003: f"the proxy's readiness listener ({_ENVOY_GATEWAY})",
    }
)
"""Ports that are never a destination, by whom they lead to, with the source."""

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
