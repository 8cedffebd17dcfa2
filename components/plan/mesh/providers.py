"""Services in the cluster that proxies ask: extension providers of the mesh configuration."""

from collections.abc import Mapping
from typing import Any

from components.plan.names import kube_name
from components.settings.mesh import Authorizer


def authorizers(declared: Mapping[str, Authorizer], *, cluster_domain: str) -> list[dict[str, Any]]:
    """External authorizers, by name (istio/api, mesh/v1alpha1/config.proto: EnvoyExternalAuthorization...Provider).

    No answer means no. That no is a 403: sidecars ask again after a 503, and an authorizer that is down would be
    asked three times as often.
    """
    return [
        {"name": authorizer_name(name), **_asked(authorizer, cluster_domain)}
        for name, authorizer in sorted(declared.items())
    ]


def authorizer_name(name: str) -> str:
    """What an authorizer's provider is called; istiod has providers of its own, such as `envoy`."""
    return kube_name("authorizer", name)


def _asked(authorizer: Authorizer, cluster_domain: str) -> dict[str, Any]:
    host = f"{authorizer.service}.{authorizer.namespace}.svc.{cluster_domain}"
    config: dict[str, Any] = {
        "service": f"{authorizer.namespace}/{host}",
        "port": authorizer.port,
        "timeout": authorizer.timeout,
        "failOpen": False,
        "statusOnError": "403",
    }
    if authorizer.headers is not None:
        config["includeRequestHeadersInCheck"] = list(authorizer.headers)
    return {"envoyExtAuthzGrpc" if authorizer.protocol == "GRPC" else "envoyExtAuthzHttp": config}
