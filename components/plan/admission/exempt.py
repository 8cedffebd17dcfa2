"""Kubernetes' own controllers, which write the addresses of pods and clean up."""

from typing import Final

from components.plan.admission import cel

_CONTROLLERS: Final = (
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "generic-garbage-collector",
    "namespace-controller",
)
"""The service accounts of those that write the addresses of pods, or clean up (cmd/kube-controller-manager)."""
_KUBERNETES_USERS: Final = (
    "system:apiserver",
    "system:kube-controller-manager",
    *(f"system:serviceaccount:kube-system:{name}" for name in _CONTROLLERS),
)
KUBERNETES: Final = f"request.userInfo.username in {cel.texts(_KUBERNETES_USERS)}"
"""Kubernetes' own controllers, with and without a service account each."""
OF_PODS: Final = "request.resource.resource in ['endpoints', 'endpointslices']"
"""What they write: where pods are."""
