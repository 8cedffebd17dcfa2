"""Does what Gateways of backends tell reach somebody?"""

from components.settings.parts import Parts
from components.settings.problems import Found, did_you_mean


def check(parts: Parts) -> Found:
    """A Gateway's access log goes to a helper that it has."""
    for name, gateway in parts.backend_gateways.items():
        if gateway is None:
            continue
        helper = gateway.access_log.socket
        if helper is not None and helper not in (gateway.helpers or {}):
            yield (
                ("backendGateways", name, "accessLog", "socket"),
                f"there is no `{helper}` under the Gateway's helpers",
                did_you_mean(helper, gateway.helpers or {}),
            )
