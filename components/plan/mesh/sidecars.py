"""Sidecar objects: what istiod sends to a client's proxies, and what they do with a host that they do not know."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from components.plan.flows import DirectClient
from components.plan.groups import ClientGroup
from components.plan.mesh.address import NETWORKING
from components.plan.names import digest, kube_name
from components.plan.objects import KubeObject


def sidecars(
    namespace: str,
    outbound_mode: str,
    groups: Sequence[ClientGroup],
    *,
    entries_in: str,
    cluster_domain: str,
    known: Sequence[str],
) -> Iterator[KubeObject]:
    """A namespace's Sidecars: all in-cluster services as before, and outside only what is exported to it.

    Where clients are named by labels, a Sidecar for each set of them, and one for the others, which then list the
    hosts outside one by one. A Sidecar cannot leave out one namespace, so what these see besides Services is what
    stands in namespaces that are known.

    Args:
        namespace: the clients'.
        outbound_mode: what happens to a host that the proxy does not know.
        groups: all client groups.
        entries_in: the namespace of the ServiceEntries.
        cluster_domain: the cluster's DNS domain.
        known: other namespaces whose ServiceEntries stay in sight.
    """
    hosts_of: defaultdict[DirectClient, set[str]] = defaultdict(set)
    for group in groups:
        for flow in group.flows:
            for client in flow.direct:
                if client.namespace == namespace:
                    hosts_of[client].add(flow.host)
    everyone = DirectClient(namespace=namespace)
    labelled = sorted(client for client in hosts_of if client.labels)
    if not labelled:
        yield _sidecar("default", namespace, ["*/*"], outbound_mode)
        return
    inside = ["./*", f"*/*.svc.{cluster_domain}", *(f"{each}/*" for each in known if each != namespace)]
    shared = hosts_of[everyone]
    yield _sidecar("default", namespace, [*inside, *_listed(entries_in, shared)], outbound_mode)
    for client in labelled:
        listed = [*inside, *_listed(entries_in, shared | hosts_of[client])]
        name = kube_name("clients", digest(str(client), 8))
        yield _sidecar(name, namespace, listed, outbound_mode, dict(client.labels))


def _listed(namespace: str, hosts: set[str]) -> list[str]:
    return [f"{namespace}/{host}" for host in sorted(hosts)]


def _sidecar(
    name: str, namespace: str, hosts: list[str], outbound_mode: str, labels: dict[str, str] | None = None
) -> KubeObject:
    spec: dict[str, Any] = {"egress": [{"hosts": hosts}], "outboundTrafficPolicy": {"mode": outbound_mode}}
    if labels is not None:
        spec["workloadSelector"] = {"labels": labels}
    return KubeObject(api_version=NETWORKING, kind="Sidecar", name=name, namespace=namespace, spec=spec)
