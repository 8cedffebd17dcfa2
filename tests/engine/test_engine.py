"""The real engine and the offline preview must see the same stack, and the same violations."""

import json
from dataclasses import replace
from typing import Any, Final, cast

import pytest

from cli.offline.preview import preview
from cli.offline.records import UNKNOWN
from cli.offline.wire import UNKNOWN_TEXT
from tests.engine.bad_objects import BAD_OBJECTS
from tests.engine.conftest import Engine
from tests.scale.declarations import include_destinations, write_stack

pytestmark = pytest.mark.engine

_ODD_VALUES = """
  other:text: yes
  other:number: 443
  other:flag: true
  other:odd: {a: yes, b: off, c: 1.0, d: 1e3, e: ~, f: "2027-06-30", g: 0x1F, h: [1, "1", null], i: {}, j: é, k: ""}
"""
_DUMP_CONFIG = """
import json, pathlib
from pulumi.runtime.config import CONFIG

def plain(text):
    try:
        return json.loads(text)
    except ValueError:
        return text

pathlib.Path("received.json").write_text(json.dumps({key: plain(text) for key, text in CONFIG.get().items()}))
"""


@pytest.mark.parametrize("which", ["engine", "prod_engine", "whole_engine"])
def test_engine_registers_what_the_offline_preview_shows(which: str, request: pytest.FixtureRequest) -> None:
    """Guards against an offline preview that reassures with other resources, or other values, than `up` creates."""
    engine: Engine = request.getfixturevalue(which)
    previewed = engine.preview("--json")
    assert previewed.returncode == 0, previewed.stdout + previewed.stderr
    real = {step["newState"]["urn"]: step["newState"] for step in json.loads(previewed.stdout)["steps"]}
    offline = {r.urn: r for r in preview(engine.project, engine.stack, with_policy=False).registrations}
    assert set(real) == set(offline)
    for urn, state in real.items():
        registered = offline[urn]
        assert state.get("parent") == registered.parent, urn
        assert sorted(state.get("dependencies", [])) == sorted(registered.dependencies), urn
        assert _by_property(state.get("propertyDependencies", {})) == _by_property(registered.property_dependencies)
        assert state.get("protect", False) == registered.protect, urn
        assert state.get("ignoreChanges", []) == list(registered.ignore_changes), urn
        assert _holds(state.get("inputs", {}), _known(registered.inputs)), urn


_WRONG: Final = {
    "nat_type": ("egress_addresses.py", '"Enhanced"', '"Great"'),
    "group_type": ("address_books.py", "planned.kind", '"names"'),
    "multi_az_policy": ("node_pool.py", '"BALANCE"', '"BALANCED"'),
}
"""What the provider checks: where it stands, what is right, and what is not."""


@pytest.mark.parametrize("key", _WRONG)
def test_the_real_provider_refuses_a_wrong_value(prod_engine: Engine, key: str) -> None:
    """Guards against a preview of the engine that only looks as if the provider had been asked."""
    module, right, wrong = _WRONG[key]
    file = prod_engine.project / "components" / module
    file.write_text(file.read_text().replace(right, wrong))
    previewed = prod_engine.preview()
    assert previewed.returncode != 0
    assert f"expected {key} to be one of" in previewed.stdout


def test_engine_gives_the_program_equal_settings(engine: Engine) -> None:
    """Guards against a YAML reader of ours that reads a stack file differently from the engine's."""
    stack = engine.project / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("config:\n", "config:\n" + _ODD_VALUES, 1))
    (engine.project / "__main__.py").write_text(_DUMP_CONFIG)
    received = engine.project / "received.json"
    assert engine.run("preview", "--stack", "dev").returncode == 0
    real = json.loads(received.read_text())
    received.unlink()
    preview(engine.project, "dev", with_policy=False)
    assert json.loads(received.read_text()) == real


def test_engine_previews_a_thousand_hosts_of_an_included_file(engine: Engine) -> None:
    """Guards against a declaration that only the offline preview can take: config has to fit into 128 KiB."""
    include_destinations(engine.project, write_stack(engine.project, hosts=1000, groups=20))
    previewed = engine.preview("--json")
    assert previewed.returncode == 0, previewed.stdout[-2000:] + previewed.stderr
    real = {step["urn"] for step in json.loads(previewed.stdout)["steps"]}
    assert real == {each.urn for each in preview(engine.project, "dev", with_policy=False).registrations}


@pytest.mark.parametrize("rule", BAD_OBJECTS)
def test_engine_and_offline_preview_block_a_bad_object_alike(engine: Engine, rule: str) -> None:
    """Guards against a pack that loads, reports nothing and lets an unsafe object through, in one of the two."""
    bad = BAD_OBJECTS[rule]
    program = engine.project / "__main__.py"
    program.write_text(
        f"{program.read_text()}\nbad = {bad!r}\n"
        "kubernetes.apiextensions.CustomResource(\n"
        '    "bad", api_version=bad["apiVersion"], kind=bad["kind"], metadata=bad["metadata"], spec=bad["spec"],\n'
        "    opts=on_cluster,\n)\n"
    )
    _blocked_alike(engine, rule)


def test_engine_and_offline_preview_block_an_open_client_namespace_alike(engine: Engine) -> None:
    """Guards against a stack-level rule that only one of the two asks."""
    program = engine.project / "__main__.py"
    program.write_text(program.read_text().replace("policies=plan.client_policies", "policies=()"))
    _blocked_alike(engine, "EGR301")


def _blocked_alike(engine: Engine, rule: str) -> None:
    previewed = engine.preview()
    assert previewed.returncode != 0
    assert f"{rule} " in previewed.stdout + previewed.stderr
    blocking = [violation.message for violation in preview(engine.project, "dev").violations if violation.blocking]
    assert blocking
    assert all(f"{rule} " in message for message in blocking)


def test_engine_passes_encrypted_values_without_showing_them(engine: Engine) -> None:
    """Guards against a secret in the clear in a preview, and against a stack that only its passphrase can preview."""
    secret = "correct-horse-battery"  # noqa: S105 (made up here)
    path = "cluster-egress:secrets.charts"
    assert engine.run("config", "set", "--stack", "dev", "--secret", "--path", path, secret).returncode == 0
    name = "cluster-egress:install.chartRegistry"
    for key, value in {"username": "ci", "passwordSecret": "charts"}.items():
        assert engine.run("config", "set", "--stack", "dev", "--path", f"{name}.{key}", value).returncode == 0
    previewed = engine.preview("--json")
    assert previewed.returncode == 0, previewed.stdout + previewed.stderr
    assert secret not in previewed.stdout + previewed.stderr
    release = next(s["newState"] for s in json.loads(previewed.stdout)["steps"] if s["urn"].endswith("::istiod"))
    assert release["inputs"]["repositoryOpts"]["username"] == "ci"
    assert secret not in (engine.project / "stacks" / "Pulumi.dev.yaml").read_text()
    offline = preview(engine.project, "dev", with_policy=False)
    istiod = next(r for r in offline.registrations if r.urn.endswith("::istiod"))
    assert istiod.inputs["repositoryOpts"] == {"username": "ci", "password": "[secret]"}


def test_engine_reports_bad_settings_without_a_traceback(engine: Engine) -> None:
    """Guards against an operator who meets a Python traceback instead of the report."""
    stack = engine.project / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("port: 443", "port: 443443").replace("owner: team-news", "ownr: x"))
    previewed = engine.preview()
    shown = previewed.stdout + previewed.stderr
    assert previewed.returncode != 0
    assert "destinations.edition-cnn.ports.https.port: 443443 is not a port" in shown
    assert "destinations.edition-cnn.ownr: unknown key `ownr`" in shown
    assert "Traceback" not in shown


def test_engine_judges_another_project_with_our_pack(other_engine: Engine) -> None:
    """Guards against a pack that only our own stacks can use, and against approvals that it does not find."""
    blocked = other_engine.preview()
    assert blocked.returncode != 0
    assert "EGR108 private-address: Backend shop/payments: spec.endpoints[0].ip.address" in blocked.stdout
    approvals = str(other_engine.project / "approvals.yaml")
    approved = replace(other_engine, environment=other_engine.environment | {"EGRESS_APPROVALS": approvals}).preview()
    assert approved.returncode == 0, approved.stdout + approved.stderr


def _by_property(dependencies: Any) -> dict[str, list[str]]:
    return {key: sorted(urns) for key, urns in dependencies.items() if urns}


def _known(value: Any) -> Any:
    """Offline inputs as JSON would hold them, without the one that the SDK adds and the provider takes away."""
    known = json.dumps({key: item for key, item in value.items() if key != "compat"})
    return json.loads(known.replace(UNKNOWN, UNKNOWN_TEXT))


def _holds(real: Any, offline: Any) -> bool:
    """Whether the engine's inputs hold everything that was registered; the provider's Check may add defaults."""
    if isinstance(offline, dict) and isinstance(real, dict):
        known, wanted = cast("dict[str, Any]", real), cast("dict[str, Any]", offline)
        return all(key in known and _holds(known[key], value) for key, value in wanted.items())
    if isinstance(offline, list) and isinstance(real, list):
        pairs = list(zip(cast("list[Any]", real), cast("list[Any]", offline), strict=False))
        return len(cast("list[Any]", real)) == len(pairs) and all(_holds(one, other) for one, other in pairs)
    return real == offline
