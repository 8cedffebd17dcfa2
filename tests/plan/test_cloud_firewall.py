"""Cloud Firewall's allowlist: exactly what is declared and leaves by the NAT gateway, and at last one for the rest."""

import ipaddress
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan.cloud.firewall import AddressBook, FirewallPlan
from tests.declarations import declarations, large, with_host
from tests.every_cloud_key import flannel_values, on_cloud, terway_values
from tests.plan.cloud_plans import firewall_of, let_pass
from tests.support import Values, changed, plan_of, setting

_TLS = {443: "HTTPS", 465: "SMTPS", 993: "IMAPS", 995: "POPS"}
_Pairs = set[tuple[str, str, str, int | None, str]]


def _sources(values: Values) -> list[str]:
    zones = values["egress"]["nodes"]["zones"].values()
    return [zone.get("pods", zone["nodes"]) for zone in zones]


def _projected(values: Values) -> _Pairs:
    """The declaration as this firewall sees it, worked out anew, with the backends of `dev`."""
    seen: set[tuple[str, str, int, str]] = set()
    for destination in values["destinations"].values():
        for host in destination["hosts"]:
            for port in destination["ports"].values():
                number = port["port"]
                if port["protocol"] == "TLS":
                    seen.add(("domain", host, number, _TLS.get(number, "SSL")))
                elif port["protocol"] == "HTTP":
                    seen.add(("domain", host, number, "HTTP"))
                elif "cidrs" in destination:
                    seen |= {("ip", cidr, number, "ANY") for cidr in destination["cidrs"]}
                else:
                    seen.add(("domain", host, number, "ANY"))
    seen |= {("ip", f"172.139.20.18{last}/32", 17000, "ANY") for last in (1, 3)}
    seen.add(("domain", "httpbin.org", 80, "ANY"))
    return {(source, *each) for source in _sources(values) for each in seen}


def _without_ipv6(values: Values) -> Values:
    for destination in values["destinations"].values():
        cidrs = [each for each in destination.get("cidrs", ()) if ":" not in each]
        destination.pop("cidrs", None)
        if cidrs:
            destination["cidrs"] = cidrs
    return values


@settings(max_examples=60, deadline=None)
@given(values=declarations(), pod_network=st.sampled_from(["flannel", "terway"]))
def test_what_passes_is_exactly_what_is_declared(values: Values, pod_network: str) -> None:
    """A host was open on another's port, or a declared one was cut off."""
    values = on_cloud(_without_ipv6(values), pod_network)
    assert set(let_pass(firewall_of(values))) == _projected(values)


@settings(max_examples=30, deadline=None)
@given(values=declarations(), books=st.integers(2, 5))
def test_splitting_books_changes_nothing_of_it(values: Values, books: int) -> None:
    """A book that overflowed lost a name, or held it twice."""
    values = on_cloud(_without_ipv6(values), "flannel")
    values["cloud"]["limits"] |= {"addressesPerBook": books, "domainsPerBook": books}
    plan = firewall_of(values)
    pairs = list(let_pass(plan))
    assert set(pairs) == _projected(values)
    assert len(pairs) == len(set(pairs))
    assert all(len(book.entries) <= books for book in plan.destinations)


@settings(max_examples=30, deadline=None)
@given(values=declarations(posture="observe"))
def test_observing_logs_what_enforcing_drops(values: Values) -> None:
    """`observe` cut something off; or promoting it made other policies than the last one change."""
    values = on_cloud(_without_ipv6(values), "terway")
    *allowed, last = firewall_of(values).policies
    *others, dropped = firewall_of(changed(setting("egress.posture", "enforce"), values)).policies
    assert allowed == others
    assert (last.action, dropped.action) == ("log", "drop")
    assert last.name == dropped.name
    assert last.order == dropped.order == len(allowed) + 1


@pytest.mark.parametrize("values", [flannel_values(), terway_values()], ids=["flannel", "terway"])
def test_the_last_policy_is_for_everything_and_no_other_is(values: Values) -> None:
    """What no policy fits passes a NAT firewall, so that without a last one nothing was shut."""
    *allowed, last = firewall_of(values).policies
    assert (last.source, last.destination, last.port) == (None, None, None)
    assert (last.protocol, last.application, last.action) == ("ANY", "ANY", "drop")
    for policy in allowed:
        assert policy.action == "accept"
        assert policy.source is not None
        assert policy.source.entries
        assert policy.destination is not None
        assert policy.destination.entries
        assert policy.port is not None
        assert policy.protocol == "TCP"


def test_orders_are_contiguous_from_one() -> None:
    """The firewall moved policies that had no place of their own."""
    plan = firewall_of(flannel_values())
    assert [policy.order for policy in plan.policies] == list(range(1, len(plan.policies) + 1))


def test_an_external_firewall_is_not_ours() -> None:
    """Another vendor's firewall stood behind one of ours."""
    plan = plan_of(changed(setting("egress.firewall", {"mode": "external"}), terway_values()))
    assert plan.cloud is not None
    assert plan.cloud.firewall is None


@pytest.mark.parametrize("length", [1, 40])
def test_names_are_such_as_the_firewall_takes(length: int) -> None:
    """The firewall refused its own name: 4 to 50 letters, digits and underscores, and none of these first."""
    values = changed(setting("cluster.name", "c" * length), flannel_values())
    plan = firewall_of(values)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]{3,49}", plan.name)
    names = [book.name for book in (*plan.sources, *plan.destinations)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,63}", name) for name in names)


_MANY = 400
_BOOK = 60


@pytest.fixture(scope="module")
def many() -> Values:
    """Hundreds of hosts, in books that are full soon."""
    values = on_cloud(large(_MANY, 4), "flannel")
    values["cloud"]["limits"] |= {"domainsPerBook": _BOOK, "networkPolicies": 1000}
    return values


def _books(plan: FirewallPlan) -> dict[str, AddressBook]:
    return {book.name: book for book in (*plan.sources, *plan.destinations)}


def test_a_new_host_changes_one_book_and_no_order(many: Values) -> None:
    """Adding a destination rewrote the firewall, and so interrupted it."""
    before = firewall_of(many)
    whole = 0
    for number in range(20):
        after = firewall_of(with_host(many, "group-0-http", f"new-{number}.example.net"))
        old, new = _books(before), _books(after)
        if old.keys() == new.keys():
            whole += 1
            assert sum(old[name] != new[name] for name in old) == 1
            assert [(each.name, each.order) for each in before.policies] == [
                (each.name, each.order) for each in after.policies
            ]
    assert whole >= 15


def test_while_a_book_is_split_nothing_declared_is_cut_off() -> None:
    """Half of a book left it before the policy for where it went was in force."""
    values, splits = on_cloud(large(4, 1, kinds=("tls",)), "flannel"), 0
    values["cloud"]["limits"]["domainsPerBook"] = 4
    before = firewall_of(values)
    for number in range(40):
        values = with_host(values, "group-0-tls", f"new-{number}.example.net")
        after = firewall_of(values)
        splits += _checked_step_by_step(before, after)
        before = after
    assert splits >= 8


def _checked_step_by_step(before: FirewallPlan, after: FirewallPlan) -> bool:
    """Has books and policies of `after` come one by one, in their order, to those of `before`."""
    declared = set(let_pass(before))
    there: dict[str, _Pairs] = {each.name: _pairs(before, each.name) for each in before.policies}
    for policy in after.policies:
        there[policy.name] = _pairs(after, policy.name)
        assert declared <= set().union(*there.values()), policy.name
    return len(after.policies) > len(before.policies)


def _pairs(plan: FirewallPlan, name: str) -> _Pairs:
    (policy,) = [each for each in plan.policies if each.name == name]
    if policy.source is None or policy.destination is None:
        return set()
    kind = policy.destination.kind
    return {
        (source, kind, place, policy.port, policy.application)
        for source in policy.source.entries
        for place in policy.destination.entries
    }


def test_books_do_not_depend_on_the_order_of_the_declaration(many: Values) -> None:
    """Sorting the stack file moved hosts between books."""
    turned = {**many, "destinations": dict(reversed(many["destinations"].items()))}
    assert firewall_of(turned) == firewall_of(many)


def test_sources_are_the_vswitches_and_nothing_more() -> None:
    """Somebody else's vSwitch could leave by our policies."""
    for values in (flannel_values(), terway_values()):
        zones = values["egress"]["nodes"]["zones"].values()
        own = {ipaddress.ip_network(cidr) for zone in zones for cidr in zone.values()}
        for book in firewall_of(values).sources:
            assert {ipaddress.ip_network(each) for each in book.entries} <= own
