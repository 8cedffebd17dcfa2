"""Names of objects: valid, unique, and the same for ever."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan.names import LIMIT, kube_name
from components.plan.objects import MANAGED_BY
from tests.declarations import declarations, large
from tests.every_key import rich_values
from tests.support import Values, dev_values, full_values, objects, of_kind, plan_of

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def _check(values: Values) -> None:
    found = objects(plan_of(values))
    names = Counter((item.api_version.partition("/")[0], item.kind, item.namespace, item.name) for item in found)
    assert [name for name, count in names.items() if count > 1] == []
    assert [item.name for item in found if not _LABEL.fullmatch(item.name) or len(item.name) > LIMIT] == []
    assert all(MANAGED_BY.items() <= item.metadata["labels"].items() for item in found)


@settings(max_examples=60, deadline=None)
@given(values=declarations())
def test_names_are_valid_and_unique(values: Values) -> None:
    """Two objects of a kind had one name, so one overwrote the other; or a name that the API server refuses."""
    _check(values)


@pytest.mark.parametrize("values", [dev_values(), full_values(), large(1000, 20)], ids=["dev", "full", "large"])
def test_names_of_real_declarations_are_valid_and_unique(values: Values) -> None:
    """As above, for the declarations that are really used."""
    _check(values)


@pytest.mark.parametrize("posture", ["observe", "enforce"])
def test_names_are_unique_where_everything_is_asked_for(posture: str) -> None:
    """Two gateways' objects had one name, and the preview ended in an error of ours."""
    values = rich_values()
    values["egress"]["posture"] = posture
    _check(values)


@settings(max_examples=40, deadline=None)
@given(values=declarations())
def test_names_inside_objects_are_unique_and_short_enough(values: Values) -> None:
    """Two servers of a Gateway, two subsets or two ports had one name; istiod drops the second without a word."""
    plan = plan_of(values)
    for gateway in of_kind(plan.egress_gateway, "Gateway"):
        names = [server["port"]["name"] for server in gateway.spec["servers"]]
        assert len(names) == len(set(names))
    for rule in of_kind(plan, "DestinationRule"):
        subsets = [subset["name"] for subset in rule.spec["subsets"]]
        assert len(subsets) == len(set(subsets))
        assert all(_LABEL.fullmatch(name) and len(name) <= LIMIT for name in subsets)
    for entry in of_kind(plan, "ServiceEntry"):
        ports = [port["name"] for port in entry.spec["ports"]]
        assert len(ports) == len(set(ports))
    service = plan.egress_gateway.releases[0].values["service"]["ports"]
    assert len({port["name"] for port in service}) == len({port["port"] for port in service}) == len(service)
    assert all(len(port["name"]) <= 15 for port in service)  # Kubernetes: a Service's port name


@settings(max_examples=40, deadline=None)
@given(values=declarations())
def test_snis_are_valid_names_and_lead_to_one_chunk(values: Values) -> None:
    """Two chunks had one SNI, so that one's clients were let into the other's routes."""
    snis = [service.spec["hosts"][-1] for service in of_kind(plan_of(values), "VirtualService")]
    assert len(snis) == len(set(snis))
    assert all(sni.endswith(".egress.internal") and len(sni) <= 253 for sni in snis)
    assert all(_LABEL.fullmatch(label) and len(label) <= 63 for sni in snis for label in sni.split("."))


@given(parts=st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=4))
def test_kube_name_is_always_a_label(parts: list[str]) -> None:
    """A long or odd part gave a name that the API server refuses."""
    name = kube_name(*parts)
    assert _LABEL.fullmatch(name)
    assert len(name) <= LIMIT


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("news", "a1b2c3"), "news-a1b2c3"),
        (("a" * 63,), "a" * 63),
        (("News",), "news-69752f23"),
        (("a.b", "c"), "a-b-c-ab8bb2e3"),
    ],
)
def test_kube_name_is_pinned(parts: tuple[str, ...], name: str) -> None:
    """A change in how names are made renames, and so replaces, every object of every cluster."""
    assert kube_name(*parts) == name


def test_names_that_differ_only_where_they_are_cut_stay_different() -> None:
    """Two long names were cut to the same one."""
    assert kube_name("a" * 70, "x") != kube_name("a" * 70, "y")
    assert kube_name("a.b") != kube_name("a-b")
    assert len(kube_name("a" * 70)) == LIMIT


def test_names_of_the_dev_stack_are_pinned() -> None:
    """A refactoring renamed live objects."""
    egress = plan_of(dev_values()).egress_gateway
    assert [(item.kind, item.name) for item in objects(egress.groups)] == [
        ("Gateway", "news-shop-36e7e30a"),
        ("AuthorizationPolicy", "news-shop-36e7e30a"),
        ("VirtualService", "news-shop-36e7e30a-0"),
        ("ServiceEntry", "news-shop-36e7e30a-http80-tls443-0"),
    ]
