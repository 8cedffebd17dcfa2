"""The way out: posture, nodes, addresses, mesh."""

from typing import Any

import pytest

from tests.support import changed, problems_of, setting, settings_of, told

_KEY = "for example `node-role.example.com/egress`"
_VALUE = "1 to 63 of A-Z, a-z, 0-9, `-`, `_` and `.`, for example `egress`"


@pytest.mark.parametrize(
    ("path", "value", "wrong", "instead"),
    [
        ("posture", "enforced", '"enforced" is not known here', "did you mean `enforce`?"),
        ("posture", "off", '"off" is not known here', "one of: enforce, observe"),
        ("posture", True, "true is not known here", "one of: enforce, observe"),
        ("nodes.mode", "own", '"own" is not known here', "one of: dedicated, existing"),
        ("addresses.mode", "nats", '"nats" is not known here', "did you mean `nat`?"),
        ("addresses.mode", "eip", '"eip" is not known here', "one of: existing, host-network, nat, pod-vswitches"),
        ("mesh.flavour", "istio", '"istio" is not known here', "did you mean `istio-api`?"),
        ("mesh.flavour", "cilium", '"cilium" is not known here', "one of: asm, gateway-api, istio-api"),
        ("nodes.labels", {}, "is empty", "at least one entry; empty never means `anything`"),
        ("nodes.taints", {}, "is empty", "at least one entry; empty never means `anything`"),
        ("addresses.cidrs", [], "is empty", "at least one entry; empty never means `anything`"),
        ("mesh.gateway", {}, "nothing is written here", "a value, or leave the key out"),
        ("mesh.gateway", {"replicas": 1}, "1 is too small", "2 or more"),
        ("mesh.gateway", {"replicas": 51}, "51 is too large", "50 or fewer"),
        ("nodes.labels", {"role": "a b"}, '"a b" is not the value of a label or taint', _VALUE),
        ("nodes.labels", {"role": "x" * 64}, f'"{"x" * 58}… is not the value of a label or taint', _VALUE),
        ("nodes.labels", {"a b": "x"}, '"a b" is not the key of a label or taint', _KEY),
        ("nodes.labels", {"/role": "x"}, '"/role" is not the key of a label or taint', _KEY),
        ("nodes.labels", {"A.com/role": "x"}, '"A.com/role" is not the key of a label or taint', _KEY),
        ("nodes.taints", {"role-": {"effect": "NoExecute"}}, '"role-" is not the key of a label or taint', _KEY),
    ],
)
def test_bad_settings_of_the_way_out_are_refused(path: str, value: Any, wrong: str, instead: str) -> None:
    """The gateway ran on other nodes, or under another posture, than the operator believed."""
    ((where, what, example),) = told(changed(setting(f"egress.{path}", value)))
    assert where.startswith(f"egress.{path}")
    assert (what, example) == (wrong, instead)


def test_a_taint_without_a_value_is_not_one_with_an_empty_value() -> None:
    """`value:` with nothing behind it became a toleration of any value."""
    found = told(changed(setting("egress.nodes.taints.dedicated.value", None)))
    path = "egress.nodes.taints.dedicated.value"
    assert found == [(path, "nothing is written here", "a value, or leave the key out")]
    values = changed(lambda all_values: all_values["egress"]["nodes"]["taints"]["dedicated"].pop("value"))
    assert settings_of(values).egress.nodes.taints["dedicated"].value is None


@pytest.mark.parametrize("effect", ["NoSchedule", "NoExecute", "PreferNoSchedule"])
def test_effects_of_taints_are_taken(effect: str) -> None:
    """A taint that Kubernetes knows could not be declared."""
    assert problems_of(changed(setting("egress.nodes.taints.dedicated.effect", effect))) == ()


@pytest.mark.parametrize("domain", ["cluster.local", "mesh.example.com"])
def test_trust_domains_are_taken(domain: str) -> None:
    """The default could not be written out."""
    assert settings_of(changed(setting("egress.mesh.trustDomain", domain))).egress.mesh.trust_domain == domain


@pytest.mark.parametrize("domain", ["Cluster.local", "a/b", "", None])
def test_bad_trust_domains_are_refused_in_their_place(domain: str | None) -> None:
    """The report spoke of `trustDomain.function-after[...]`, which stands in no file."""
    ((path, _, instead),) = told(changed(setting("egress.mesh.trustDomain", domain)))
    assert path == "egress.mesh.trustDomain"
    assert instead


_CLASH = "a namespace of its own"
_OURS = {
    "egress.mesh.gateway.namespace": "istio-egress",
    "install.istio.namespace": "istio-system",
    "install.envoyGateway.namespace": "envoy-gateway-system",
}


@pytest.mark.parametrize("path", _OURS)
@pytest.mark.parametrize("namespace", ["news", "monitoring"])
def test_our_namespaces_are_none_of_the_declared_ones(path: str, namespace: str) -> None:
    """A destroy of the stack deleted a namespace that was there before it."""
    found = told(changed(setting(path, namespace)))
    assert found == [(path, f"namespace `{namespace}` is under cluster.namespaces already", _CLASH)]


@pytest.mark.parametrize("path", _OURS)
@pytest.mark.parametrize("namespace", ["default", "kube-system", "kube-public", "kube-node-lease"])
def test_our_namespaces_are_none_of_kubernetes_own(path: str, namespace: str) -> None:
    """As above, for what every cluster has from the start."""
    found = told(changed(setting(path, namespace)))
    assert found == [(path, f"namespace `{namespace}` is Kubernetes' own already", _CLASH)]


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in _OURS for b in _OURS if a != b])
def test_our_namespaces_differ(one: str, other: str) -> None:
    """Two layers created one namespace, or one layer's policy selected another's pods."""
    ((path, wrong, instead),) = told(changed(setting(one, _OURS[other])))
    assert path in {one, other}
    assert (wrong, instead) == (f"namespace `{_OURS[other]}` is one of ours already", _CLASH)


def test_declaring_one_of_our_namespaces_is_refused_where_ours_is_set() -> None:
    """As above, the other way round."""
    ((path, _, _),) = told(changed(setting("cluster.namespaces.istio-system", {"role": "platform"})))
    assert path == "install.istio.namespace"
