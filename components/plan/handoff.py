"""The stack output for firewall teams: a documented, versioned structure (docs/reference/handoff.md)."""

from collections.abc import Sequence
from typing import Any, Final

from components.plan import network_needs
from components.plan.egress_gateway import addresses_of, direct_namespaces, gateways_of
from components.plan.objects import KubeObject
from components.settings import Settings
from components.settings.destinations import Destination, DestinationPort
from components.settings.types import Answerable

VERSION: Final = 1
"""Raised when a reader of the old structure would misread the new one."""


def handoff(settings: Settings, *, stack: str, planned: Sequence[KubeObject]) -> dict[str, Any]:
    """What a firewall team needs: which addresses send, what they reach, who answers for it and until when.

    Args:
        settings: the declaration.
        stack: its name.
        planned: NetworkPolicies that `observe` holds back.
    """
    needs = network_needs.of_backends(settings)
    main = addresses_of(settings, settings.egress.mesh.gateway)
    return {
        "version": VERSION,
        "stack": stack,
        "cluster": settings.cluster.name,
        "posture": settings.egress.posture,
        "sources": {"mode": main.mode, "cidrs": sorted(main.cidrs)},
        "gateways": [
            {"name": name, "cidrs": sorted(addresses_of(settings, gateway).cidrs)}
            for name, gateway in gateways_of(settings).items()
            if name is not None
        ],
        "destinations": [
            _destination(settings, name, destination) for name, destination in sorted(settings.destinations.items())
        ],
        "backends": [
            {
                "name": name,
                "hosts": sorted(needs[name].hosts),
                "cidrs": None if (cidrs := needs[name].cidrs) is None else sorted(cidrs),
                "ports": [{"port": port, "protocol": "HTTP"} for port in sorted(needs[name].ports)],
                "offeredAs": sorted(backend.hostnames or ()),
                **_answerable(backend),
            }
            for name, backend in sorted((settings.backends or {}).items())
        ],
        "fetched": [
            {
                "name": name,
                "hosts": sorted(need.hosts),
                "cidrs": None if need.cidrs is None else sorted(need.cidrs),
                "ports": [{"port": port, "protocol": "TLS"} for port in sorted(need.ports)],
            }
            for name, need in sorted(network_needs.of_issuers(settings).items())
        ],
        "planned": sorted(f"{item.kind} {item.namespace}/{item.name}" for item in planned),
    }


def _answerable(entry: Answerable) -> dict[str, str]:
    return {"owner": entry.owner, "ticket": entry.ticket, "expires": entry.expires.isoformat()}


def _destination(settings: Settings, name: str, destination: Destination) -> dict[str, Any]:
    need = network_needs.of_destination(destination)
    direct = direct_namespaces(settings)
    through = {namespace: client for namespace, client in destination.clients.items() if namespace not in direct}
    return {
        "name": name,
        "gateway": destination.gateway,
        "hosts": sorted(destination.hosts),
        "cidrs": None if need.cidrs is None else sorted(need.cidrs),
        "ports": [
            {"port": number, "protocol": protocol}
            for number, protocol in sorted({(port.port, _seen(port)) for port in destination.ports.values()})
        ],
        "clients": sorted(
            f"{namespace}/{account}"
            for namespace, client in through.items()
            for account in client.service_accounts or ("*",)
        ),
        "withoutGateway": sorted(namespace for namespace in destination.clients if namespace in direct),
        **_answerable(destination),
    }


def _seen(port: DestinationPort) -> str:
    """The protocol as a firewall outside sees it."""
    return port.protocol if port.tls is None else "TLS"
