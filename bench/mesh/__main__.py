"""`python -m bench.mesh [HOSTS...]`: our plan and the documented recipe, measured on one bed in one run.

For each number of hosts, first our plan and then the recipe: what istiod pushes to a client's proxy and to a gateway's
that start anew, what these hold, and what one host more costs. Minutes: two cores do the work of a cluster.
"""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.mesh.declared import ACCOUNT, MORE, NAMESPACE, REACHABLE, declaration, write
from bench.mesh.figures import Istiod, knows, memory, restart
from bench.mesh.recipe import GATEWAY, PORTS, recipe
from bench.mesh.report import Case, Proxy, report
from tests.cluster.bed import addons
from tests.cluster.bed.cluster import Cluster, running
from tests.cluster.bed.kubectl import Object
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.proxy_config import held
from tests.support import settings_of

_SIZES: Final = (100, 1000)
_KINDS: Final = {
    "ServiceEntry": "networking.istio.io/v1/namespaces/{}/serviceentries",
    "VirtualService": "networking.istio.io/v1/namespaces/{}/virtualservices",
    "Gateway": "networking.istio.io/v1/namespaces/{}/gateways",
    "DestinationRule": "networking.istio.io/v1/namespaces/{}/destinationrules",
    "AuthorizationPolicy": "security.istio.io/v1/namespaces/{}/authorizationpolicies",
}
"""What differs between our plan and the recipe, in the order in which it is taken away, and where it is."""
_AT_ONCE: Final = 4
_STARTED: Final = time.monotonic()


def main(sizes: Sequence[int]) -> None:
    """Measure each size in both ways, and print the figures and ratios."""
    with running(settings_of(declaration(sizes[0])), _say) as cluster:
        _furnish(cluster, sizes[0])
        bed = _Bed(cluster)
        cases: list[Case] = []
        for size in sizes:
            for way, make in (("ours", _ours), ("recipe", _recipe)):
                _say(f"{size} hosts, {way}")
                cases.append(bed.measure(way, size, make(cluster, size, more=False), make(cluster, size, more=True)))
                print(json.dumps(cases[-1].raw()), flush=True)
        print()
        print(report(cases), flush=True)


def _say(text: str) -> None:
    print(f"bench: {time.monotonic() - _STARTED:5.1f} s  {text}", file=sys.stderr, flush=True)


def _furnish(cluster: Cluster, hosts: int) -> None:
    """The stack itself, and a pod that may use the hosts."""
    stack = cluster.stack("dev", "installed")
    write(declaration(hosts), stack.file)
    cluster.apply(stack)
    authority = {"ca.pem": cluster.outside.authority.read_text(encoding="utf-8")}
    of_clients = {"namespace": NAMESPACE}
    cluster.kubectl.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "outside-ca", **of_clients}, "data": authority},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, **of_clients}},
        addons.client(NAMESPACE, ACCOUNT, ACCOUNT),
    )
    cluster.wait_ready(NAMESPACE)


def _ours(cluster: Cluster, hosts: int, *, more: bool) -> list[Object]:
    name = f"ours-{hosts}{'-more' if more else ''}"
    stack = cluster.stack("dev", name)
    write(declaration(hosts, more=more), stack.file)
    objects = stack.manifests(cluster.folder / f"{name}-manifests").objects().values()
    return [item for item in objects if item["kind"] in _KINDS and "istio.io" in item["apiVersion"]]


def _recipe(_cluster: Cluster, hosts: int, *, more: bool) -> list[Object]:
    return recipe(settings_of(declaration(hosts, more=more)))


class _Bed:
    """A bed on which one set of objects replaces the other."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._istiod = Istiod(cluster, cluster.pods("istio-system", "app=istiod")[0])
        self._ports = cluster.kubectl.get("service", GATEWAY, EGRESS_GATEWAYS[0])["spec"]["ports"]

    def measure(self, way: str, hosts: int, objects: list[Object], more: list[Object]) -> Case:
        """Put objects in place of what is there, measure, add a host, and take all away again."""
        self._clear()
        self._offer(self._ports if way == "ours" else _ports_of_recipe())
        self._create(objects)
        self._istiod.settle()
        client, gateway = self._pod(NAMESPACE, f"app={ACCOUNT}"), self._pod(*EGRESS_GATEWAYS)
        self._see_that_it_works(client)
        proxies = {name: self._anew(pod) for name, pod in (("client", client), ("gateway", gateway))}
        before = self._istiod.settle()
        known = {_key(item): item for item in objects}
        changed = [item for item in more if known.get(_key(item)) != item]
        _say(f"  one host more: {len(changed)} objects")
        start = time.monotonic()
        last = sorted(changed, key=lambda item: item["kind"] == "ServiceEntry")
        self._cluster.kubectl.apply(*last, arguments=("--force-conflicts",))
        wait_until(lambda: knows(client, MORE) and knows(gateway, MORE), "the added host", seconds=120)
        seconds = time.monotonic() - start
        return Case(
            way=way,
            hosts=hosts,
            objects=len(objects),
            client=proxies["client"],
            gateway=proxies["gateway"],
            changed=len(changed),
            adding=seconds,
            added=self._istiod.pushed_since(before),
        )

    def _see_that_it_works(self, client: Pod) -> None:
        for url in (f"http://{REACHABLE}/", f"https://{REACHABLE}/"):
            wait_until(
                lambda url=url: client.curl(url).outcome == "200", url, why_not=lambda url=url: f"{client.curl(url)}"
            )

    def _anew(self, pod: Pod) -> Proxy:
        _say(f"  a new proxy in {pod.name}")
        before = self._istiod.settle()
        restart(pod)
        pushed = self._istiod.pushed_since(before)
        return Proxy(pushed=pushed, holds=held(pod), memory=memory(pod))

    def _pod(self, namespace: str, selector: str) -> Pod:
        return self._cluster.pods(namespace, selector)[0]

    def _clear(self) -> None:
        for namespace in (EGRESS_GATEWAYS[0], NAMESPACE):
            for path in _KINDS.values():
                self._cluster.kubectl.run("delete", "--raw", f"/apis/{path.format(namespace)}")

    def _offer(self, ports: Sequence[Mapping[str, object]]) -> None:
        patch = json.dumps([{"op": "replace", "path": "/spec/ports", "value": list(ports)}])
        self._cluster.kubectl.run("patch", "service", GATEWAY, "-n", EGRESS_GATEWAYS[0], "--type=json", "-p", patch)

    def _create(self, objects: Sequence[Object]) -> None:
        """Create many objects, some at once: kubectl asks the server for one after the other."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._create_some, [objects[each::_AT_ONCE] for each in range(_AT_ONCE)]))

    def _create_some(self, objects: Iterable[Object]) -> None:
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self._cluster.kubectl.run("create", "-f", "-", text=items)


def _ports_of_recipe() -> list[dict[str, object]]:
    return [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in PORTS.items()]


def _key(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or _SIZES)
