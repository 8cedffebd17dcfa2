"""What the API server is told to refuse: where things lead and who may write them, by what is approved.

That the server takes the policies, and what it then refuses, is tested on a real one.
"""

import json
import re
from typing import Any

import pytest

from cli.offline.preview import preview
from components.plan.admission import plan_admission
from policy.registry import RULES
from tests.plan.admission_policies import BACKENDS, DESTINATIONS, SUBJECTS, planned, variables
from tests.plan.offered import exposed_values
from tests.support import (
    APPROVALS_FILE,
    ROOT,
    approval,
    asked,
    cluster_ranges,
    dev_approvals,
    dev_values,
    just_enough,
    objects,
    of_kind,
    plan_of,
    private_range,
    settings_of,
)

_KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


def test_the_policies_fail_closed_for_every_version_and_let_status_pass() -> None:
    """An older API version of the same kind went round the policy, or a controller could not write a status."""
    for each in planned().values():
        spec = each.policy.spec
        assert spec["failurePolicy"] == "Fail"
        assert "paramKind" not in spec
        for rule in spec["matchConstraints"]["resourceRules"]:
            assert rule["apiVersions"] == ["*"]
            assert rule["operations"] == ["CREATE", "UPDATE"]
            assert not any("/" in resource or resource == "*" for resource in rule["resources"])
        assert each.policy.namespace is None
        assert each.policy.name == each.binding.name == each.binding.spec["policyName"]


def test_what_is_guarded() -> None:
    """A kind that leads out of the cluster was not among those that the API server asks about."""

    def resources(name: str) -> set[str]:
        rules = planned()[name].policy.spec["matchConstraints"]["resourceRules"]
        return {f"{rule['apiGroups'][0]}/{resource}" for rule in rules for resource in rule["resources"]}

    assert resources(BACKENDS) == {"gateway.envoyproxy.io/backends"}
    assert resources(DESTINATIONS) == {
        "/endpoints",
        "/services",
        "discovery.k8s.io/endpointslices",
        "gateway.envoyproxy.io/envoyextensionpolicies",
        "gateway.envoyproxy.io/securitypolicies",
        "networking.istio.io/serviceentries",
        "networking.istio.io/workloadentries",
        "networking.istio.io/workloadgroups",
    }
    assert resources(SUBJECTS) == {
        "/endpoints",
        "/services",
        "discovery.k8s.io/endpointslices",
        "gateway.envoyproxy.io/backends",
        "gateway.envoyproxy.io/backendtrafficpolicies",
        "gateway.envoyproxy.io/clienttrafficpolicies",
        "gateway.envoyproxy.io/envoyextensionpolicies",
        "gateway.envoyproxy.io/envoypatchpolicies",
        "gateway.envoyproxy.io/envoyproxies",
        "gateway.envoyproxy.io/httproutefilters",
        "gateway.envoyproxy.io/securitypolicies",
        "gateway.networking.k8s.io/backendtlspolicies",
        "gateway.networking.k8s.io/gatewayclasses",
        "gateway.networking.k8s.io/gateways",
        "gateway.networking.k8s.io/grpcroutes",
        "gateway.networking.k8s.io/httproutes",
        "gateway.networking.k8s.io/listenersets",
        "gateway.networking.k8s.io/referencegrants",
        "gateway.networking.k8s.io/tcproutes",
        "gateway.networking.k8s.io/tlsroutes",
        "gateway.networking.k8s.io/udproutes",
        "networking.istio.io/envoyfilters",
        "networking.istio.io/serviceentries",
        "networking.istio.io/workloadentries",
        "networking.istio.io/workloadgroups",
    }


@pytest.mark.parametrize(("posture", "actions"), [("enforce", ["Deny"]), ("observe", ["Warn", "Audit"])])
def test_posture_decides_between_refusing_and_warning(posture: str, actions: list[str]) -> None:
    """Observing broke what ran, or enforcing only warned; and the policies themselves never differ."""
    under = planned(posture=posture).values()
    assert [each.binding.spec["validationActions"] for each in under] == [actions] * 3
    assert [each.policy for each in under] == [each.policy for each in planned().values()]


def test_variables_are_defined_before_they_are_used_and_none_is_idle() -> None:
    """The API server refused the policy, or a fact was listed that nothing asked for."""
    for each in planned().values():
        defined: set[str] = set()
        used: set[str] = set()
        for variable in each.policy.spec["variables"]:
            needs = set(re.findall(r"variables\.(\w+)", variable["expression"]))
            assert needs <= defined, variable["name"]
            defined.add(variable["name"])
            used |= needs
        for validation in each.policy.spec["validations"]:
            used |= set(re.findall(r"variables\.(\w+)", json.dumps(validation)))
        assert used == defined


def test_messages_name_rules_of_the_pack() -> None:
    """A refusal pointed at a rule that does not exist."""
    text = json.dumps([each.policy.spec for each in planned().values()])
    found = set(re.findall(r"EGR[0-9]{3}", text))
    assert {"EGR101", "EGR102", "EGR103", "EGR106", "EGR107", "EGR108", "EGR109", "EGR110", "EGR114"} <= found
    assert found <= {rule.id for rule in RULES}


_APPROVED: list[tuple[dict[str, Any], list[str], set[str]]] = [
    ({"privateRanges": {"vms": private_range("172.16.0.0/24")}}, [BACKENDS, DESTINATIONS], {"approvedAddresses"}),
    (
        {"privateNames": {"corp": approval(suffixes=["corp.internal"])}},
        [BACKENDS, DESTINATIONS],
        {"approvedZones"},
    ),
    (
        {"unixSockets": {"ext": approval(paths=["/var/run/ext/ext.sock"])}},
        [BACKENDS, DESTINATIONS],
        {"approvedSockets"},
    ),
    ({"dynamicResolvers": {"any": approval(namespace="apps", name="any")}}, [BACKENDS], {"approvedResolvers"}),
    (
        {"cluster": cluster_ranges(podCidrs=["10.200.0.0/16"])},
        [BACKENDS, DESTINATIONS],
        {"clusterAddresses"},
    ),
    ({"cluster": cluster_ranges(domain="k8s.example.com")}, [BACKENDS, DESTINATIONS], {"clusterZones"}),
    ({"platformSubjects": {"it": approval(kind="User", name="jane")}}, [SUBJECTS], {"users", "groups"}),
    ({"exceptions": {"it": approval(rule="EGR104", kind="Backend", name="x")}}, [], set()),
]


@pytest.mark.parametrize(("more", "policies", "changes"), _APPROVED)
def test_an_approval_changes_its_own_part_only(more: dict[str, Any], policies: list[str], changes: set[str]) -> None:
    """One approval opened more than what it says."""
    before, after = planned(), planned(**more)
    assert [name for name in before if before[name] != after[name]] == policies
    for name in policies:
        old, new = variables(before[name]), variables(after[name])
        assert {variable for variable in old if old[variable] != new[variable]} == changes
        assert {**before[name].policy.spec, "variables": ()} == {**after[name].policy.spec, "variables": ()}


def test_an_approved_range_stands_beside_its_ports_and_its_nat64_spelling() -> None:
    """An approved address was refused in another spelling, or opened on every port."""
    grants = {"vms": approval(entries=["n9e"], cidrs=["172.16.4.0/24", "fd12::/48"], ports=[443, 17000])}
    assert variables(planned(privateRanges=grants)[BACKENDS])["approvedAddresses"] == (
        '[{\'networks\': dyn([cidr("172.16.4.0/24"), cidr("64:ff9b::ac10:400/120"), cidr("fd12::/48")]), '
        "'ports': dyn([443, 17000])}]"
    )


def test_sockets_of_the_node_are_never_approved() -> None:
    """An approval opened the container runtime."""
    grants = {
        "it": approval(paths=["/var/run/docker.sock", "/run/containerd/containerd.sock", "/var/run/ext/ext.sock"])
    }
    assert variables(planned(unixSockets=grants)[BACKENDS])["approvedSockets"] == '["/var/run/ext/ext.sock"]'


def test_platform_subjects_are_told_apart_by_kind() -> None:
    """Somebody who chose their user name became a group, or a service account of another namespace."""
    subjects = {
        "user": approval(kind="User", name='jane"||"\''),
        "group": approval(kind="Group", name="system:masters"),
        "account": approval(kind="ServiceAccount", namespace="ci", name="deployer"),
    }
    known = variables(planned(platformSubjects=subjects)[SUBJECTS])
    assert known["users"] == '["jane\\"||\\"\'", "system:serviceaccount:ci:deployer"]'
    assert known["groups"] == '["system:masters"]'


@pytest.mark.parametrize("name", [DESTINATIONS, SUBJECTS])
def test_only_the_controllers_of_endpoints_and_deletion_are_exempt(name: str) -> None:
    """Any add-on in kube-system could send a Service's traffic wherever it liked."""
    conditions = {each["name"]: each["expression"] for each in planned()[name].policy.spec["matchConditions"]}
    exempt = re.findall(r"system:[a-z:-]+", conditions["not-kubernetes-itself"])
    assert exempt == [
        "system:apiserver",
        "system:kube-controller-manager",
        "system:serviceaccount:kube-system:endpoint-controller",
        "system:serviceaccount:kube-system:endpointslice-controller",
        "system:serviceaccount:kube-system:endpointslicemirroring-controller",
        "system:serviceaccount:kube-system:generic-garbage-collector",
        "system:serviceaccount:kube-system:namespace-controller",
    ]
    assert "startsWith" not in conditions["not-kubernetes-itself"]


def test_gateway_api_is_for_everybody_but_where_it_is_ours() -> None:
    """A team could not route to its own Services any more; or it could give our proxies a Gateway of its own."""
    settings = settings_of(exposed_values())
    subjects = {each.policy.name: each.policy for each in plan_admission(settings, just_enough(settings))}[SUBJECTS]
    conditions = {each["name"]: each["expression"] for each in subjects.spec["matchConditions"]}
    assert 'request.namespace in ["envoy-gateway-system", "istio-egress"]' in conditions["leads-somewhere"]
    assert (
        'object.spec.gatewayClassName in ["cluster-egress", "cluster-egress-partners"]' in conditions["leads-somewhere"]
    )


def test_there_is_no_policy_without_backends() -> None:
    """A cluster without the Backend API got policies about it."""
    values = dev_values()
    del values["backends"]
    assert [item for item in objects(plan_of(values)) if item.kind in _KINDS] == []
    assert [len(of_kind(plan_of(dev_values()), kind)) for kind in _KINDS] == [3, 3]


def test_policies_are_in_force_before_any_backend() -> None:
    """A backend was there before what would have refused it."""
    registered = {each.urn: each for each in preview(ROOT, "dev", with_policy=False).registrations}
    bindings = {urn for urn in registered if "ValidatingAdmissionPolicyBinding::" in urn}
    backends = [each for urn, each in registered.items() if "v1alpha1:Backend::" in urn]
    assert len(bindings) == 3
    assert backends
    assert all(bindings <= set(backend.dependencies) for backend in backends)
    for binding in bindings:
        assert list(registered[binding].dependencies) == [binding.replace("PolicyBinding::", "Policy::")]


def test_backends_need_the_api_and_somebody_to_write_them() -> None:
    """The deployment refused itself at its first Backend, or the API was on without the security team's word."""
    settings = settings_of(dev_values())
    given_none = just_enough(settings).model_copy(update={"backend_api": None, "platform_subjects": {}})
    assert asked(settings, given_none) == [
        (
            "backends",
            "needs Envoy Gateway's Backend API, which no approval lets be on",
            f"leave it out, or have backendApi added to {APPROVALS_FILE}",
        ),
        (
            "backends",
            "is declared, but nobody is approved to write what it is made of, not even who deploys this stack",
            f"leave it out, or have platformSubjects added to {APPROVALS_FILE}, with who runs `pulumi up` among them",
        ),
    ]
    values = dev_values()
    del values["backends"]
    without = settings_of(values)
    assert asked(without, just_enough(without)) == []
    assert asked(settings, dev_approvals()) == []


def test_a_policy_is_small_enough_to_be_read_and_stored() -> None:
    """A policy outgrew what etcd holds."""
    assert all(len(json.dumps(each.policy.spec)) < 64_000 for each in planned().values())


def test_what_a_policy_says_is_plain_ascii() -> None:
    """A literal was escaped in a way that JSON has and CEL has not."""
    jane = {"it": approval(kind="User", name="jäne-\N{SLIGHTLY SMILING FACE}")}
    for each in (*planned().values(), *planned(platformSubjects=jane).values()):
        assert json.dumps(each.policy.spec, ensure_ascii=False).isascii()
    assert variables(planned(platformSubjects=jane)[SUBJECTS])["users"] == '["j\\U000000e4ne-\\U0001f642"]'
