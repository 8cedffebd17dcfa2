"""Where charts and images come from, and which addresses others are asked to let in."""

import ipaddress
from collections.abc import Iterator

from pydantic.alias_generators import to_camel

from components.settings import Settings
from components.settings.cloud.addresses import ExistingAddresses
from components.settings.install import EnvoyGateway, Istio
from components.settings.problems import Found, Path
from policy.approvals import Approvals
from policy.facts.addresses import is_wide


def check(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """Every source that nobody approved, or that nobody could answer for."""
    yield from _charts_and_images(settings, approvals, approvals_file)
    yield from _too_wide(settings)


def _charts_and_images(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """A chart may hold any object, also one that opens what this declaration shuts; a helper sees every request."""
    granted = {source for grant in approvals.chart_sources.values() for source in grant.sources}
    for path, source in _from_elsewhere(settings):
        if source not in granted:
            yield (
                path,
                f"{source} is not where its publisher puts it, and no approval covers it",
                f"leave it out, or have it added to chartSources in {approvals_file}",
            )
    for gateway, declared in (settings.backend_gateways or {}).items():
        for name, helper in (declared.helpers or {}).items():
            if helper.image not in granted:
                yield (
                    ("backendGateways", gateway, "helpers", name, "image"),
                    f"{helper.image} would run beside the proxies, and no approval covers it",
                    f"leave the helper out, or have its image added to chartSources in {approvals_file}",
                )


def _from_elsewhere(settings: Settings) -> Iterator[tuple[Path, str]]:
    for key, asked, default in (
        ("istio", settings.install.istio, Istio()),
        ("envoyGateway", settings.install.envoy_gateway, EnvoyGateway()),
    ):
        for name in ("base", "istiod", "gateway", "cni", "ztunnel", "chart", "image_registry"):
            source = getattr(asked, name, None)
            if source is not None and source != getattr(default, name):
                yield ("install", key, to_camel(name)), source


def _too_wide(settings: Settings) -> Found:
    """What the firewall team is asked to let in as a source."""
    mesh: Path = ("egress", "mesh")
    ours = settings.egress.addresses
    asked: dict[Path, ExistingAddresses | None] = {
        ("egress", "addresses"): ours if isinstance(ours, ExistingAddresses) else None,
        (*mesh, "gateway", "addresses"): settings.egress.mesh.gateway.addresses,
        **{
            (*mesh, "gateways", name, "addresses"): gateway.addresses
            for name, gateway in (settings.egress.mesh.gateways or {}).items()
        },
        **{
            ("backendGateways", name, "addresses"): gateway.addresses
            for name, gateway in (settings.backend_gateways or {}).items()
        },
    }
    for path, addresses in asked.items():
        if addresses is not None and is_wide(ipaddress.ip_network(cidr) for cidr in addresses.cidrs):
            yield (*path, "cidrs"), "is too wide for a source that others let in", "the real addresses"
