"""Does a second istiod fit what is there: its version beside the first one's, and who moves to it?"""

import re
from collections.abc import Iterator
from typing import Final

from components.settings.install import Canary
from components.settings.parts import Parts
from components.settings.problems import Path, did_you_mean
from components.settings.reserved import DEFAULT_GATEWAY

_Found = Iterator[tuple[Path, str, str]]
_CANARY: Final[Path] = ("install", "istio", "canary")


def check(parts: Parts) -> _Found:
    """Every problem of `install.istio.canary`."""
    if parts.canary is None:
        return
    if parts.flavour == "asm":
        yield _CANARY, "is about our own install of Istio, and the flavour `asm` has none", "leave it out"
        return
    if parts.istio_version is not None:
        yield from _versions(parts.istio_version, parts.canary.version)
    yield from _movers(parts, parts.canary)


def _versions(first: str, second: str) -> _Found:
    """Istio supports proxies of one minor version less than istiod's, not more (istio.io, "Supported Releases")."""
    path: Path = (*_CANARY, "version")
    (major, minor, *_), (other_major, other_minor, *_) = _ordered(first), _ordered(second)
    if _ordered(second) < _ordered(first):
        yield (
            path,
            f"{second} is older than install.istio.version, {first}, and whoever moves there would go back",
            f"{first} or newer; to undo an upgrade, take `canary` out",
        )
    elif major != other_major or other_minor > minor + 1:
        yield (
            path,
            f"{second} is more than one minor version ahead of install.istio.version, {first}, which Istio does not "
            "support",
            f"a version {major}.{minor}.x or {major}.{minor + 1}.x first",
        )


def _ordered(version: str) -> tuple[int, int, int, bool]:
    """What orders versions; a release comes after its own candidates."""
    numbers = [int(number) for number in re.findall(r"\d+", version)[:3]]
    return numbers[0], numbers[1], numbers[2], "-" not in version


def _movers(parts: Parts, canary: Canary) -> _Found:
    """Namespaces and gateways that move must be there; what could not be read is reported in its own place."""
    clients = None
    if parts.namespaces is not None:
        clients = {name for name, role in parts.namespaces.items() if role != "platform"}
    gateways = None if parts.gateways is None else {DEFAULT_GATEWAY, *parts.gateways}
    for key, asked, known, what in (
        ("namespaces", canary.namespaces, clients, "client namespace `{}` under cluster.namespaces"),
        ("gateways", canary.gateways, gateways, "`{}` under egress.mesh.gateways"),
    ):
        for index, name in enumerate(asked or ()):
            if key == "gateways" and _gateway_path(name) in parts.on_node_network:
                yield (
                    (*_CANARY, key, index),
                    "has `hostNetwork`, so the first istiod deploys it, and it moves with that",
                    "leave it out",
                )
            if known is not None and name not in known:
                yield (*_CANARY, key, index), f"there is no {what.format(name)}", did_you_mean(name, known)


def _gateway_path(name: str) -> Path:
    return ("egress", "mesh", "gateway") if name == DEFAULT_GATEWAY else ("egress", "mesh", "gateways", name)
