"""What the pack learns of the gateways and their nodes: from the settings, their defaults, and the approvals."""

import json
from pathlib import Path

import pytest
from stack_environments import APPROVALS, SETTINGS, environment_of

from policy.rule import Context, Taint
from policy.stack import context_of_environment

EGRESS = {
    "posture": "enforce",
    "nodes": {
        "mode": "existing",
        "labels": {"role": "egress"},
        "taints": {"dedicated": {"value": "egress", "effect": "NoSchedule"}, "own": {"effect": "NoExecute"}},
    },
    "mesh": {"flavour": "istio-api", "gateway": {"namespace": "way-out"}},
}
PUBLIC = """
publicRanges:
  cnn: {hosts: [edition.cnn.com], ports: [80, 443], owner: team-a, ticket: SEC-3, reason: moves, expires: "2029-12-31"}
  other: {hosts: [example.com], ports: [8443], owner: team-a, ticket: SEC-4, reason: moves, expires: "2029-12-31"}
"""


@pytest.fixture(autouse=True)
def approvals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The approvals of the stack."""
    path = tmp_path / "dev.yaml"
    path.write_text(APPROVALS + PUBLIC, encoding="utf-8")

    def approvals_file(_stack: str) -> Path:
        return path

    monkeypatch.setattr("policy.stack.approvals_file", approvals_file)
    monkeypatch.setenv("EGRESS_TODAY", "2026-11-01")
    return path


def _context(**changed: object) -> Context:
    return context_of_environment(environment_of({**SETTINGS, **changed}))


def test_the_gateways_run_where_the_settings_or_their_defaults_say() -> None:
    """Guards against gateways that are taken for strangers, and strangers that are taken for gateways."""
    assert _context().gateway_namespaces == {"istio-egress", "envoy-gateway-system"}
    assert _context(egress=EGRESS).gateway_namespaces == {"way-out", "envoy-gateway-system"}
    install = {"envoyGateway": {"namespace": "edge"}}
    assert _context(egress=EGRESS, install=install).gateway_namespaces == {"way-out", "edge"}
    managed = EGRESS | {"mesh": {"flavour": "asm"}}
    assert _context(egress=managed).gateway_namespaces == {"istio-system", "envoy-gateway-system"}


def test_istiod_fetches_where_an_issuer_s_addresses_move() -> None:
    """Guards against keys that istiod cannot fetch, and against an istiod that may reach anything for no reason."""
    inline, fixed = {"jwks": "{}"}, {"jwksUri": "https://sso.example.com/keys", "cidrs": ["8.8.8.0/24"]}
    moving = {"jwksUri": "https://sso.example.com/keys"}
    install = {"istio": {"namespace": "mesh"}}
    for issuers, asked, expected in (
        ({"a": inline, "b": fixed}, {}, set[str]()),
        ({"a": inline, "b": moving}, {}, {"istio-system"}),
        ({"b": moving}, {"install": install}, {"mesh"}),
    ):
        egress = EGRESS | {"mesh": {"issuers": issuers}}
        assert _context(egress=egress, **asked).fetcher_namespaces == expected
    assert _context().fetcher_namespaces == frozenset()


def test_the_taints_of_the_egress_nodes_are_known() -> None:
    """Guards against a rule about stolen tolerations that knows no taint and passes everything."""
    assert _context().egress_taints == ()
    assert _context(egress=EGRESS).egress_taints == (
        Taint(key="dedicated", value="egress", effect="NoSchedule"),
        Taint(key="own", effect="NoExecute"),
    )


def test_the_taints_of_single_gateways_nodes_are_known() -> None:
    """Guards against a pod on the nodes of a second gateway, whose addresses are trusted as well."""
    own = {"mode": "existing", "labels": {"role": "partners"}, "taints": {"partners": {"effect": "NoSchedule"}}}
    same = EGRESS["nodes"]
    for mesh in ({"gateway": {"nodes": own}}, {"gateway": {"nodes": same}, "gateways": {"a": {}, "b": {"nodes": own}}}):
        assert _context(egress=EGRESS | {"mesh": {"flavour": "istio-api", **mesh}}).egress_taints == (
            Taint(key="dedicated", value="egress", effect="NoSchedule"),
            Taint(key="own", effect="NoExecute"),
            Taint(key="partners", effect="NoSchedule"),
        )


def test_a_pool_that_is_created_has_its_taints_and_labels_also_by_default() -> None:
    """Guards against egress nodes whose taint nobody knows because the settings leave it to its default."""
    created: dict[str, object] = {"mode": "dedicated", "zones": {}}
    context = _context(egress=EGRESS | {"nodes": created})
    assert context.egress_taints == (Taint(key="cluster-egress/egress", value="true", effect="NoSchedule"),)
    assert context.egress_labels == {("cluster-egress/egress", "true")}
    own = created | {"taints": {"edge": {"value": "yes", "effect": "NoExecute"}}, "labels": {"role": "edge"}}
    context = _context(egress=EGRESS | {"nodes": own})
    assert context.egress_taints == (Taint(key="edge", value="yes", effect="NoExecute"),)
    assert context.egress_labels == {("role", "edge")}
    assert _context(egress=EGRESS).egress_labels == {("role", "egress")}
    assert context.problems == ()


def test_what_the_settings_create_at_the_cloud() -> None:
    """Guards against a firewall that is asked for and that nobody misses, and against addresses that are given up."""
    context = _context(egress=EGRESS)
    assert (context.firewall_expected, context.addresses_protected) == (False, True)
    created = {"addresses": {"mode": "nat"}, "firewall": {"mode": "cloud-firewall"}}
    context = _context(egress=EGRESS | created)
    assert (context.firewall_expected, context.addresses_protected) == (True, True)
    given_up = {"addresses": {"mode": "nat", "protected": "nothing"}, "firewall": {"mode": "external"}}
    context = _context(egress=EGRESS | given_up)
    assert (context.firewall_expected, context.addresses_protected) == (False, False)
    assert not context.gateway_protected
    context = _context(egress=EGRESS | {"addresses": {"mode": "nat", "protected": "addresses"}})
    assert (context.addresses_protected, context.gateway_protected) == (True, False)
    assert _context(egress=EGRESS).gateway_protected
    assert context.problems == ()


def test_what_cannot_be_read_is_a_problem() -> None:
    """Guards against settings of a wrong type that are read as nothing."""
    context = _context(egress=EGRESS | {"nodes": {"taints": ["dedicated"]}, "mesh": {"gateway": {"namespace": 7}}})
    assert context.problems == (
        "cluster-egress:egress.mesh.gateway.namespace must be text, not 7",
        "cluster-egress:egress.nodes.taints must be an object, not list",
    )
    assert "install" in " ".join(_context(install="edge").problems)


def test_another_project_has_no_gateways_of_ours() -> None:
    """Guards against defaults of ours that excuse another project's pods."""
    context = context_of_environment({"PULUMI_PROJECT": "shop", "PULUMI_CONFIG": json.dumps({"shop:a": "1"})})
    assert (context.gateway_namespaces, context.egress_taints) == (frozenset(), ())


def test_the_ports_of_public_ranges_are_granted() -> None:
    """Guards against a gateway's own policy that its pack refuses."""
    assert _context().grants.public_ports == {80, 443, 8443}
