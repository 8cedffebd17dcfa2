"""Container Service, API 2015-12-15: the node pools of clusters, and the tasks that change them.

The calls are told apart by method and path; bodies are JSON.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from tests.engine.alibaba.api import Answer, Refused
from tests.engine.alibaba.ecs import EcsProduct
from tests.engine.alibaba.state import Ids, Shelf, Uses
from tests.engine.alibaba.vpc.networks import Networks

Body = Mapping[str, Any]
RoaAction = Callable[[Sequence[str], Body], Answer]
"""Of what stands in the path, and the body."""
_POOLS: Final = "/clusters/([^/]+)/nodepools"
_MOST_POOLS: Final = 20
"""Of a cluster (DescribeUserQuota)."""
_MOST_VSWITCHES: Final = 8
"""CreateClusterNodePool, `scaling_group.vswitch_ids`."""
_MOST_INSTANCE_TYPES: Final = 10
"""CreateClusterNodePool, `scaling_group.instance_types`."""


@dataclass(kw_only=True)
class NodePool:
    """A pool of nodes of one cluster; what was asked for it, as it was asked."""

    id: str
    cluster: str
    wanted: dict[str, Any]

    @property
    def scaling_group(self) -> Mapping[str, Any]:
        """Where its nodes are, and of which kind."""
        return self.wanted["scaling_group"]

    @property
    def nodes(self) -> int:
        """How many there are."""
        return int(self.scaling_group.get("desired_size") or 0)


class CsProduct:
    """Clusters, which are there before anything of ours, and their node pools."""

    def __init__(self, *, clusters: frozenset[str], networks: Networks, ecs: EcsProduct, ids: Ids, uses: Uses) -> None:
        self.pools: Shelf[NodePool] = Shelf("ErrorNodePoolNotFound")
        self._clusters, self._networks, self._ecs = clusters, networks, ecs
        self._ids, self._uses = ids, uses
        self._tasks: set[str] = set()
        self._actions: Mapping[tuple[str, str], tuple[str, RoaAction]] = {
            ("POST", _POOLS): ("CreateClusterNodePool", self._create),
            ("GET", f"{_POOLS}/([^/]+)"): ("DescribeClusterNodePoolDetail", self._describe),
            ("PUT", f"{_POOLS}/([^/]+)"): ("ModifyClusterNodePool", self._modify),
            ("DELETE", f"{_POOLS}/([^/]+)"): ("DeleteClusterNodepool", self._delete),
            ("GET", "/tasks/([^/]+)"): ("DescribeTaskInfo", self._describe_task),
        }

    def action(self, method: str, path: str) -> tuple[str, Callable[[Body], Answer]]:
        """The API's name for a call, and what does it."""
        for (wanted, pattern), (name, done) in self._actions.items():
            if method == wanted and (match := re.fullmatch(pattern, path)):
                return name, partial(done, match.groups())
        raise Refused("NotInTheStandIn", f"{method} {path}", status=404)

    def _create(self, path: Sequence[str], body: Body) -> Answer:
        cluster = path[0]
        if cluster not in self._clusters:
            raise Refused("ErrorClusterNotFound", "The cluster does not exist.", status=404)
        if sum(each.cluster == cluster for each in self.pools) >= _MOST_POOLS:
            raise Refused("QuotaExceeded.NodePool", "The quota is reached.")  # code: not known here
        self._check(body["scaling_group"])
        pool = NodePool(id=self._ids.new("np"), cluster=cluster, wanted=dict(body))
        self.pools.put(pool.id, pool)
        self._occupy(pool)
        return {"nodepool_id": pool.id, "task_id": self._task()}

    def _check(self, group: Mapping[str, Any]) -> None:
        """CreateClusterNodePool says what is asked of each; the code for all of them is not known here."""
        vswitches, types = group.get("vswitch_ids", []), group.get("instance_types", [])
        if not 1 <= len(vswitches) <= _MOST_VSWITCHES:
            raise Refused("InvalidParameter", f"vswitch_ids: 1 to {_MOST_VSWITCHES}")
        if not 1 <= len(types) <= _MOST_INSTANCE_TYPES:
            raise Refused("InvalidParameter", f"instance_types: 1 to {_MOST_INSTANCE_TYPES}")
        networks = {self._networks.vswitches[each].vpc for each in vswitches}
        if networks != {self._ecs.groups[each].vpc for each in group.get("security_group_ids", [])}:
            raise Refused("InvalidParameter", "vswitch_ids and security_group_ids have to be of one VPC")

    def _describe(self, path: Sequence[str], _: Body) -> Answer:
        pool = self._pool(path)
        info = {"nodepool_id": pool.id, "type": "ess", "resource_group_id": "rg-default", "is_default": False}
        return {
            **pool.wanted,
            "nodepool_info": {**pool.wanted.get("nodepool_info", {}), **info},
            "scaling_group": {
                "scaling_group_id": f"asg-{pool.id}",
                "security_group_id": "",
                **pool.scaling_group,
            },
            "status": {"total_nodes": pool.nodes, "healthy_nodes": pool.nodes, "state": "active"},
        }

    def _modify(self, path: Sequence[str], body: Body) -> Answer:
        pool = self._pool(path)
        for name, part in body.items():
            before = pool.wanted.get(name)
            pool.wanted[name] = {**before, **part} if isinstance(before, dict) and isinstance(part, dict) else part
        self._check(pool.scaling_group)
        self._occupy(pool)
        return {"nodepool_id": pool.id, "task_id": self._task()}

    def _delete(self, path: Sequence[str], _: Body) -> Answer:
        pool = self.pools.take(self._pool(path).id)
        self._uses.drop(pool.id)
        return {"task_id": self._task()}

    def _describe_task(self, path: Sequence[str], _: Body) -> Answer:
        if path[0] not in self._tasks:
            raise Refused("ErrorTaskNotFound", "The task does not exist.", status=404)
        return {"task_id": path[0], "state": "success"}

    def _pool(self, path: Sequence[str]) -> NodePool:
        cluster, name = path
        if cluster not in self._clusters:
            raise Refused("ErrorClusterNotFound", "The cluster does not exist.", status=404)
        found = self.pools.read(name)
        if not found:
            raise Refused("ErrorNodePoolNotFound", "The node pool does not exist.", status=404)
        return found[0]

    def _task(self) -> str:
        self._tasks.add(name := self._ids.new("T"))
        return name

    def _occupy(self, pool: NodePool) -> None:
        """Its nodes are in vSwitches, and in security groups."""
        self._uses.drop(pool.id)
        group = pool.scaling_group
        self._uses.add(pool.id, [*group["vswitch_ids"], *group["security_group_ids"]])
