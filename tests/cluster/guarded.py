"""Destinations that ask for more than a service account, and the authorizer that some of them ask."""

import json
from typing import Any, Final

import yaml

from tests.cluster.bed.signer import Signer
from tests.cluster.bed.stack import Stack

AUTHORIZER: Final = ("monitoring", "app=judge")
"""Namespace and selector of the authorizer's pod."""
LIMITED: Final = {"methods": ["GET", "POST"], "paths": ["/v1/*", "/status"]}
KEYS: Final = "/keys.json"


def _answerable(**more: Any) -> dict[str, Any]:
    return {"owner": "team-news", "ticket": "FW-1050", "expires": "2029-12-31", **more}


def _destination(name: str, allow: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    port: dict[str, Any] = {"port": 80, "protocol": "HTTP", **({} if allow is None else {"allow": allow})}
    clients = {"news": {"serviceAccounts": ["reader"]}}
    return _answerable(hosts=[f"{name}.example.org"], ports={"http": port}, clients=clients, **more)


def declare(stack: Stack, inline: Signer, fetched: Signer) -> None:
    """Have a stack declare them, with two issuers and two authorizers.

    Args:
        stack: the stack.
        inline: whose keys stand in the declaration.
        fetched: whose keys istiod fetches.
    """
    config: dict[str, Any] = yaml.safe_load(stack.file.read_text(encoding="utf-8"))
    service = {"namespace": "monitoring", "service": "judge"}
    config["config"]["cluster-egress:egress"]["mesh"] |= {
        "issuers": {
            "sso": {"issuer": inline.issuer, "audiences": ["egress"], "jwks": inline.key_set},
            "other": {
                "issuer": fetched.issuer,
                "audiences": ["egress"],
                "header": "x-other-token",
                "jwksUri": f"https://keys.example.org{KEYS}",
                "cidrs": ["54.1.2.6/32"],
            },
        },
        "authorizers": {
            "by-http": {**service, "port": 8000, "protocol": "HTTP", "headers": ["x-judge"]},
            "by-grpc": {**service, "port": 9000},
        },
    }
    destinations = {
        "inline": _destination("inline", token={"issuer": "sso", "claims": {"team": ["news", "shop"]}}),
        "fetched": _destination("fetched", token={"issuer": "other"}),
        "limited": _destination("limited", allow=LIMITED),
        "by-http": _destination("by-http", authorizer="by-http"),
        "by-grpc": _destination("by-grpc", authorizer="by-grpc"),
    }
    config["config"]["cluster-egress:destinations"] |= destinations
    stack.file.write_text(json.dumps(config), encoding="utf-8")
    approvals: dict[str, Any] = yaml.safe_load(stack.approvals.read_text(encoding="utf-8"))
    approvals["publicRanges"] |= {
        name: _answerable(hosts=each["hosts"], ports=[80], reason="For this test")
        for name, each in destinations.items()
    }
    stack.approvals.write_text(json.dumps(approvals), encoding="utf-8")


def authorizer() -> list[dict[str, Any]]:
    """The authorizer's Service and pod; its namespace is not in the mesh."""
    namespace, _, name = AUTHORIZER[0], *AUTHORIZER[1].split("=")
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    ports = [{"name": "http", "port": 8000}, {"name": "grpc", "port": 9000}]
    container = {"name": "app", "image": "bed/authorizer:1"}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": {"app": name}, "ports": ports},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    ]
