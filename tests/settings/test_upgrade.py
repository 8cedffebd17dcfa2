"""A second istiod during an upgrade: its version, and who moves to it."""

from typing import Any

import pytest

from tests.support import Values, changed, problems_of, setting, settings_of, told


def _with(canary: Values, **more: Any) -> Values:
    values = changed(setting("install.istio", {"version": "1.31.2", "canary": canary}))
    for path, value in more.items():
        values = changed(setting(path.replace("__", "."), value), values)
    return values


@pytest.mark.parametrize("version", ["1.31.2", "v1.31.2", "1.31.3", "1.32.0", "1.32.0-rc.1", "1.31.2+build.7"])
def test_a_canary_is_the_same_or_newer_by_one_minor_version(version: str) -> None:
    """An upgrade that Istio supports could not be declared; the last step needs both of one version."""
    assert problems_of(_with({"version": version, "namespaces": ["news"], "gateways": ["default"]})) == ()


@pytest.mark.parametrize("version", ["1.31.1", "1.30.9", "1.31.2-rc.0", "0.99.0"])
def test_an_older_canary_is_refused(version: str) -> None:
    """The typo in a version took half a mesh back."""
    assert told(_with({"version": version})) == [
        (
            "install.istio.canary.version",
            f"{version} is older than install.istio.version, 1.31.2, and whoever moves there would go back",
            "1.31.2 or newer; to undo an upgrade, take `canary` out",
        )
    ]


@pytest.mark.parametrize("version", ["1.33.0", "2.0.0", "2.32.0"])
def test_a_canary_two_minor_versions_ahead_is_refused(version: str) -> None:
    """Sidecars that were not restarted yet were more than a version behind, which Istio does not support."""
    assert told(_with({"version": version})) == [
        (
            "install.istio.canary.version",
            f"{version} is more than one minor version ahead of install.istio.version, 1.31.2, which Istio does not "
            "support",
            "a version 1.31.x or 1.32.x first",
        )
    ]


def test_a_canary_may_wait_for_its_first_namespace() -> None:
    """The second istiod could not be looked at before anybody depended on it."""
    canary = settings_of(_with({"version": "1.32.0"})).install.istio.canary
    assert canary is not None
    assert (canary.namespaces, canary.gateways) == (None, None)


@pytest.mark.parametrize("key", ["namespaces", "gateways"])
def test_an_empty_list_of_movers_is_refused(key: str) -> None:
    """Nobody could tell whether `[]` meant nobody or everybody."""
    ((path, wrong, _),) = told(_with({"version": "1.32.0", key: []}))
    assert (path, wrong) == (f"install.istio.canary.{key}", "is empty")


def test_movers_that_are_not_there_are_refused() -> None:
    """A misspelt namespace stayed behind, and lost its istiod when the first was taken away."""
    canary = {"version": "1.32.0", "namespaces": ["news", "shopp", "monitoring"], "gateways": ["partner", "default"]}
    gateways: Values = {"egress__mesh__gateways": {"partners": {"replicas": 3}}}
    assert told(_with(canary, **gateways)) == [
        (
            "install.istio.canary.gateways[0]",
            "there is no `partner` under egress.mesh.gateways",
            "did you mean `partners`?",
        ),
        (
            "install.istio.canary.namespaces[1]",
            "there is no client namespace `shopp` under cluster.namespaces",
            "did you mean `shop`?",
        ),
        (
            "install.istio.canary.namespaces[2]",
            "there is no client namespace `monitoring` under cluster.namespaces",
            "one of: news, shop",
        ),
    ]


def test_what_cannot_be_read_hides_no_mover_and_invents_none() -> None:
    """A typo in a role, or in a replica count, was reported as a gateway or namespace that is not there."""
    canary = {"version": "1.33.0", "namespaces": ["news", "gone"], "gateways": ["partners"]}
    found = told(
        _with(
            canary,
            cluster__namespaces__news__role="clients",
            egress__mesh__gateways={"partners": {"replicas": 1}},
        )
    )
    assert [path for path, _, _ in found] == [
        "cluster.namespaces.news.role",
        "egress.mesh.gateways.partners.replicas",
        "install.istio.canary.namespaces[1]",
        "install.istio.canary.version",
    ]


def test_a_canary_of_a_managed_mesh_is_refused() -> None:
    """A second istiod was declared where Alibaba Cloud runs the only one, and nothing came of it."""
    asm = {"flavour": "asm", "asm": {"context": "mesh", "clusterId": "c0123456789abcdef"}}
    assert (
        "install.istio.canary",
        "is about our own install of Istio, and the flavour `asm` has none",
        "leave it out",
    ) in told(_with({"version": "1.30.0", "namespaces": ["gone"]}, egress__mesh=asm))
