"""The addresses of the bed: those that the approvals of the stack call the cluster's own."""

from typing import Final

POD_RANGE: Final = "10.244.0.0/16"
SERVICE_RANGE: Final = "10.96.0.0/12"
API_SERVICE: Final = "10.96.0.1"
"""The first address of the range: Kubernetes gives it to its own API."""
DNS_SERVICE: Final = "10.96.0.10"
API_SERVER: Final = "192.168.0.10"
API_PORT: Final = 6443
API_URL: Final = f"https://{API_SERVER}:{API_PORT}"


def node_address(number: int) -> str:
    """The address of a node; numbers begin at 0."""
    return f"192.168.0.{20 + number}"
