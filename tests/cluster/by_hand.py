"""Envoy Gateway and a Gateway without any stack, written by hand: it takes what the bed has to offer.

An authorizer runs in the proxies' pods, too.
"""

import base64
from typing import Any, Final

import yaml

from tests.cluster import guarded
from tests.cluster.bed import openid_provider
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.outside import Certificate
from tests.cluster.bed.stack import Manifests

NAMESPACE: Final = "envoy-gateway-system"
PROXIES: Final = (NAMESPACE, "gateway.envoyproxy.io/owning-gateway-name=by-hand")
"""Namespace and selector of its proxies."""
RATE_LIMITER: Final = (NAMESPACE, "app.kubernetes.io/name=envoy-ratelimit")
"""Namespace and selector of what counts for all proxies together."""
LIMIT: Final = 3
"""How many requests a day pass to `limited.by-hand.example`."""
_SOCKET: Final = "/sockets/authorizer.sock"
_GROUP: Final = "gateway.envoyproxy.io"

Object = dict[str, Any]


def install(cluster: Cluster, redis: str) -> None:
    """Install Envoy Gateway, whose rate limiter counts in a Redis at `host:port`."""
    backend = {"type": "Redis", "redis": {"url": redis}}
    config = {"extensionApis": {"enableBackend": True}, "rateLimit": {"backend": backend}}
    values = cluster.folder / "by-hand.yaml"
    values.write_text(yaml.safe_dump({"config": {"envoyGateway": config}}), encoding="utf-8")
    command = f"helm install by-hand {cluster.charts.envoy_gateway} --namespace {NAMESPACE} --create-namespace --wait"
    run = Manifests(folder=cluster.folder).run
    run(f"{command} --values {values}", cluster.environment, cluster.network.nodes, why_not=cluster.troubles)


def objects(certificate: Certificate) -> list[Object]:
    """The Gateway with its class and proxies, and everything behind it.

    Args:
        certificate: what it shows on port 443.
    """
    tls = {"tls.crt": certificate.chain, "tls.key": certificate.key}
    secret = {"client-secret": openid_provider.CLIENT_SECRET}
    listeners = [
        {"name": "http", "protocol": "HTTP", "port": 80},
        {
            "name": "https",
            "protocol": "HTTPS",
            "port": 443,
            "tls": {"mode": "Terminate", "certificateRefs": [{"name": "by-hand-tls"}]},
        },
    ]
    return [
        {**_secret("by-hand-tls", tls), "type": "kubernetes.io/tls"},
        _secret("by-hand-client", secret),
        _object(f"{_GROUP}/v1alpha1", "EnvoyProxy", "by-hand", _proxies()),
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "by-hand"},
            "spec": {
                "controllerName": f"{_GROUP}/gatewayclass-controller",
                "parametersRef": {"group": _GROUP, "kind": "EnvoyProxy", "name": "by-hand", "namespace": NAMESPACE},
            },
        },
        _object(
            "gateway.networking.k8s.io/v1",
            "Gateway",
            "by-hand",
            {"gatewayClassName": "by-hand", "listeners": listeners},
        ),
        _backend("vms", [{"fqdn": {"hostname": "vm1.example.net", "port": 8080}}]),
        _backend("calls", [{"fqdn": {"hostname": "vm1.example.net", "port": 50051}}], appProtocols=[f"{_GROUP}/h2c"]),
        _backend("socket", [{"unix": {"path": _SOCKET}}]),
        *(_route(name, "vms") for name in ("limited", "free", "login", "judged", "socket")),
        _route("calls", "calls"),
        _policy("BackendTrafficPolicy", "limited", {"rateLimit": {"global": {"rules": [_rule()]}}}),
        _policy("SecurityPolicy", "login", {"oidc": _openid()}),
        _policy("SecurityPolicy", "judged", {"extAuth": {"grpc": {"backendRefs": [_authorizer()]}}}),
        _policy("SecurityPolicy", "socket", {"extAuth": {"grpc": {"backendRefs": [_reference("socket")]}}}),
        _grant(),
    ]


def _proxies() -> Object:
    """Two of them, as the stack has them; the authorizer's socket is in a folder that both containers see."""
    mount = {"name": "sockets", "mountPath": "/sockets"}
    authorizer = {
        "name": "authorizer",
        "image": "bed/authorizer:1",
        "args": [_SOCKET],
        "securityContext": {"runAsUser": 65532},  # as Envoy, so that it may write to the socket
        "volumeMounts": [mount],
    }
    patched = {"spec": {"template": {"spec": {"containers": [authorizer]}}}}
    deployment: Object = {
        "replicas": 2,
        "pod": {"volumes": [{"name": "sockets", "emptyDir": {}}]},
        "container": {"volumeMounts": [mount]},
        "patch": {"type": "StrategicMerge", "value": patched},
    }
    service = {"type": "ClusterIP", "name": "by-hand"}
    return {"provider": {"type": "Kubernetes", "kubernetes": {"envoyDeployment": deployment, "envoyService": service}}}


def _openid() -> Object:
    return {
        "provider": {"issuer": openid_provider.ISSUER},
        "clientID": openid_provider.CLIENT_ID,
        "clientSecret": {"name": "by-hand-client"},
        "redirectURL": "https://login.by-hand.example/oauth2/callback",
        "forwardAccessToken": True,
    }


def _rule() -> Object:
    return {"limit": {"requests": LIMIT, "unit": "Day"}}


def _authorizer() -> Object:
    namespace, selector = guarded.AUTHORIZER
    return {"name": selector.partition("=")[2], "namespace": namespace, "port": 9000}


def _grant() -> Object:
    namespace, _ = guarded.AUTHORIZER
    come_from = {"group": _GROUP, "kind": "SecurityPolicy", "namespace": NAMESPACE}
    spec = {"from": [come_from], "to": [{"group": "", "kind": "Service"}]}
    return _object("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "by-hand", spec, namespace)


def _backend(name: str, endpoints: list[Object], **more: Any) -> Object:
    return _object(f"{_GROUP}/v1alpha1", "Backend", f"by-hand-{name}", {"endpoints": endpoints, **more})


def _reference(name: str) -> Object:
    return {"group": _GROUP, "kind": "Backend", "name": f"by-hand-{name}"}


def _route(name: str, backend: str) -> Object:
    spec = {
        "parentRefs": [{"name": "by-hand"}],
        "hostnames": [f"{name}.by-hand.example"],
        "rules": [{"backendRefs": [_reference(backend)]}],
    }
    return _object("gateway.networking.k8s.io/v1", "HTTPRoute", f"by-hand-{name}", spec)


def _policy(kind: str, name: str, spec: Object) -> Object:
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": f"by-hand-{name}"}
    return _object(f"{_GROUP}/v1alpha1", kind, f"by-hand-{name}", {"targetRefs": [target], **spec})


def _secret(name: str, data: dict[str, str]) -> Object:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": encoded}


def _object(version: str, kind: str, name: str, spec: Object, namespace: str = NAMESPACE) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
