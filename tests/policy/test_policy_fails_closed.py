"""Malformed and hostile objects: always a verdict, never a crash, and never a pass for what could not be judged."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import changed_at, places
from rule_fixtures import TODAY, Fixture, documents, fixtures

from policy.reading import as_mapping
from policy.registry import RULES, judge
from policy.rule import UNKNOWN, AuditRule, Context, Finding, ObjectRule, Severity, StackRule, Subject
from policy.subjects import subjects_of

REQUIRED = Context(today=TODAY, require_declarations=True, client_namespaces=frozenset({"news"}))
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(UNKNOWN)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)
KINDS = sorted({kind for rule in RULES for kind in rule.applies_to if "/" in kind})
GOOD = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  type: Endpoints
  endpoints: [{ip: {address: 47.96.10.20, port: 17000}, hostname: a.org}]
  tls: {wellKnownCACertificates: System, insecureSkipVerify: false, sni: a.org}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: httpbin, namespace: apps}
spec:
  endpoints: [{fqdn: {hostname: httpbin.org, port: 8080}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cnn, namespace: news}
spec:
  hosts: [edition.cnn.com]
  addresses: [47.96.10.0/24]
  endpoints: [{address: 47.96.10.20}]
  resolution: STATIC
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cnn, namespace: news}
spec:
  trafficPolicy:
    tls: {mode: SIMPLE, insecureSkipVerify: false}
    portLevelSettings: [{tls: {mode: SIMPLE, insecureSkipVerify: false}}]
  subsets: [{trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: false}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: t, namespace: apps}
spec: {validation: {wellKnownCACertificates: System}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: c, namespace: apps}
spec: {proxyProtocol: {optional: false}, tls: {ciphers: [ECDHE-RSA-AES128-GCM-SHA256]}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: s, namespace: apps}
spec:
  cors: {allowCredentials: true, allowOrigins: [https://a.org]}
  csrf: {additionalOrigins: [https://a.org]}
  oidc: {redirectURL: https://a.org/callback, cookieDomain: a.org, disableTokenEncryption: false}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: e, namespace: apps}
spec:
  filterOrder: [{name: envoy.filters.http.wasm, before: envoy.filters.http.jwt_authn}]
  telemetry: {accessLog: {settings: [{format: {json: {method: "%REQ(:METHOD)%"}}}]}}
  provider:
    type: Kubernetes
    kubernetes: {envoyDeployment: {patch: {value: {spec: {template: {spec: {automountServiceAccountToken: false}}}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: apps}
spec: {gatewayClassName: edge, addresses: [{type: Hostname, value: a.org}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: news}
spec: {address: 47.96.10.20}
---
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: vms, namespace: news}
spec: {template: {address: vm.example.com}}
---
apiVersion: v1
kind: Endpoints
metadata: {name: ext, namespace: apps}
subsets: [{addresses: [{ip: 47.96.10.20}], notReadyAddresses: [{ip: 47.96.10.21}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ext, namespace: apps}
endpoints: [{addresses: [47.96.10.20]}]
---
apiVersion: v1
kind: Service
metadata: {name: ext, namespace: apps}
spec: {externalName: httpbin.org}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: lockdown, namespace: news}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 169.254.20.10/32}}], ports: [{protocol: UDP, port: 53, endPort: 53}]}]
"""


def _name(whole: dict[str, Any], path: tuple[str | int, ...]) -> str:
    return f"{whole['kind']}:{'.'.join(map(str, path))}"


_CASES = [(whole, path) for whole in documents(GOOD) for path in places(whole) if path[-1] != "sni"]
JUDGED = [pytest.param(whole, path, id=_name(whole, path)) for whole, path in _CASES]
WRONG = [
    pytest.param(whole, path, wrong, id=f"{_name(whole, path)}:{type(wrong).__name__}")
    for whole, path in _CASES
    for wrong in (3, "false", [{"a": 1}], {"a": 1}, True)
    if type(wrong) is not type(reduce(getitem, path, whole))
]


def _locked(subjects: tuple[Subject, ...]) -> list[str]:
    """The ids of what blocks, with the client namespace locked down by another policy."""
    lock = next(whole for whole in documents(GOOD) if whole["kind"] == "NetworkPolicy")
    lock["metadata"]["name"] = "other"
    context = Context(today=TODAY, client_namespaces=frozenset({"news"}))
    return [v.rule.id for v in judge((*subjects, *subjects_of(lock)), context) if v.severity is Severity.BLOCK]


def test_the_good_objects_pass() -> None:
    """Guards against the tests below passing because everything is denied."""
    assert _locked(tuple(s for whole in documents(GOOD) for s in subjects_of(whole))) == []


@pytest.mark.parametrize(("whole", "path"), JUDGED)
def test_an_unknown_value_in_a_judged_field_blocks(whole: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Guards against a value that becomes 127.0.0.1 only in the update, when nobody looks any more."""
    assert _locked(subjects_of(changed_at(whole, path, UNKNOWN))) != []


@pytest.mark.parametrize(("whole", "path", "wrong"), WRONG)
def test_a_wrong_type_in_a_judged_field_blocks(
    whole: dict[str, Any], path: tuple[str | int, ...], wrong: object
) -> None:
    """Guards against a type that a comparison silently takes for harmless."""
    assert _locked(subjects_of(changed_at(whole, path, wrong))) != []


@given(JUNK)
def test_junk_is_judged_without_a_crash(whole: object) -> None:
    """Guards against an exception on a document that is no object, which would end the run without a verdict."""
    for violation in judge(subjects_of(whole), REQUIRED):
        assert "the rule itself failed" not in violation.message


@given(st.sampled_from(KINDS), JUNK, JUNK, JUNK)
def test_junk_of_a_judged_kind_is_judged_without_a_crash(kind: str, spec: object, meta: object, rest: object) -> None:
    """Guards against an exception inside a rule on a shape that its author did not think of."""
    group, name = kind.split("/")
    whole = {"apiVersion": "v1" if group == "core" else f"{group}/v1", "kind": name, "spec": spec, "metadata": meta}
    whole |= {"subsets": rest, "endpoints": rest}
    for violation in judge(subjects_of(whole), REQUIRED):
        assert "the rule itself failed" not in violation.message


CLOUD_KEYS = sorted(
    {
        f"{key}"
        for fixture in fixtures()
        for subject in fixture.subjects
        if subject.registration is not None
        for key in as_mapping(subject.whole) or {}
    }
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([kind for kind in KINDS if kind.startswith("alicloud:")]),
            st.dictionaries(st.sampled_from(CLOUD_KEYS), JUNK, max_size=6),
            st.dictionaries(st.sampled_from(CLOUD_KEYS), st.sampled_from(["0", "1", "2", "gone"]), max_size=3),
        ),
        max_size=5,
    )
)
def test_junk_of_cloud_resources_is_judged_without_a_crash(
    resources: list[tuple[str, dict[str, object], dict[str, str]]],
) -> None:
    """Guards against an exception on properties that lead to one another in ways that nobody thought of."""
    subjects: list[Subject] = []
    for number, (kind, inputs, leads_to) in enumerate(resources):
        module, name = kind.removeprefix("alicloud:").split("/")
        whole = {
            "type": f"alicloud:{module}/x:{name}",
            "urn": f"{number}",
            "inputs": inputs,
            "propertyDependencies": {key: [urn] for key, urn in leads_to.items()},
        }
        subjects += subjects_of(whole)
    for violation in judge(subjects, REQUIRED):
        assert "the rule itself failed" not in violation.message


@given(st.sampled_from([fixture for fixture in fixtures() if fixture.subjects]), st.data())
def test_a_mutated_fixture_is_judged_without_a_crash(fixture: Fixture, data: st.DataObject) -> None:
    """Guards against an exception on an object that is almost right, alone or among those that it belongs to."""
    others = list(fixture.subjects)
    subject = others.pop(data.draw(st.integers(0, len(others) - 1)))
    path = data.draw(st.sampled_from([(), *places(subject.whole)]))
    junk = data.draw(JUNK)
    changed = junk if path == () else changed_at(subject.whole, path, junk)
    # A resource of a cloud is what its type says, whatever it holds.
    mutated = subjects_of(changed) if subject.registration is None else (replace(subject, whole=changed),)
    for violation in judge((*mutated, *others), REQUIRED):
        assert "the rule itself failed" not in violation.message


def test_a_rule_that_fails_blocks_and_names_itself() -> None:
    """Guards against a bug in a rule that lets its object pass; no exception excuses that either."""

    def fail(_subject: Subject, _context: Context) -> Iterator[Finding]:
        raise RecursionError("deep")

    rule = next(rule for rule in RULES if rule.id == "EGR105" and isinstance(rule, ObjectRule))
    broken = replace(rule, check=fail, severity=Severity.WARN)
    [violation] = judge(subjects_of(documents(GOOD)[0], "a.yaml"), Context(today=TODAY), rules=(broken,))
    assert (violation.rule.id, violation.severity, violation.path) == ("EGR105", Severity.BLOCK, "")
    assert (str(violation.ref), violation.origin) == ("Backend apps/n9e", "a.yaml")
    assert violation.message == "the rule itself failed: RecursionError: deep"


@pytest.mark.parametrize("kind", [StackRule, AuditRule])
def test_a_rule_about_the_stack_that_fails_blocks_as_well(kind: type[StackRule] | type[AuditRule]) -> None:
    """Guards against a bug in a rule about the whole stack that lets everything pass."""

    def fail(*_: object) -> Iterator[Finding]:
        raise KeyError("gone")

    rule = next(rule for rule in RULES if isinstance(rule, kind))
    broken = replace(rule, severity=Severity.WARN, check=fail)
    [violation] = judge(subjects_of(documents(GOOD)[0], "a.yaml"), Context(today=TODAY), rules=(broken,))
    assert (violation.severity, violation.path, violation.origin) == (Severity.BLOCK, "", "")
    assert (str(violation.ref), violation.message) == ("stack itself", "the rule itself failed: KeyError: 'gone'")


def test_deep_nesting_ends_in_a_verdict() -> None:
    """Guards against lists in lists, or JSON in JSON, that exhaust the stack."""
    whole = documents(GOOD)[0]
    nested: object = documents(GOOD.replace("47.96.10.20", "127.0.0.1"))[0]
    for _ in range(2000):
        nested = {"apiVersion": "v1", "kind": "List", "items": [nested]}
    assert [v.rule.id for v in judge(subjects_of(nested), Context(today=TODAY))] == ["EGR001"]
    whole["metadata"]["annotations"] = {"cluster-egress/declaration": "[" * 100_000}
    assert [v.rule.id for v in judge(subjects_of(whole), REQUIRED)][:1] == ["EGR401"]
