"""Every key of where backends answer and of their routes: backends to add to a declaration."""

from typing import Any

from tests.support import NEVER, Values

_PUBLIC = {"public": "A test"}


def offered(*, hostname: str | None = None, **keys: Any) -> dict[str, Any]:
    """A backend that anybody may call, with these keys."""
    names = {} if hostname is None else {"hostnames": [hostname]}
    return {**names, "access": dict(_PUBLIC), "owner": "team-offers", "ticket": "FW-7", "expires": NEVER, **keys}


def targets_values(values: Values) -> None:
    """Write a backend of every kind, and routes with every key."""
    values["backends"] |= {
        "catalogue": offered(hostname="catalogue.example.com", **_catalogue(), routes=_routes()),
        "catalogue-next": offered(
            hostname="next.catalogue.example.com", service={"namespace": "monitoring", "name": "catalogue", "port": 80}
        ),
        "chat": offered(
            hostname="chat.example.com",
            endpoints=[{"fqdn": "chat.example.net", "port": 443}],
            standby=[{"fqdn": "spare.chat.example.net", "port": 443}],
            cidrs=["93.184.216.0/24"],
            applicationProtocol="wss",
            tls={"serverName": "chat.example.net", "minVersion": "1.3"},
            outliers={"consecutiveErrors": 3, "interval": "5s", "ejectionTime": "1m", "maxPercent": 100},
        ),
        "orders": offered(
            hostname="orders.example.com",
            protocol="GRPC",
            endpoints=[{"ip": "93.184.216.41", "port": 9000}],
            healthCheck={"interval": "10s"},
            routes={
                "all": {"paths": ["/shop.Orders/*"], "headers": {"x-tenant": "news"}},
                "one": {
                    "paths": ["/shop.Orders/Get"],
                    "split": {"orders-next": 10},
                    "mirror": {"to": "orders-next", "percent": 5},
                },
            },
        ),
        "orders-next": offered(
            hostname="next.orders.example.com",
            protocol="GRPC",
            service={"namespace": "monitoring", "name": "orders", "port": 9000, "podPort": 9001},
        ),
        "database": offered(
            protocol="TCP",
            port=5432,
            endpoints=[
                {"ip": "93.184.216.42", "port": 5432, "zone": "cn-hangzhou-h"},
                {"ip": "93.184.216.46", "port": 5432, "zone": "cn-hangzhou-i"},
            ],
            connections={"maxConnections": 9},
        ),
        "vault": offered(
            hostname="vault.example.com", protocol="TLS", endpoints=[{"ip": "93.184.216.43", "port": 8200}]
        ),
        "partners": offered(
            hostnames=["a.partners.example.net", "b.partners.example.net"],
            resolver={"port": 443},
            cidrs=["93.184.216.0/24"],
            tls={"secret": "partners"},
        ),
    }


def _catalogue() -> dict[str, Any]:
    return {
        "endpoints": [
            {"ip": "93.184.216.44", "port": 8443},
            {"ip": "93.184.216.45", "port": 8443},
        ],
        "tls": {"serverName": "catalogue.example.net", "secret": "catalogue", "clientCertificate": True},
        "healthCheck": {"path": "/healthz", "timeout": "2s", "unhealthyAfter": 2, "healthyAfter": 2},
        "connections": {
            "maxConnections": 100,
            "connectTimeout": "3s",
            "maxPendingRequests": 50,
            "maxRequestsPerConnection": 1000,
            "maxParallelRequests": 80,
            "idleTimeout": "5m",
        },
    }


def _routes() -> dict[str, Any]:
    return {
        "everything": {"paths": ["/*"], "rewrite": {"path": "/shop"}},
        "items": {
            "paths": ["/v1/*"],
            "methods": ["GET"],
            "headers": {"x-tenant": "news"},
            "rewrite": {"host": "catalogue.example.net", "path": "/v2"},
            "requestHeaders": {"set": {"x-team": "news"}, "remove": ["x-debug"]},
            "responseHeaders": {"set": {"x-from": "catalogue"}, "remove": ["server"]},
            "split": {"catalogue-next": 10},
            "mirror": {"to": "catalogue-next", "percent": 5},
            "timeout": "10s",
            "retries": {"attempts": 2, "perTryTimeout": "2s", "codes": [502, 503]},
        },
        "moved": {
            "paths": ["/old"],
            "redirect": {"host": "next.catalogue.example.com", "path": "/new", "status": 308},
        },
    }
