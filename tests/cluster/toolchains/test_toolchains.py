"""Programs that tests build for themselves: what is used, and what is said, where Go is missing."""

from pathlib import Path

import pytest

from tests.cluster.toolchains import ToolchainMissing, module_file, names, tool, version_of
from tests.cluster.toolchains.pins import TOOLCHAINS

ENVOY_GATEWAY = next(toolchain for toolchain in TOOLCHAINS if toolchain.name == "envoy-gateway")


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, on a machine without Go."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cluster-egress" / "toolchains"


def test_without_go_it_says_what_is_missing(cache: Path) -> None:
    """Guards against a test that passes because it could not run."""
    stale = cache / "envoy-gateway-0000000000000000-go1.26.0" / "egctl"
    stale.parent.mkdir(parents=True)
    stale.touch()
    with pytest.raises(ToolchainMissing, match=r"`go` is not on PATH and .* has no egctl of the pinned version"):
        tool("egctl")


def test_without_go_a_program_of_the_pinned_version_is_used(cache: Path) -> None:
    """Guards against needing a compiler for what is built already."""
    built = cache / f"envoy-gateway-{ENVOY_GATEWAY.digest}-go1.26.0" / "egctl"
    built.parent.mkdir(parents=True)
    built.touch()
    assert tool("egctl") == built
    assert module_file("egctl", "charts") == built.parent / "files" / "charts"


def test_the_version_is_the_one_of_the_module() -> None:
    """Guards against a page that names the version of another module."""
    text = (ENVOY_GATEWAY.folder / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/envoyproxy/gateway {version_of('egctl')}" in text
    assert version_of("egctl").startswith("v1.")


def test_the_rate_limiter_is_the_one_that_envoy_gateway_is_built_with() -> None:
    """Guards against a newer Envoy Gateway whose configuration an old rate limiter reads otherwise."""
    required = (ENVOY_GATEWAY.folder / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/envoyproxy/ratelimit {version_of('ratelimit')} " in required


def test_every_program_of_a_cluster_is_there() -> None:
    """Guards against `tool` directives that are read wrongly: one of several, a block, a name in a comment."""
    assert {
        "etcd",
        "helm",
        "kube-apiserver",
        "kubectl",
        "istioctl",
        "pilot-agent",
        "egctl",
        "envoy-gateway",
        "ratelimit",
    } <= set(names())


@pytest.mark.parametrize("toolchain", TOOLCHAINS, ids=lambda toolchain: toolchain.name)
def test_every_toolchain_pins_all_that_goes_into_it(toolchain: object) -> None:
    """Guards against a program that is another one tomorrow."""
    assert isinstance(toolchain, type(ENVOY_GATEWAY))
    sums = (toolchain.folder / "go.sum").read_text(encoding="utf-8")
    assert f"{toolchain.module} {toolchain.version} h1:" in sums
