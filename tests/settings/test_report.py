"""One report for everything: all problems at once, each with its place, in the same form."""

import contextlib
import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.settings import Problem, SettingsError, report
from components.settings.problems import did_you_mean, dotted, shown
from tests.settings.mutations import Mutation, mutations
from tests.support import FILE, Values, changed, dev_values, full_values, problems_of, settings_of

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_SECTIONS = st.sampled_from(["cluster", "egress", "destinations", "backends", "install", "secrets", "other"])


def _paths(values: Values) -> list[str]:
    return [problem.dotted_path for problem in problems_of(values)]


def _everything_wrong(values: Values) -> None:
    values["cluster"]["name"] = "Dev"
    values["cluster"]["namespaces"]["shop"]["role"] = "clinet"
    values["egress"]["posture"] = "off"
    values["egress"]["nodes"]["taints"] = {}
    edition = values["destinations"]["edition-cnn"]
    edition |= {"expires": "2020-01-01", "ownr": "team"}
    edition["clients"]["nwes"] = {"serviceAccounts": ["reader"]}
    values["destinations"]["second"] = {**edition, "hosts": ["*.cnn.com"], "expires": "soon"}
    values["backends"]["n9e"]["endpoints"][0] = {"ip": "1.2.3", "port": 0}
    values["backends"]["httpbin"]["hostnames"].append("n9e.jiaxzeng.com")
    values["install"] = {
        "istio": {"namespace": "news"},
        "chartRegistry": {"username": "robot", "passwordSecret": "charts"},
    }
    values["other"] = 1


def test_everything_is_reported_at_once() -> None:
    """The operator mended one thing, ran again, and learned of the next, a dozen times."""
    assert _paths(changed(_everything_wrong)) == [
        "backends.n9e.endpoints[0].ip",
        "backends.n9e.endpoints[0].port",
        "cluster.name",
        "cluster.namespaces.shop.role",
        "destinations.edition-cnn.clients.nwes",
        "destinations.edition-cnn.expires",
        "destinations.edition-cnn.ownr",
        "destinations.second.clients.nwes",
        "destinations.second.expires",
        "destinations.second.hosts[0]",
        "destinations.second.ownr",
        "egress.nodes.taints",
        "egress.posture",
        "install.chartRegistry.passwordSecret",
        "install.istio.namespace",
        "other",
    ]


def test_a_bad_value_hides_no_clash_between_entries() -> None:
    """A wrong ticket in one destination kept quiet that another claims its host."""

    def change(values: Values) -> None:
        first = values["destinations"]["edition-cnn"]
        ports = {"web": {"port": 443, "protocol": "HTTP"}}
        values["destinations"]["second"] = {**first, "ports": ports, "ticket": 7}
        values["egress"]["mesh"]["flavour"] = "none"

    assert _paths(changed(change)) == [
        "destinations.second.ports.web.protocol",
        "destinations.second.ticket",
        "egress.mesh.flavour",
    ]


def test_the_report_names_file_place_fault_and_remedy() -> None:
    """The form changed, and tools that read it found nothing."""
    with pytest.raises(SettingsError) as error:
        settings_of(changed(lambda values: values["cluster"].update(name="Dev", nmae="dev")))
    assert str(error.value) == "\n".join(
        [
            f"{FILE}: 2 problems",
            '  cluster.name: "Dev" is not an entry\'s name',
            "    instead: 1 to 40 of a-z, 0-9 and `-`, for example `edition-cnn`",
            "  cluster.nmae: unknown key `nmae`",
            "    instead: did you mean `name`?",
        ]
    )


def test_one_problem_is_singular_and_files_have_their_own_headings() -> None:
    """Problems of two files stood under one heading."""
    problems = [Problem(file=file, path=("a", 0, "b"), wrong="is wrong", instead="right") for file in ("x", "y")]
    assert report(problems) == "\n".join(
        f"{file}: 1 problem\n  a[0].b: is wrong\n    instead: right" for file in ("x", "y")
    )


def test_problems_are_sorted_and_there_once() -> None:
    """One mistake filled the screen, in another order every time."""
    two = [Problem(file="f", path=(name,), wrong="w", instead="i") for name in ("b", "a", "b")]
    assert [problem.path for problem in SettingsError(two).problems] == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("path", "text"),
    [((), "(the whole file)"), (("a",), "a"), (("a", 0), "a[0]"), (("a", 0, "b", 12), "a[0].b[12]")],
)
def test_paths_read_as_in_the_file(path: tuple[str | int, ...], text: str) -> None:
    """A path could not be found in the file."""
    assert dotted(path) == text


@pytest.mark.parametrize(
    ("word", "known", "text"),
    [
        ("posrt", ["port", "ports"], "did you mean `port`?"),
        ("x", ["b", "a"], "one of: a, b"),
        ("x", [], "remove it: nothing is known here"),
    ],
)
def test_unknown_words_get_the_nearest_or_all(word: str, known: list[str], text: str) -> None:
    """The operator was sent to the documentation for one letter."""
    assert did_you_mean(word, known) == text


def test_values_are_shown_as_json() -> None:
    """A line break in a value broke the report's form, or `"3"` looked like `3`."""
    assert (shown("3"), shown(3), shown("a\nb"), shown(None)) == ('"3"', "3", '"a\\nb"', "null")


def _check_anything(values: Values) -> None:
    problems = problems_of(values)
    text = str(SettingsError(problems))
    for problem in problems:
        assert f"  {problem.dotted_path}: {problem.wrong}\n    instead: {problem.instead}" in text
        assert problem.wrong
        assert problem.instead


@settings(max_examples=150, deadline=None)
@given(values=st.dictionaries(_SECTIONS, _JSON, max_size=7))
def test_any_input_gives_settings_or_a_report(values: Values) -> None:
    """Some input ended in a traceback, or in a report without one of its problems."""
    _check_anything(values)


@settings(max_examples=250, deadline=None)
@given(
    changes=st.lists(st.tuples(st.sampled_from(list(mutations(full_values()))), _JSON), min_size=1, max_size=3),
    values=st.sampled_from([full_values(), dev_values()]),
)
def test_anything_in_any_place_gives_settings_or_a_report(
    changes: list[tuple[Mutation, object]], values: Values
) -> None:
    """As above, where most of the declaration is good, so that every check gets to see the bad value."""
    for mutation, value in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):  # an earlier change took the place away
            values = dataclasses.replace(mutation, value=value, renamed=None).of(values)
    _check_anything(values)


def test_settings_are_frozen_and_equal_by_value() -> None:
    """Something changed the settings after they were checked."""
    one, other = settings_of(dev_values()), settings_of(dev_values())
    assert one == other
    with pytest.raises(Exception, match="frozen"):
        one.cluster.name = "other"
