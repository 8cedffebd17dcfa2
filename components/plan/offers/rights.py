"""What platform subjects may write by hand in Envoy Gateway's namespace.

RBAC only adds up: this gives, and takes from nobody. What takes is the admission policy (`components.plan.admission`).
"""

from typing import Final

from components.plan.names import kube_name
from components.plan.objects import Holder, Rights
from components.plan.offers.listeners import CLASS
from components.settings import Settings
from policy.approvals import Approvals

_VERBS: Final = ("create", "delete", "get", "list", "patch", "update", "watch")
_WRITTEN: Final = {
    "gateway.envoyproxy.io": (
        "backends",
        "backendtrafficpolicies",
        "clienttrafficpolicies",
        "envoyproxies",
        "httproutefilters",
        "securitypolicies",
    ),
    "gateway.networking.k8s.io": (
        "backendtlspolicies",
        "gateways",
        "grpcroutes",
        "httproutes",
        "tcproutes",
        "tlsroutes",
    ),
}
"""What backends are made of. Neither EnvoyPatchPolicy nor EnvoyExtensionPolicy: nothing of ours needs code in Envoy."""


def rights(settings: Settings, approvals: Approvals) -> Rights:
    """A role for exactly the platform subjects of the approvals."""
    return Rights(
        name=kube_name(CLASS, "backends"),
        namespace=settings.install.envoy_gateway.namespace,
        verbs=_VERBS,
        resources=_WRITTEN,
        holders=tuple(
            Holder(kind=each.kind, name=each.name, namespace=each.namespace)
            for _, each in sorted(approvals.platform_subjects.items())
        ),
    )
