"""Mesh configuration that nobody can read, and text that is meant to hurt its reader."""

import datetime as dt

import pytest

from policy.readers.embedded_yaml import parsed
from policy.reading import Node, Reader
from policy.registry import judge_object
from policy.rule import UNKNOWN, Context
from policy.subjects import subjects_of

CONTEXT = Context(today=dt.date(2026, 11, 1))


def violations_of(whole: object) -> list[tuple[str, str, str]]:
    """Rule, path and message of what the pack says."""
    (subject,) = subjects_of(whole)
    return [(found.rule.id, found.path, found.message) for found in judge_object(subject, CONTEXT)]


def reading_of(text: object) -> tuple[object, list[str]]:
    """The document in a text, and what is said of the text."""
    reader = Reader()
    document = parsed(reader, Node(value=text, path="data.mesh"))
    return None if document is None else document.value, [finding.message for finding in reader.findings]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "x" * 2**20, "is too long, so it cannot be judged"),
        ("[" * 100_000, "nests too deep, so it cannot be judged"),
        ("a: " + "{b: " * 65 + "1" + "}" * 65, "nests too deep, so it cannot be judged"),
        ("a: [&a x, *a]", "has anchors or aliases, so it cannot be judged"),
        ("a: *nothing", "has anchors or aliases, so it cannot be judged"),
        ("a: !!python/object/apply:os.system [x]", "has tags, so it cannot be judged"),
        ("[{a: 1, a: 2}]", "has a key that stands twice, so it cannot be judged"),
        ("? [a]\n: 1", "has a key that is no text, so it cannot be judged"),
        ("a: 1\n--- {}", "holds more than one document, so it cannot be judged"),
        ("a: 2026-99-99", "is not YAML, so it cannot be judged"),
        ("a: \x00", "is not YAML, so it cannot be judged"),
        ("\t", "is not YAML, so it cannot be judged"),
        (UNKNOWN, "is not known before the update, so it cannot be judged"),
        (["a"], "must be text, not list"),
    ],
)
def test_text_that_cannot_be_judged(text: object, message: str) -> None:
    """Guards against a reader that crashes, hangs, or picks one of two meanings."""
    assert reading_of(text) == (None, [message])


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("{}", {}), ("a: {b: [1, x]}", {"a": {"b": [1, "x"]}}), ("- a", ["a"]), ("a", "a")]
)
def test_text_that_can_be_judged(text: str, value: object) -> None:
    """Guards against refusing what is plain."""
    assert reading_of(text) == (value, [])


def test_no_text_is_no_finding() -> None:
    """Guards against asking for a text that nobody needs."""
    assert reading_of(None) == (None, [])


def release(**fields: object) -> dict[str, object]:
    """A Helm release of istiod as Pulumi registers it."""
    return {"apiVersion": "helm.sh/v3", "kind": "Release", "name": "istiod", "namespace": "istio-system", **fields}


def test_a_chart_that_is_not_known_may_be_istiod() -> None:
    """Guards against a release that hides which chart it installs."""
    found = violations_of(release(chart=UNKNOWN, values={}))
    assert ("EGR202", "chart", "is not known before the update, so it cannot be judged") in found


@pytest.mark.parametrize("values", [UNKNOWN, "text", ["list"]])
def test_values_that_cannot_be_read_are_refused(values: object) -> None:
    """Guards against values that only the update knows."""
    found = violations_of(release(chart="istiod", values=values))
    assert [(rule, path) for rule, path, _ in found] == [("EGR202", "values"), ("EGR204", "values")]


@pytest.mark.parametrize("values", [UNKNOWN, {"enabled": UNKNOWN}])
def test_a_part_that_is_called_istiod_is_judged(values: object) -> None:
    """Guards against a chart around istiod's that hides its values until the update."""
    found = violations_of(release(chart="platform", values={"istiod": values}))
    assert "EGR202" in [rule for rule, _, _ in found]


def test_other_parts_that_nobody_knows_are_not_judged() -> None:
    """Guards against refusing every chart with an unknown value."""
    assert violations_of(release(chart="platform", values={"shop": UNKNOWN, "list": [UNKNOWN], "n": 1})) == []


@pytest.mark.parametrize("depth", [50, 5000])
def test_values_that_nest_deep(depth: int) -> None:
    """Guards against values that are meant to exhaust their reader."""
    nested: object = {"service": "127.0.0.1"}
    for _ in range(depth):
        nested = {"x": nested}
    mesh = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "extensionProviders": [nested]}
    found = violations_of(release(chart="platform", values={"istiod": {"meshConfig": mesh}}))
    assert found != []


@pytest.mark.parametrize("name", ["istio-", "myistio", "Istio", "istio.canary"])
def test_other_config_maps_are_not_istiods(name: str) -> None:
    """Guards against judging what istiod never reads: it reads `istio`, and `istio-` with a revision."""
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "istio-system"},
        "data": {"mesh": "outboundTrafficPolicy: {mode: ALLOW_ANY}"},
    }
    assert violations_of(config_map) == []
