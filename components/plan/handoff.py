"""The stack output for firewall teams: a documented, versioned structure (docs/reference/handoff.md)."""

from collections.abc import Sequence
from typing import Any, Final

from components.plan.lockdown import backend_ports
from components.plan.objects import KubeObject
from components.settings import Settings
from components.settings.models import Answerable

VERSION: Final = 1
"""Raised when a reader of the old structure would misread the new one."""


def handoff(settings: Settings, *, stack: str, planned: Sequence[KubeObject]) -> dict[str, Any]:
    """What a firewall team needs: which addresses send, what they reach, who answers for it and until when.

    Args:
        settings: the declaration.
        stack: its name.
        planned: NetworkPolicies that `observe` holds back.
    """
    needs = backend_ports(settings)
    return {
        "version": VERSION,
        "stack": stack,
        "cluster": settings.cluster.name,
        "posture": settings.egress.posture,
        "sources": {"mode": settings.egress.addresses.mode, "cidrs": sorted(settings.egress.addresses.cidrs)},
        "destinations": [
            {
                "name": name,
                "hosts": sorted(destination.hosts),
                "cidrs": None if destination.cidrs is None else sorted(destination.cidrs),
                "ports": sorted(
                    ({"port": port.port, "protocol": port.protocol} for port in destination.ports.values()),
                    key=lambda port: port["port"],
                ),
                "clients": sorted(
                    f"{namespace}/{account}"
                    for namespace, client in destination.clients.items()
                    for account in client.service_accounts
                ),
                **_answerable(destination),
            }
            for name, destination in sorted(settings.destinations.items())
        ],
        "backends": [
            {
                "name": name,
                "hosts": sorted(e.fqdn for e in backend.endpoints if e.fqdn is not None),
                "cidrs": None if (cidrs := needs[name][0]) is None else sorted(cidrs),
                "ports": [{"port": port, "protocol": "HTTP"} for port in sorted(needs[name][1])],
                "offeredAs": sorted(backend.hostnames),
                **_answerable(backend),
            }
            for name, backend in sorted((settings.backends or {}).items())
        ],
        "planned": sorted(f"{item.kind} {item.namespace}/{item.name}" for item in planned),
    }


def _answerable(entry: Answerable) -> dict[str, str]:
    return {"owner": entry.owner, "ticket": entry.ticket, "expires": entry.expires.isoformat()}
