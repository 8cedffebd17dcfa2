"""Every rule against its fixtures, and the catalogue of rules against itself."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
import yaml
from rule_fixtures import FIXTURES, RULE_OF, Fixture, fixtures

from policy.registry import RETIRED_IDS, RULES, judge
from policy.rule import ANY_KIND, AuditRule, Context, ObjectRule, Rule, StackRule
from policy.scopes import NAMESPACED_KINDS
from policy.subjects import CLOUD, subjects_of

ALL = fixtures()
MIN_GOOD, MIN_BAD = 1, 3
_WITHOUT_NAMESPACE = frozenset(
    {
        "apps.kruise.io/SidecarSet",
        "cilium.io/CiliumClusterwideNetworkPolicy",
        "cilium.io/CiliumCIDRGroup",
        "core/Node",
        "core/PersistentVolume",
        "crd.projectcalico.org/GlobalNetworkPolicy",
        "crd.projectcalico.org/GlobalNetworkSet",
        "gateway.envoyproxy.io/EnvoyGateway",
        "gateway.networking.k8s.io/GatewayClass",
        "helm.sh/Chart",
        "helm.sh/Release",
        "network.alibabacloud.com/PodNetworking",
        "install.istio.io/IstioOperator",  # a file of istioctl's, more often than an object
        "operator.istio.io/Istio",
        "policy.networking.k8s.io/AdminNetworkPolicy",
        "policy.networking.k8s.io/BaselineAdminNetworkPolicy",
        "policy.networking.k8s.io/ClusterNetworkPolicy",
        "projectcalico.org/GlobalNetworkPolicy",
        "projectcalico.org/GlobalNetworkSet",
        "rbac.authorization.k8s.io/ClusterRole",
        "rbac.authorization.k8s.io/ClusterRoleBinding",
        "sailoperator.io/Istio",
        "sailoperator.io/IstioCNI",
        "sailoperator.io/IstioRevision",
    }
)


@pytest.mark.parametrize("fixture", ALL, ids=str)
def test_fixture(fixture: Fixture) -> None:
    """Guards against a rule that misses, that says something else, or that fires on another rule's case."""
    violations = judge(fixture.subjects, fixture.context)
    told = [str(violation) for violation in violations]
    assert len(violations) == len(fixture.expected), told
    for expected, violation in zip(fixture.expected, violations, strict=True):
        assert expected.matches(violation), (expected, told)
    assert {violation.rule.id for violation in violations} == (set() if fixture.is_good else {fixture.rule}), told
    known = {subject.ref for subject in fixture.subjects}
    astray = [v for v in violations if v.origin != (fixture.path.name if v.ref in known else "")]
    assert [str(v) for v in astray if not isinstance(v.rule, AuditRule)] == [], "where the object comes from is lost"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_fixtures(rule: Rule) -> None:
    """Guards against a rule that nobody ever saw fire, or pass something."""
    own = Counter(fixture.is_good for fixture in ALL if fixture.rule == rule.id)
    assert own[True] >= MIN_GOOD
    assert own[False] >= MIN_BAD


def test_no_orphan_fixtures() -> None:
    """Guards against fixtures that no longer belong to a rule, or whose name hides what they show."""
    assert {path.name for path in FIXTURES.iterdir()} == set(RULE_OF)
    assert all(fixture.path.name.startswith(("good-", "bad-")) for fixture in ALL)
    assert all(fixture.is_good == (fixture.expected == ()) for fixture in ALL)


def test_ids_are_sorted_unique_and_not_retired() -> None:
    """Guards against two rules of one id, and against an exception that suddenly means another rule."""
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert not RETIRED_IDS & set(ids)
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))


def test_every_rule_file_is_registered() -> None:
    """Guards against a rule whose file is called after another one, or that never runs."""
    files = (Path(__file__).parents[2] / "policy" / "rules").glob("egr*.py")
    assert sorted(path.name[: len("EGR000")].upper() for path in files) == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_metadata_is_complete(rule: Rule) -> None:
    """Guards against a violation that does not say why, or how to mend it."""
    assert type(rule) in (ObjectRule, StackRule, AuditRule)
    for field in dataclasses.fields(rule):
        assert getattr(rule, field.name) not in ("", None, frozenset()), field.name
    assert rule.url.startswith("https://") or _is_heading(rule.url)
    assert not rule.remediation.endswith(".")
    assert all(kind == "*" or kind.count("/") == 1 for kind in rule.applies_to)


def _is_heading(url: str) -> bool:
    """Whether `url` leads to a heading of a page of this project, relative to the page of rules."""
    page, _, anchor = url.partition("#")
    path = Path(__file__).parents[2] / "docs" / "reference" / page
    return path.is_file() and f"## {anchor}" in path.read_text(encoding="utf-8").lower().splitlines()


def test_every_kind_that_is_judged_names_its_namespace() -> None:
    """Guards against a new kind that may leave its namespace to whoever applies it."""
    judged = frozenset(
        kind
        for rule in RULES
        for kind in rule.applies_to - {ANY_KIND}
        if not kind.startswith(f"{CLOUD}:")  # which has no namespaces
    )
    assert judged - {"core/Namespace"} - _WITHOUT_NAMESPACE == NAMESPACED_KINDS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_corrected_example_passes_the_whole_pack(rule: Rule) -> None:
    """Guards against advice that another rule refuses."""
    objects = [whole for whole in yaml.safe_load_all(rule.example) if "kind" in whole or "type" in whole]
    subjects = [subject for whole in objects for subject in subjects_of(whole)]
    context = Context(today=ALL[0].context.today, require_declarations=rule.id == "EGR401")
    assert judge(subjects, context) == []
