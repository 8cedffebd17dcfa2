"""Where spans and alerts go: not to clients, and not into namespaces that go with the stack."""

from typing import Any

import pytest

from tests.support import changed, problems_of, setting, settings_of, told

_KEYS = {"tracing": {"namespace": "monitoring", "service": "collector"}, "alerts": {"namespace": "monitoring"}}


@pytest.mark.parametrize("key", _KEYS)
def test_they_go_to_who_runs_the_cluster(key: str) -> None:
    """A collector that was there could not be used."""
    for namespace in ("monitoring", "not-declared"):
        values = changed(setting(f"egress.mesh.{key}", {**_KEYS[key], "namespace": namespace}))
        del values["backends"]  # with them Envoy Gateway reads the namespace, and it must be declared
        assert getattr(settings_of(values).egress.mesh, key).namespace == namespace


def test_envoy_gateway_reads_declared_namespaces_only() -> None:
    """A slip of the pen gave Envoy Gateway the Secrets of one namespace more, or ended in Helm."""
    values = changed(setting("egress.mesh.tracing", {**_KEYS["tracing"], "namespace": "monitorin"}))
    assert told(values) == [
        (
            "egress.mesh.tracing.namespace",
            "namespace `monitorin` is not under cluster.namespaces, and Envoy Gateway would read it",
            "did you mean `monitoring`?",
        )
    ]


@pytest.mark.parametrize("key", _KEYS)
def test_clients_do_not_watch_each_other(key: str) -> None:
    """A team read the URLs that all others asked for, or took away the alert that named it."""
    values = changed(setting(f"egress.mesh.{key}", {**_KEYS[key], "namespace": "news"}))
    assert told(values) == [
        (
            f"egress.mesh.{key}.namespace",
            "namespace `news` has the role `client`, and whoever works there could watch the others, or silence this",
            "a namespace of those who run the cluster, for example `monitoring`",
        )
    ]


@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize("namespace", ["istio-egress", "istio-system", "envoy-gateway-system"])
def test_they_outlive_the_stack(key: str, namespace: str) -> None:
    """The collector was deleted with the stack that it was to tell about."""
    values = changed(setting(f"egress.mesh.{key}", {**_KEYS[key], "namespace": namespace}))
    assert told(values) == [
        (
            f"egress.mesh.{key}.namespace",
            f"namespace `{namespace}` is one of ours, and goes with the stack",
            "the namespace of your monitoring, which is there already",
        )
    ]


@pytest.mark.parametrize("key", _KEYS)
def test_it_is_said_together_with_other_mistakes(key: str) -> None:
    """One bad value elsewhere hid this one until the next run."""
    values = changed(setting(f"egress.mesh.{key}", {**_KEYS[key], "namespace": "news"}))
    values["egress"]["posture"] = "off"
    paths = {problem.dotted_path for problem in problems_of(values)}
    assert paths == {"egress.posture", f"egress.mesh.{key}.namespace"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tracing", {"namespace": "monitoring"}),
        ("tracing.percent", 0),
        ("tracing.percent", 101),
        ("tracing.port", 0),
        ("alerts.labels", {}),
        ("alerts.namespace", "Monitoring"),
    ],
)
def test_bad_values_are_refused_in_their_place(path: str, value: Any) -> None:
    """Nothing was traced, or no alert was ever seen, and nobody was told why."""
    values = changed(
        lambda all_values: all_values["egress"]["mesh"].update({key: dict(each) for key, each in _KEYS.items()})
    )
    ((where, _, instead),) = told(changed(setting(f"egress.mesh.{path}", value), values))
    assert where.startswith(f"egress.mesh.{path}")
    assert instead
