"""What the engine tells the pack about a stack of this project: its environment, and its approvals."""

import json
from collections.abc import Mapping

APPROVALS = """
version: 1
cluster: {podCidrs: [10.244.0.0/16], serviceCidrs: [10.96.0.0/12], nodeCidrs: [192.168.0.0/24],
          apiServerAddresses: [192.168.0.10]}
exceptions:
  legacy: {rule: EGR105, kind: Backend, namespace: apps, name: legacy, owner: team-a, ticket: SEC-1,
           reason: old appliance, expires: "2029-12-31"}
dynamicResolvers:
  proxy: {namespace: apps, name: proxy, owner: team-a, ticket: SEC-2, reason: a forward proxy, expires: "2029-12-31"}
"""
SETTINGS = {
    "cluster": {"name": "dev", "namespaces": {"news": {"role": "client"}, "monitoring": {"role": "platform"}}},
    "egress": {"posture": "enforce"},
}


def config_of(settings: Mapping[str, object]) -> str:
    """`settings` as the engine gives them: each key is JSON in JSON."""
    return json.dumps({f"cluster-egress:{key}": json.dumps(value) for key, value in settings.items()})


def environment_of(settings: Mapping[str, object] = SETTINGS) -> dict[str, str]:
    """The variables that the pack of an approved stack is started with, with `settings` as its configuration."""
    return {
        "PULUMI_PROJECT": "cluster-egress",
        "PULUMI_STACK": "tested",
        "PULUMI_DRY_RUN": "true",
        "PULUMI_CONFIG": config_of(settings),
        "EGRESS_TODAY": "2026-11-01",
    }
