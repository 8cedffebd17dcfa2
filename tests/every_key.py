"""Declarations that, with `full_values`, use every key that settings know: what may not stand together is apart."""

import copy
from typing import Any

from tests.support import NEVER, Values, dev_values

_KEYS = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'


def rich_values() -> Values:
    """The `dev` stack whose destinations ask for everything that a gateway or a sidecar can do."""
    values = dev_values()
    values["cluster"] |= {"ipFamilies": ["IPv4", "IPv6"]}
    values["cluster"]["namespaces"]["batch"] = {"role": "client", "outbound": "registry-only"}
    values["egress"]["mesh"] |= {
        "gateway": {"drainSeconds": 60},
        "gateways": {"partners": _gateway()},
        "issuers": {
            "corp": {
                "issuer": "https://sso.example.com",
                "audiences": ["egress"],
                "header": "x-corp-token",
                "jwksUri": "https://sso.example.com/keys",
                "cidrs": ["93.184.216.0/24"],
            },
            "lab": {"issuer": "lab", "audiences": ["egress"], "jwks": _KEYS},
        },
        "authorizers": {
            "opa": {
                "namespace": "monitoring",
                "service": "opa",
                "port": 9191,
                "podPort": 9192,
                "protocol": "HTTP",
                "timeout": "500ms",
                "headers": ["x-team"],
            }
        },
        "tracing": {"namespace": "monitoring", "service": "otel", "port": 4317, "podPort": 4318, "percent": 5},
        "alerts": {"namespace": "monitoring", "labels": {"release": "prometheus"}, "severity": "page"},
    }
    values["destinations"] |= _destinations()
    return values


def _gateway() -> dict[str, Any]:
    return {
        "autoscaling": {"minReplicas": 2, "maxReplicas": 6, "cpuPercent": 60},
        "nodes": {
            "mode": "existing",
            "labels": {"pool": "partners"},
            "taints": {"partners": {"value": "egress", "effect": "NoSchedule"}},
        },
        "addresses": {"mode": "existing", "cidrs": ["203.0.113.20/32"]},
        "drainSeconds": 300,
    }


def _destinations() -> dict[str, Any]:
    through: dict[str, Any] = {"gateway": "partners", "clients": {"news": {"everyone": True}}}
    return {
        "billing": _answered(
            through,
            hosts=["billing.example.net"],
            ports={"api": {"port": 443, "protocol": "HTTP", "tls": _tls(), **_requests(), **_limits()}},
            cidrs=["93.184.216.0/24"],
            token={"issuer": "corp", "claims": {"team": ["billing"]}},
            authorizer="opa",
        ),
        "billing-spare": _answered(
            through,
            hosts=["spare.example.net"],
            ports={
                "api": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80, "serverName": "spare.example.net"}}
            },
            cidrs=["93.184.216.0/24"],
        ),
        "pages": _answered(
            {"clients": {"shop": {"serviceAccounts": ["storefront"]}}},
            hosts=["*.pages.example.net"],
            servedBy="www.example.net",
            ports={"https": {"port": 443, "protocol": "TLS"}},
        ),
        "database": _answered(
            {"clients": {"batch": {"labels": {"app": "nightly"}}}},
            hosts=["db.example.net"],
            addresses=["93.184.216.40", "2606:4700::40"],
            ports={"sql": {"port": 5432, "protocol": "TCP"}},
        ),
    }


def _answered(common: dict[str, Any], **own: Any) -> dict[str, Any]:
    return {**copy.deepcopy(common), **own, "owner": "team-news", "ticket": "FW-7", "expires": NEVER}


def _tls() -> dict[str, Any]:
    return {"clientPort": 8080, "serverName": "api.example.net", "secret": "billing", "clientCertificate": True}


def _requests() -> dict[str, Any]:
    return {
        "allow": {"methods": ["GET", "POST"], "paths": ["/v1/*"]},
        "routing": {
            "timeout": "10s",
            "retries": {"attempts": 3, "perTryTimeout": "2s"},
            "requestHeaders": {"set": {"x-team": "news"}, "remove": ["x-debug"]},
            "responseHeaders": {"set": {"x-from": "billing"}, "remove": ["server"]},
            "split": {"billing-spare": 10},
            "mirror": {"to": "billing-spare", "percent": 5},
        },
    }


def _limits() -> dict[str, Any]:
    return {
        "connections": {
            "maxConnections": 100,
            "connectTimeout": "3s",
            "maxPendingRequests": 50,
            "maxRequestsPerConnection": 1000,
            "idleTimeout": "5m",
        },
        "outliers": {"consecutiveErrors": 3, "interval": "5s", "ejectionTime": "1m", "maxPercent": 30},
    }
