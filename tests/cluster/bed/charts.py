"""The real charts, from the modules of the programs that they install, as their publishers would release them."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from cli.plain_data import is_map
from tests.cluster.toolchains import module_file, version_of

UPSTREAM_ENVOY: Final[Mapping[str, Any]] = {
    # Envoy's own release has no Istio filters (istio.stats, istio.alpn, metadata exchange): istiod must not ask.
    "env": {"PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false"},
    "telemetry": {"v2": {"prometheus": {"enabled": False}}},
}
"""The defaults of istiod's chart that are other here. What the stack asks for goes on top, unchanged."""
_DEFAULTS: Final = "_internal_defaults_do_not_set"


@dataclass(frozen=True, kw_only=True)
class Charts:
    """A folder each."""

    base: Path
    istiod: Path
    gateway: Path
    envoy_gateway: Path
    older_envoy_gateway: Path
    """What is upgraded from."""


def prepare(folder: Path, authority: str) -> Charts:
    """Copy the charts, and fill in what a release fills in: versions, images, default values.

    Args:
        folder: where to; it does not exist yet.
        authority: who signs the certificates of the hosts outside, as PEM; istiod fetches keys from one.
    """
    istio = "manifests/charts"
    return Charts(
        base=_copied("pilot-discovery", f"{istio}/base", folder / "base"),
        istiod=_istiod(
            _copied("pilot-discovery", f"{istio}/istio-control/istio-discovery", folder / "istiod"), authority
        ),
        gateway=_copied("pilot-discovery", f"{istio}/gateway", folder / "gateway"),
        envoy_gateway=_envoy_gateway("envoy-gateway", folder),
        older_envoy_gateway=_envoy_gateway("envoy-gateway-older", folder),
    )


def _copied(program: str, path: str, target: Path) -> Path:
    shutil.copytree(module_file(program, path), target)
    return target


def _istiod(chart: Path, authority: str) -> Path:
    path = chart / "values.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    _merge(values[_DEFAULTS], {**UPSTREAM_ENVOY, "jwksResolverExtraRootCA": authority})
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return chart


def _envoy_gateway(program: str, folder: Path) -> Path:
    version = version_of(program)
    chart = _copied(program, "charts/gateway-helm", folder / f"gateway-helm-{version}")
    filled = {"GatewayImage": f"docker.io/envoyproxy/gateway:{version}", "GatewayImagePullPolicy": "IfNotPresent"}
    template = (chart / "values.tmpl.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+)\}", lambda found: filled[found[1]], template)
    (chart / "values.yaml").write_text(text, encoding="utf-8")
    return chart


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if is_map(value) and is_map(into.get(key)):
            _merge(into[key], value)
        else:
            into[key] = value
