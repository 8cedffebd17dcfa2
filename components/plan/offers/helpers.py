"""Containers beside a Gateway's proxies, which Envoy reaches by a Unix socket."""

from typing import Any, Final

from components.settings.offers.gateways import BackendGateway

SOCKETS: Final = "/var/run/cluster-egress"
"""The folder with one folder for each helper."""
_USER: Final = 65532
"""Envoy's user in Envoy Gateway's Deployment (internal/infrastructure/kubernetes/proxy/resource.go). A socket can be
written to by its owner only, so the helper is the same."""
_LOCKED_DOWN: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsGroup": _USER,
    "runAsNonRoot": True,
    "runAsUser": _USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def socket_path(helper: str) -> str:
    """Where a helper listens, by its name in the settings."""
    return f"{SOCKETS}/{helper}/socket"


def helper_containers(gateway: BackendGateway) -> list[dict[str, Any]]:
    """The helpers as containers that start before Envoy and end after it (Kubernetes: "Sidecar Containers")."""
    return [
        {
            "name": _volume(name),
            "image": helper.image,
            **({} if helper.arguments is None else {"args": list(helper.arguments)}),
            "restartPolicy": "Always",
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
            "securityContext": _LOCKED_DOWN,
            "volumeMounts": [{"name": _volume(name), "mountPath": f"{SOCKETS}/{name}"}],
        }
        for name, helper in sorted((gateway.helpers or {}).items())
    ]


def helper_volumes(gateway: BackendGateway) -> list[dict[str, Any]]:
    """A folder for each helper, which only it and Envoy see."""
    return [
        {"name": _volume(name), "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
        for name in sorted(gateway.helpers or {})
    ]


def helper_mounts(gateway: BackendGateway) -> list[dict[str, Any]]:
    """Where Envoy finds them: it connects, and writes nothing there."""
    return [
        {"name": _volume(name), "mountPath": f"{SOCKETS}/{name}", "readOnly": True}
        for name in sorted(gateway.helpers or {})
    ]


def _volume(helper: str) -> str:
    return f"helper-{helper}"
