"""What stands for the images that pods ask for: programs of this machine, at the paths that the images have them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc

from tests.cluster.bed.valkey import valkey_program
from tests.cluster.toolchains import module_file, tool, version_of

_BIN: Final = "/usr/local/bin"
_AUTHORIZER: Final = Path(__file__).parent.parent / "authorizer_server.py"
_PYTHON: Final = "/opt/python"
_PACKAGES: Final = "/opt/packages"
_ENVOY_GATEWAYS: Final = {version_of(program): program for program in ("envoy-gateway", "envoy-gateway-older")}
"""Program by the tag of its image."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a container sees of its image."""

    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    """File of this machine by path in the container."""
    entrypoint: tuple[str, ...] = ()
    user: int = 0


def image(name: str, envoy: Path) -> Image:
    """What stands for an image.

    Args:
        name: as a pod names it, such as `docker.io/istio/proxyv2:1.31.0`.
        envoy: the real Envoy.

    Raises:
        LookupError: nothing does.
    """
    short, _, tag = name.rpartition("/")[2].partition("@")[0].partition(":")
    if short == "gateway" and tag not in _ENVOY_GATEWAYS:
        raise LookupError(f"the bed has {', '.join(_ENVOY_GATEWAYS)} of Envoy Gateway, and not {name}")
    images = {
        "pilot": _program("pilot-discovery", user=1337),
        "proxyv2": Image(
            files={
                f"{_BIN}/pilot-agent": _tool("pilot-agent"),
                f"{_BIN}/envoy": envoy,
                "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": module_file(
                    "pilot-agent", "tools/packaging/common/envoy_bootstrap.json"
                ),
            },
            entrypoint=(f"{_BIN}/pilot-agent",),
        ),
        "gateway": Image(
            files={f"{_BIN}/envoy-gateway": _tool(_ENVOY_GATEWAYS.get(tag, "envoy-gateway"))},
            entrypoint=(f"{_BIN}/envoy-gateway",),
            user=65532,
        ),
        "envoy": Image(files={f"{_BIN}/envoy": envoy}, entrypoint=(f"{_BIN}/envoy",), user=65532),
        "coredns": _program("coredns", user=65532),
        "ratelimit": Image(files={"/bin/ratelimit": _tool("ratelimit")}, entrypoint=("/bin/ratelimit",), user=65532),
        "valkey": Image(
            files={f"{_BIN}/valkey-server": valkey_program()}, entrypoint=(f"{_BIN}/valkey-server",), user=999
        ),
        "authorizer": Image(
            files={
                _PYTHON: Path(sys.base_prefix),
                _PACKAGES: Path(grpc.__file__).parent.parent,
                "/opt/authorizer_server.py": _AUTHORIZER,
            },
            entrypoint=(
                "/usr/bin/env",
                f"PYTHONPATH={_PACKAGES}",
                f"{_PYTHON}/bin/python3",
                "/opt/authorizer_server.py",
            ),
        ),
        "sleep": Image(entrypoint=("/usr/bin/sleep", "infinity")),
    }
    if short not in images:
        raise LookupError(f"the bed has no program for the image {name}")
    return images[short]


def _program(name: str, *, user: int) -> Image:
    return Image(files={f"{_BIN}/{name}": _tool(name)}, entrypoint=(f"{_BIN}/{name}",), user=user)


def _tool(name: str) -> Path:
    return tool(name, build=False)
