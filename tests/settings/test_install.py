"""Charts and images: where they come from, and credentials for them. Nothing secret is ever shown."""

from typing import Any

import pytest

from components.settings import SettingsError
from tests.support import Values, changed, full_values, problems_of, setting, settings_of, told

_SECRET = "correct-horse-battery-staple"  # noqa: S105 this is what must never be seen


@pytest.mark.parametrize("version", ["1.31.0", "v1.9.1", "1.31.0-rc.0", "1.31.0+build.7"])
def test_versions_are_taken(version: str) -> None:
    """A version that the chart's registry knows was refused."""
    assert problems_of(changed(setting("install.istio.version", version))) == ()


@pytest.mark.parametrize("version", ["latest", "1.31", "^1.31.0", ""])
def test_versions_are_exact(version: str) -> None:
    """A version that moves gave another cluster tomorrow."""
    ((path, wrong, instead),) = told(changed(setting("install.istio.version", version)))
    assert path == "install.istio.version"
    assert wrong == f'"{version}" is not of the form that is needed'
    assert instead.startswith("text that matches ^v?")


def test_a_source_is_one_word() -> None:
    """A blank in an address was found out by Helm."""
    ((path, _, instead),) = told(changed(setting("install.istio.base", "oci://a b")))
    assert (path, bool(instead)) == ("install.istio.base", True)


@pytest.mark.pinned("install", "images from a mirror", "nothing pulls images in the bed")
def test_images_come_from_a_mirror_where_one_is_set() -> None:
    """An air-gapped cluster pulled from a registry that it cannot reach."""
    install = settings_of(full_values()).install
    assert install.istio.image_registry == "mirror.example.com/istio"
    assert install.envoy_gateway.image_registry == "mirror.example.com"


def test_credentials_name_a_secret_that_is_there() -> None:
    """A release asked for a password that nobody had set, in the middle of `up`."""
    registry = {"username": "robot", "passwordSecret": "charts"}
    assert told(changed(setting("install.chartRegistry", registry))) == [
        (
            "install.chartRegistry.passwordSecret",
            "there is no `charts` under secrets",
            "`pulumi config set --secret --path secrets.charts`, or a name that is there",
        )
    ]


_BAD_SECRETS: dict[str, Any] = {
    "the value itself": _SECRET,
    "a list": [_SECRET],
    "a map in a map": {"charts": {"password": _SECRET}},
    "a list of maps": {"charts": [{"password": _SECRET}]},
    "a name that is none": {"Charts Password": _SECRET},
    "a number": {"charts": 20261123},
    "nothing": None,
    "no entries": {},
    "an empty value": {"charts": ""},
    "a null value": {"charts": None},
}


@pytest.mark.parametrize("kind", _BAD_SECRETS)
def test_bad_secrets_are_refused_and_never_shown(kind: str) -> None:
    """A password stood in the report of a build, for everyone to read."""
    with pytest.raises(SettingsError) as error:
        settings_of(changed(setting("secrets", _BAD_SECRETS[kind])))
    assert error.value.problems
    assert all(problem.path[0] == "secrets" and problem.instead for problem in error.value.problems)
    assert _SECRET not in str(error.value)
    assert "20261123" not in str(error.value)


def _misspelt_section(values: Values) -> None:
    values["secret"] = {"charts": _SECRET}


def test_a_misspelt_section_of_secrets_is_not_shown_either() -> None:
    """As above, where the key itself is misspelt."""
    with pytest.raises(SettingsError) as error:
        settings_of(changed(_misspelt_section))
    assert [problem.instead for problem in error.value.problems] == ["did you mean `secrets`?"]
    assert _SECRET not in str(error.value)


def test_settings_hold_the_names_of_secrets_only() -> None:
    """A secret's value came into the plan, and from there into a manifest."""
    values = changed(setting("secrets", {"charts": _SECRET}), full_values())
    accepted = settings_of(values)
    assert accepted.secrets == frozenset({"charts"})
    assert _SECRET not in accepted.model_dump_json()
    assert _SECRET not in repr(accepted)


def test_secrets_stay_unseen_when_something_else_is_wrong() -> None:
    """A bad port elsewhere printed the whole input."""
    values = changed(setting("secrets", {"charts": _SECRET}), full_values())
    with pytest.raises(SettingsError) as error:
        settings_of(changed(setting("cluster.name", 1), values))
    assert _SECRET not in f"{error.value}{error.value!r}{error.value.__cause__}"


def test_an_envoy_gateway_with_a_known_escape_is_refused() -> None:
    """A version below the fix was installed because only a comment spoke of it."""
    assert told(changed(setting("install.envoyGateway.version", "v1.9.0"))) == [
        ("install.envoyGateway.version", "v1.9.0 lets a tenant escape by securityContext", "v1.9.1 or newer")
    ]
