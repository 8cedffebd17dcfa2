"""What a cluster has before the stack: nodes, cluster DNS, namespaces, who deploys, and the pods of its teams."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.settings import Settings
from tests.cluster.bed import addresses, outside

ZONES: Final = ("zone-a", "zone-b")
DEPLOYER: Final = "deployer"
DEPLOYER_NAMESPACE: Final = "ci"
_COREDNS: Final = "bed/coredns:1"
_SLEEP: Final = "bed/sleep:1"

_COREFILE: Final = """\
.:53 {
  errors
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
  }
  file /etc/coredns/outside.zone .
  cache 2
}
"""
_ZONE: Final = ". 60 IN SOA ns.invalid. admin.invalid. 1 60 60 60 5\n. 60 IN NS ns.invalid.\n"

Object = dict[str, Any]

CLIENTS: Final[tuple[tuple[str, str, str], ...]] = (
    ("news", "reader", "reader"),
    ("news", "other", "other"),
    ("shop", "storefront", "storefront"),
    ("elsewhere", "reader", "reader"),
    ("monitoring", "probe", "probe"),
)
"""Namespace, name and service account of the pods that ask. `elsewhere` is in the mesh and nobody declared it;
`monitoring` is declared, and not in the mesh."""


def nodes(settings: Settings) -> Iterator[Object]:
    """In each zone an ordinary node, and one with the labels and taints that the stack asks of egress nodes."""
    declared = settings.egress.nodes
    taints = [
        {"key": key, "effect": taint.effect, **({} if taint.value is None else {"value": taint.value})}
        for key, taint in declared.taints.items()
    ]
    for number, zone in enumerate(ZONES):
        letter = zone[-1]
        yield node(f"worker-{letter}", zone, 2 * number, {}, [])
        yield node(f"egress-{letter}", zone, 2 * number + 1, dict(declared.labels), taints)


def node(name: str, zone: str, number: int, labels: Mapping[str, str], taints: list[Object]) -> Object:
    """A node; `number` among all nodes gives its address."""
    room = {"cpu": "32", "memory": "128Gi", "pods": "200"}
    where = {"topology.kubernetes.io/region": "region", "topology.kubernetes.io/zone": zone}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **where, **labels},
        },
        "spec": {"taints": taints},
        "status": {
            "allocatable": room,
            "capacity": room,
            "addresses": [
                {"type": "InternalIP", "address": addresses.node_address(number)},
                {"type": "Hostname", "address": name},
            ],
        },
    }


def dns() -> Iterator[Object]:
    """CoreDNS, as clusters run it; it also answers for the world outside, in which no other name exists."""
    records = "".join(f"{name}. 5 IN A {address}\n" for name, address in sorted(outside.names().items()))
    data = {"Corefile": _COREFILE, "outside.zone": f"{_ZONE}{records}"}
    labels = {"k8s-app": "kube-dns"}
    metadata = {"name": "coredns", "namespace": "kube-system", "labels": labels}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    rbac = "rbac.authorization.k8s.io"
    name = {"name": "system:coredns"}
    yield {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": name, "rules": rules}
    yield {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": name,
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", **name},
        "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}],
    }
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**metadata, "name": "kube-dns"},
        "spec": {"clusterIP": addresses.DNS_SERVICE, "selector": labels, "ports": ports},
    }
    container = {
        "name": "coredns",
        "image": _COREDNS,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}},
    }
    spec = {
        "serviceAccountName": "coredns",
        "dnsPolicy": "Default",
        "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "53"}]},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    template = {"metadata": {"labels": labels}, "spec": spec}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }


def teams(settings: Settings) -> Iterator[Object]:
    """The namespaces that the stack expects to be there, one that it does not know, and who runs `pulumi up`."""
    for name in [*settings.cluster.namespaces, DEPLOYER_NAMESPACE]:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    labels = {"istio-injection": "enabled"}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere", "labels": labels}}
    yield _account(DEPLOYER_NAMESPACE, DEPLOYER)
    rbac = "rbac.authorization.k8s.io"
    yield {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "deployer"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": DEPLOYER, "namespace": DEPLOYER_NAMESPACE}],
    }


def clients(authority: str, which: Sequence[tuple[str, str, str]] = CLIENTS) -> Iterator[Object]:
    """Pods that ask; those in namespaces of the mesh get a sidecar when they are made.

    Args:
        authority: the certificate authority of the hosts outside, as PEM.
        which: namespace, name and service account of each.
    """
    for namespace in sorted({namespace for namespace, _, _ in which}):
        metadata = {"name": "outside-ca", "namespace": namespace}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.pem": authority}}
    for namespace, name, account in which:
        yield _account(namespace, account)
        yield client(namespace, name, account)


def client(namespace: str, name: str, account: str) -> Object:
    """A pod that waits for tests to ask from it."""
    container = {
        "name": "app",
        "image": _SLEEP,
        "securityContext": {"runAsUser": 1000, "runAsGroup": 1000},
        "volumeMounts": [{"name": "ca", "mountPath": "/etc/outside"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "serviceAccountName": account,
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
            "volumes": [{"name": "ca", "configMap": {"name": "outside-ca"}}],
        },
    }


def _account(namespace: str, name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
