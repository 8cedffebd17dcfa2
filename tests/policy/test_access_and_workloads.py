"""Roles, bindings, pods and policies beyond their fixtures: hostile shapes, unknown values, many objects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_fixtures import TODAY, documents

from policy.readers.plugin_policies import PLUGIN_POLICY_KINDS
from policy.readers.pods import WORKLOAD_KINDS
from policy.readers.rbac import BINDING_KINDS, ROLE_KINDS
from policy.registry import judge
from policy.rule import UNKNOWN, Context, Severity, Taint
from policy.subjects import subjects_of

CONTEXT = Context(
    today=TODAY,
    client_namespaces=frozenset({"news"}),
    gateway_namespaces=frozenset({"istio-egress"}),
    egress_taints=(Taint(key="dedicated", value="egress", effect="NoSchedule"),),
)
LOCK = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: lockdown, namespace: news}
spec: {podSelector: {}, policyTypes: [Egress], egress: []}
"""
KEYS = (
    *("annotations", "apiGroups", "containers", "egress", "hostPath", "kind", "labels", "matchLabels", "name", "path"),
    *("securityContext", "spec", "template", "to", "toCIDR", "tolerations", "verbs", "volumes"),
)
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.just(UNKNOWN)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: reader, namespace: news}
spec:
  template:
    metadata:
      labels: {sidecar.istio.io/inject: "true", istio.io/dataplane-mode: sidecar}
      annotations:
        traffic.sidecar.istio.io/excludeOutboundPorts: ""
        traffic.sidecar.istio.io/excludeOutboundIPRanges: ""
        traffic.sidecar.istio.io/includeOutboundIPRanges: "*"
        sidecar.istio.io/interceptionMode: REDIRECT
        proxy.istio.io/config: "concurrency: 2"
    spec:
      hostNetwork: false
      hostPID: false
      hostIPC: false
      securityContext: {runAsUser: 1000, runAsGroup: 1000}
      tolerations: [{key: gpu, operator: Exists, effect: NoSchedule}]
      volumes: [{hostPath: {path: /var/log}}]
      containers: [{name: a, securityContext: {privileged: false, runAsUser: 1, capabilities: {add: [CHOWN]}}}]
      initContainers: [{name: b, securityContext: {privileged: false}}]
"""
JUDGED = (
    "template.metadata.labels",
    "template.metadata.annotations",
    *(
        f"template.spec.{path}"
        for path in (
            "containers",
            "containers.0.name",
            "containers.0.securityContext",
            "containers.0.securityContext.capabilities.add",
            "containers.0.securityContext.capabilities.add.0",
            "containers.0.securityContext.privileged",
            "containers.0.securityContext.runAsUser",
            "hostIPC",
            "hostNetwork",
            "hostPID",
            "initContainers",
            "securityContext",
            "securityContext.runAsGroup",
            "tolerations",
            "tolerations.0.effect",
            "tolerations.0.key",
            "tolerations.0.operator",
            "volumes",
            "volumes.0",
            "volumes.0.hostPath.path",
        )
    ),
    "template",
)


def _blocking(*objects: object) -> list[str]:
    subjects = [subject for whole in (*objects, documents(LOCK)[0]) for subject in subjects_of(whole)]
    return [v.rule.id for v in judge(subjects, CONTEXT) if v.severity is Severity.BLOCK]


def test_a_plain_pod_passes() -> None:
    """Guards against the tests below passing because everything is denied."""
    assert _blocking(documents(POD)[0]) == []


@pytest.mark.parametrize("value", [UNKNOWN, 3.5], ids=["unknown", "number"])
@pytest.mark.parametrize("path", JUDGED)
def test_what_cannot_be_read_of_a_pod_blocks(path: str, value: object) -> None:
    """Guards against a setting of a pod that becomes something else in the update."""
    whole: Any = documents(POD)[0]
    inner: Any = whole["spec"]
    *outer, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
    for key in outer:
        inner = inner[key]
    inner[last] = value
    assert _blocking(whole) != []


@given(st.sampled_from(sorted(ROLE_KINDS | BINDING_KINDS | WORKLOAD_KINDS | PLUGIN_POLICY_KINDS)), JUNK, JUNK, JUNK)
def test_junk_ends_in_a_verdict(kind: str, one: object, two: object, three: object) -> None:
    """Guards against an exception on a shape that nobody thought of, which would end the run without a verdict."""
    group, name = kind.split("/")
    whole = {"apiVersion": "v1" if group == "core" else f"{group}/v1", "kind": name, "metadata": {"name": "a"}}
    junk = {"spec": one, "specs": three, "rules": one, "aggregationRule": two, "roleRef": two, "subjects": three}
    for violation in judge(subjects_of(whole | junk), CONTEXT):
        assert "the rule itself failed" not in violation.message


def test_roles_that_collect_each_other_end_in_a_verdict() -> None:
    """Guards against a search that runs in circles."""
    roles = [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name, "labels": {name: "yes"}},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {other: "yes"}}]},
        }
        for name, other in (("a", "b"), ("b", "a"))
    ]
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "a"},
        "roleRef": {"kind": "ClusterRole", "name": "a"},
        "subjects": [{"kind": "User", "name": "bob"}],
    }
    assert _blocking(*roles, binding) == []


def test_each_of_many_bindings_is_judged() -> None:
    """Guards against an index that loses a role among many; `make bench` shows what they cost."""
    rules = [{"apiGroups": ["gateway.envoyproxy.io"], "resources": ["backends"], "verbs": ["create"]}]
    group = "rbac.authorization.k8s.io/v1"
    names = [f"role-{number}" for number in range(1000)]
    roles = [{"apiVersion": group, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules} for name in names]
    bindings = [
        {
            "apiVersion": group,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "User", "name": "bob"}],
        }
        for name in names
    ]
    assert _blocking(*roles, *bindings) == ["EGR602"] * len(names)
