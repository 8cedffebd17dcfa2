"""Every key of what backends' Gateways tell, and to whom."""

from tests.support import Values


def observe_values(values: Values) -> None:
    """Write a Gateway whose access logs go everywhere they can."""
    gateways = values.setdefault("backendGateways", {"default": {"replicas": 2}})
    gateways["watched"] = {
        "helpers": {"logger": {"image": "registry.example.com/logger:1", "arguments": ["--quiet"]}},
        "accessLog": {
            "stdout": False,
            "collector": {"namespace": "monitoring", "service": "logs", "port": 4320, "podPort": 4321},
            "socket": "logger",
        },
    }
