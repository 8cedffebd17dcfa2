"""Does what Gateways of backends tell reach somebody?"""

from components.settings.parts import TRACING, Parts
from components.settings.problems import Found, did_you_mean


def check(parts: Parts) -> Found:
    """A Gateway's access log goes to a helper that it has, and Envoy Gateway reads declared namespaces only."""
    yield from _collectors(parts)
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


def _collectors(parts: Parts) -> Found:
    """Envoy Gateway watches the namespaces of collectors, with their Secrets; a slip of the pen would be one more."""
    if parts.namespaces is None or not parts.backend_names:
        return
    for path, namespace in parts.observers.items():
        is_read = path[0] == "backendGateways" or (path == TRACING and parts.flavour != "asm")
        if is_read and namespace not in {*parts.namespaces, *parts.own_namespaces.values()}:
            yield (
                path,
                f"namespace `{namespace}` is not under cluster.namespaces, and Envoy Gateway would read it",
                did_you_mean(namespace, parts.namespaces),
            )
