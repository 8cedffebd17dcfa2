"""Runs the pods of every node, until it is ended.

`python -m tests.cluster.bed.agent KUBECONFIG FOLDER PREFIX AUTHORITY`; AUTHORITY signs for hosts outside.
"""

import ipaddress
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.bed.agent.api import Api, Object
from tests.cluster.bed.agent.pods import PodWorker
from tests.cluster.bed.envoy import envoy_program
from tests.cluster.bed.network import Network


@dataclass(kw_only=True)
class Agent:
    """All pods that run."""

    api: Api
    folder: Path
    network: Network
    authority: Path
    """Who signs the certificates of hosts outside, as PEM: images trust it as they trust public authorities."""
    workers: dict[str, PodWorker] = field(default_factory=dict[str, PodWorker])
    used: dict[str, int] = field(default_factory=dict[str, int])
    """How many addresses of each node were given away; none is given twice."""

    def follow(self) -> None:
        """Follow the pods of the cluster for ever."""
        while True:
            try:
                for change, pod in self.api.pods():
                    self._take(change, pod)
            except Exception as error:  # noqa: BLE001 - an agent that has ended runs no pod: say what happened, and go on
                print(f"again from the beginning: {type(error).__name__}: {error}", flush=True)
                time.sleep(0.5)

    def _take(self, change: str, pod: Object) -> None:
        if change == "LISTED":
            for uid in set(self.workers) - set(pod["uids"]):
                self.workers.pop(uid).gone()
            return
        uid = pod["metadata"]["uid"]
        if change == "DELETED":
            if uid in self.workers:
                self.workers.pop(uid).gone()
        elif uid in self.workers:
            self.workers[uid].update(pod)
        elif "nodeName" in pod["spec"] and pod.get("status", {}).get("phase") == "Pending":
            self.workers[uid] = self._started(pod)

    def _started(self, pod: Object) -> PodWorker:
        name = pod["spec"]["nodeName"]
        node = self.api.get(f"/api/v1/nodes/{name}")
        if node is None or "podCIDR" not in node["spec"]:
            raise LookupError(f"the node {name} has no range of pod addresses yet")
        self.used[name] = self.used.get(name, 1) + 1
        address = str(ipaddress.ip_network(node["spec"]["podCIDR"])[self.used[name]])
        host = next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")
        metadata = pod["metadata"]
        folder = self.folder / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
        folder.mkdir(parents=True)
        number = sum(self.used.values())
        print(f"{metadata['namespace']}/{metadata['name']} on {name}: p{number}, {address}", flush=True)
        worker = PodWorker(
            api=self.api,
            network=self.network,
            envoy=envoy_program(),
            authority=self.authority,
            folder=folder,
            number=number,
            pod=pod,
            address=address,
            host=host,
        )
        worker.start()
        if "deletionTimestamp" in metadata:
            worker.update(pod)
        return worker


if __name__ == "__main__":
    kubeconfig, state, namespaces, signer = sys.argv[1:]
    Agent(
        api=Api(Path(kubeconfig)), folder=Path(state), network=Network(prefix=namespaces), authority=Path(signer)
    ).follow()
