"""A declaration that uses every key of the Gateways through which backends are offered."""

import copy
from typing import Any

from tests.support import NEVER, Values

_PARTNERS: dict[str, Any] = {
    "exposure": "intranet",
    "sourceRanges": ["10.60.0.0/16"],
    "loadBalancer": {"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-spec": "slb.s1.small"},
    "nodes": {
        "mode": "existing",
        "labels": {"pool": "partners"},
        "taints": {"partners": {"value": "edge", "effect": "NoSchedule"}},
    },
    "addresses": {"mode": "existing", "cidrs": ["203.0.113.30/32"]},
    "autoscaling": {"minReplicas": 3, "maxReplicas": 9, "cpuPercent": 60},
    "drainSeconds": 120,
    "inMesh": True,
    "minTlsVersion": "1.3",
    "trustedProxies": ["10.60.1.0/24"],
    "maxConnections": 5000,
    "helpers": {"judge": {"image": "registry.example.com/judge:1", "arguments": ["--listen", "socket"]}},
    "accessLog": {
        "stdout": True,
        "collector": {"namespace": "monitoring", "service": "collector", "port": 4317, "podPort": 14317},
        "socket": "judge",
    },
}


def gateway_values(values: Values) -> Values:
    """`values` with two Gateways more, and a backend for each kind of listener."""
    values["backendGateways"] = {
        "default": {"replicas": 3},
        "partners": copy.deepcopy(_PARTNERS),
        "tcp": {
            "nodes": "any",
            "addresses": {"mode": "existing", "cidrs": ["203.0.113.31/32"]},
        },
    }
    values.setdefault("install", {}).setdefault("envoyGateway", {})["redis"] = {
        "namespace": "monitoring",
        "service": "redis",
        "port": 6380,
        "podPort": 6379,
    }
    values["backends"] |= {
        "shop-api": _backend(
            gateway="partners",
            hostnames=["api.shop.example.com", "www.shop.example.com"],
            certificate={"issuer": {"kind": "Issuer", "name": "internal"}},
            httpsRedirect=True,
            access={"clientCertificates": {"secret": "callers", "names": ["client.example.net"]}},
            limits={"requests": {"all": {"requests": 1000, "per": "minute", "counted": "together"}}},
        ),
        "calls": _backend(
            gateway="partners",
            hostnames=["calls.example.com"],
            protocol="GRPC",
            certificate={"secret": "calls-tls", "namespace": "monitoring"},
        ),
        "sealed": _backend(gateway="partners", hostnames=["sealed.example.com"], protocol="TLS"),
        "opened": _backend(
            gateway="partners",
            hostnames=["opened.example.com"],
            protocol="TLS",
            certificate={"secret": "opened-tls"},
            access={"clientCertificates": {"secret": "callers"}},
        ),
        "ledger": _backend(gateway="tcp", protocol="TCP", port=5432),
    }
    return values


def _backend(**own: Any) -> dict[str, Any]:
    return {
        "endpoints": [{"ip": "93.184.216.40", "port": 8443}],
        "access": {"public": "A test service without any data of ours"},
        "owner": "team-shop",
        "ticket": "FW-1060",
        "expires": NEVER,
        **own,
    }
