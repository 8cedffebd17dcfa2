"""The cluster and its namespaces."""

from typing import Any

import pytest

from tests.support import changed, problems_of, setting, settings_of, told


@pytest.mark.parametrize("role", ["client", "platform"])
def test_roles_are_taken(role: str) -> None:
    """A namespace could not be declared with a role that the reference names."""
    assert problems_of(changed(setting("cluster.namespaces.extra", {"role": role}))) == ()


@pytest.mark.parametrize(
    ("namespace", "problem"),
    [
        ({"role": "clinet"}, (".role", '"clinet" is not known here', "did you mean `client`?")),
        ({"role": "admin"}, (".role", '"admin" is not known here', "one of: client, platform")),
        ({"role": None}, (".role", "null is not known here", "one of: client, platform")),
        (
            {},
            (
                ".role",
                "is missing",
                "add `role:`: `client`: its pods get a sidecar, and reach out only as declared. `platform`: known, "
                "but not governed.",
            ),
        ),
        ({"role": "client", "rolle": 1}, (".rolle", "unknown key `rolle`", "did you mean `role`?")),
        (None, ("", "nothing is written here", "a map: `name: value` lines, indented")),
    ],
)
def test_bad_namespaces_are_refused(namespace: Any, problem: tuple[str, str, str]) -> None:
    """A namespace with a misspelt role was open, because nobody governed it."""
    below, wrong, instead = problem
    found = told(changed(setting("cluster.namespaces.extra", namespace)))
    assert found == [(f"cluster.namespaces.extra{below}", wrong, instead)]


def test_the_context_is_optional() -> None:
    """A stack without a context was refused, or one with it not read."""
    assert settings_of(changed(lambda _: None)).cluster.context is None
    assert settings_of(changed(setting("cluster.context", "kind-dev"))).cluster.context == "kind-dev"


def test_the_resolver_on_the_node_has_kubernetes_default() -> None:
    """Clients lost DNS where NodeLocal DNSCache listens where it always does."""
    assert settings_of(changed(lambda _: None)).cluster.node_local_dns == "169.254.20.10"


@pytest.mark.parametrize("name", ["kube-system", "kube-public", "kube-node-lease"])
def test_kubernetes_own_namespaces_are_no_clients(name: str) -> None:
    """Locked down, kube-system took the whole cluster's DNS with it."""
    assert told(changed(setting(f"cluster.namespaces.{name}", {"role": "client"}))) == [
        (
            f"cluster.namespaces.{name}.role",
            f"namespace `{name}` is Kubernetes' own: locked down, it would cut the whole cluster's DNS",
            "`platform`, or leave the namespace out",
        )
    ]
