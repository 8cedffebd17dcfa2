"""One bad object for each rule that judges objects: what the engine must block, and the offline preview alike."""

from typing import Any, Final

_DECLARED: Final = '{"x": {"owner": "a", "ticket": "b", "expires": "2029-12-31"}}'


def _backend(spec: dict[str, Any], declared: str | None = _DECLARED) -> dict[str, Any]:
    annotations = {} if declared is None else {"cluster-egress/declaration": declared}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "x", "namespace": "envoy-gateway-system", "annotations": annotations},
        "spec": spec,
    }


def _endpoint(**kind: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Endpoints", "endpoints": [kind]}


_GOOD: Final = _endpoint(ip={"address": "8.8.8.8", "port": 17000})

BAD_OBJECTS: Final[dict[str, dict[str, Any]]] = {
    "EGR100": _backend(_endpoint(ip={"address": "127.1", "port": 80})),
    "EGR101": _backend(_endpoint(ip={"address": "0.0.0.0", "port": 17000})),  # noqa: S104 (what must be refused)
    "EGR102": _backend(_endpoint(ip={"address": "100.100.100.200", "port": 80})),
    "EGR103": _backend(_endpoint(fqdn={"hostname": "kubernetes.default.svc", "port": 8080})),
    "EGR104": _backend({"type": "DynamicResolver"}),
    "EGR105": _backend({**_GOOD, "tls": {"insecureSkipVerify": True}}),
    "EGR107": _backend(_endpoint(ip={"address": "10.96.0.1", "port": 8080})),
    "EGR108": _backend(_endpoint(ip={"address": "10.20.1.5", "port": 8080})),
    "EGR110": _backend(_endpoint(ip={"address": "8.8.8.8", "port": 10250})),
    "EGR112": _backend(_endpoint(fqdn={"hostname": "api.example.com", "port": 443})),
    "EGR201": {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "x", "namespace": "news", "annotations": {"cluster-egress/declaration": _DECLARED}},
        "spec": {
            "hosts": ["*.com"],
            "location": "MESH_EXTERNAL",
            "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
            "resolution": "NONE",
        },
    },
    "EGR401": _backend(_GOOD, declared=None),
}
