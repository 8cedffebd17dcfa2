"""Can the egress nodes pull the images of what runs on them? They reach what is declared, and the cloud's services."""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import TypeAdapter, ValidationError

from components.settings.cloud.reading import NODES
from components.settings.parts import Parts
from components.settings.plain import at, is_map
from components.settings.problems import Found, Path
from components.settings.types import Host, Items, Port

_HTTPS: Final = 443
_UNNAMED: Final = "docker.io"
"""Where an image is that names no registry (github.com/distribution/reference, `ParseNormalizedNamed`)."""
_CLOUD_SERVICE: Final = re.compile(
    r"registry-vpc\.[a-z0-9-]+\.aliyuncs\.com|registry-[a-z0-9-]+-vpc\.ack\.aliyuncs\.com"
)
"""Registries that are cloud services, by their name in a VPC. One of Container Registry's Enterprise Edition is not
among them: it has an address of the VPC's own, which is declared as a fetch."""


def check(parts: Parts) -> Found:
    """Every image that no egress node could pull."""
    for path, what, registry in _images(parts):
        if registry is None:
            yield (
                path,
                f"is missing: {what} would come from the internet, and the egress nodes reach there what is declared",
                "a registry in the VPC, or one that egress.nodes.fetches names",
            )
        elif not _CLOUD_SERVICE.fullmatch(registry) and not _is_fetched(parts, registry):
            yield (
                path,
                f"has {what} come from {registry}, which no egress node reaches",
                f"a registry by its name in the VPC, or an entry for {registry} at egress.nodes.fetches",
            )


def _images(parts: Parts) -> Iterator[tuple[Path, str, str | None]]:
    """What runs on egress nodes: where its registry is set, what it is, and the registry, where one is set."""
    on_egress = [name for name, each in parts.backend_gateways.items() if each is not None and each.nodes == "egress"]
    if parts.flavour != "asm":
        yield _set_at(parts, "istio", "the gateways' image")
    if parts.backend_names and on_egress:
        yield _set_at(parts, "envoyGateway", "the proxies' image")
    for name in on_egress if parts.backend_names else ():
        gateway = parts.backend_gateways[name]
        for helper, each in ((None if gateway is None else gateway.helpers) or {}).items():
            first, slash, _ = each.image.partition("/")
            registry = first if slash and re.search("[.:]", first) else _UNNAMED
            yield ("backendGateways", name, "helpers", helper, "image"), "it", registry


def _set_at(parts: Parts, chart: str, what: str) -> tuple[Path, str, str | None]:
    path = ("install", chart, "imageRegistry")
    registry = at(parts.plain, *path)
    return path, what, registry.partition("/")[0] if isinstance(registry, str) else None


def _is_fetched(parts: Parts, registry: str) -> bool:
    """Registries answer under names below their own, too: images of docker.io come from a host in that zone.

    What cannot be read is told elsewhere, and might be it.
    """
    name, _, port = registry.partition(":")
    fetches = at(parts.plain, *NODES, "fetches")
    for fetch in fetches.values() if is_map(fetches) else ():
        try:
            hosts = TypeAdapter(Items[Host]).validate_python(at(fetch, "hosts"))
            fetched_port = TypeAdapter(Port).validate_python(at(fetch, "port") or _HTTPS, strict=True)
        except ValidationError:
            return True
        is_there = any(host == name or host.endswith(f".{name}") for host in hosts)
        if is_there and f"{fetched_port}" == (port or f"{_HTTPS}"):
            return True
    return fetches is not None and not is_map(fetches)
