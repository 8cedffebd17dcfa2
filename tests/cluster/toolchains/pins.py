"""What each toolchain pins: its programs, their version, and what else of the module tests need."""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_TOOL: Final = re.compile(r"^(?:tool )?\s*(?P<package>[\w.]+\.[a-z]+/\S+)(?: // (?P<name>[\w-]+))?$")


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """A folder here with `go.mod` and `go.sum`."""

    name: str
    module: str
    """The module whose programs these are."""
    stamps: tuple[str, ...] = ()
    """Variables that hold the version: other programs ask for it. `{version}` stands for it."""
    files: tuple[str, ...] = ()
    """Files and folders of the module that tests need beside the programs."""
    tags: tuple[str, ...] = ()
    """Build tags that leave out what tests do not need."""

    @property
    def folder(self) -> Path:
        """Where `go.mod` stands."""
        return _HERE / self.name

    @cached_property
    def programs(self) -> dict[str, str]:
        """Package by program, from the `tool` directives. A comment names what the package's path does not."""
        lines = self._lines()
        inside = lines[lines.index("tool (") + 1 :] if "tool (" in lines else []
        listed = inside[: inside.index(")")] if inside else [line for line in lines if line.startswith("tool ")]
        found = [match for line in listed if (match := _TOOL.match(line)) is not None]
        return {match["name"] or match["package"].rpartition("/")[2]: match["package"] for match in found}

    @cached_property
    def version(self) -> str:
        """The module's version."""
        required = (line.removeprefix("require ").split() for line in self._lines())
        return next(words[1] for words in required if len(words) > 1 and words[0] == self.module)

    @cached_property
    def digest(self) -> str:
        """Changes with whatever changes the programs."""
        parts = [(self.folder / file).read_bytes() for file in ("go.mod", "go.sum")]
        parts += [repr((self.stamps, self.files)).encode(), *(tag.encode() for tag in self.tags)]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    @cached_property
    def linker_flags(self) -> str:
        """For `-ldflags`: no debug information, and the version where it is asked for."""
        return " ".join(["-s -w", *(f"-X {stamp.format(version=self.version)}" for stamp in self.stamps)])

    def _lines(self) -> list[str]:
        return (self.folder / "go.mod").read_text(encoding="utf-8").splitlines()


_CHARTS: Final = "manifests/charts"

TOOLCHAINS: Final = (
    Toolchain(name="etcd", module="go.etcd.io/etcd/server/v3"),
    Toolchain(
        name="kubernetes",
        module="k8s.io/kubernetes",
        # Helm reads the API server's version before it renders a chart.
        stamps=("k8s.io/component-base/version.gitVersion={version}",),
    ),
    Toolchain(
        name="istio",
        module="istio.io/istio",
        files=(
            f"{_CHARTS}/base",
            f"{_CHARTS}/gateway",
            f"{_CHARTS}/istio-control/istio-discovery",
            "tools/packaging/common/envoy_bootstrap.json",
        ),
    ),
    Toolchain(name="envoy-gateway", module="github.com/envoyproxy/gateway", files=("charts/gateway-helm",)),
    # The version that Envoy Gateway is built with.
    Toolchain(name="ratelimit", module="github.com/envoyproxy/ratelimit"),
    # What is upgraded from: its CRDs differ, and Gateway API's as well.
    Toolchain(name="envoy-gateway-older", module="github.com/envoyproxy/gateway", files=("charts/gateway-helm",)),
    Toolchain(name="kwok", module="sigs.k8s.io/kwok", files=("kustomize/stage",)),
    Toolchain(name="helm", module="helm.sh/helm/v3"),
    Toolchain(name="coredns", module="github.com/coredns/coredns"),
    Toolchain(name="cyclonus", module="github.com/mattfenwick/cyclonus"),
    # Without the clients of every cloud, in which Prometheus can look for what to scrape.
    Toolchain(name="prometheus", module="github.com/prometheus/prometheus", tags=("remove_all_sd",)),
)
"""Every toolchain."""
