"""Limits: what is counted, and that one more than there is room for is refused before anything runs."""

from typing import Any

import pytest

from components.settings.cloud.limits import Limits
from tests.declarations import large
from tests.every_cloud_key import LIMITS, VARIANTS, flannel_values, on_cloud, terway_values
from tests.plan.cloud_plans import cloud_of
from tests.support import Values, asked, changed, just_enough, of_kind, plan_of, setting, settings_of

_DRIVEN_BY = {
    "natPolicies": "destinations",
    "internetPolicies": "destinations",
    "snatEntries": "egress.nodes.zones",
    "natGatewayEips": "egress.addresses.count",
    "accountEips": "egress.addresses.count",
    "addressBooks": "destinations",
    "addressesPerBook": "egress.nodes.zones",
    "firewallCallsPerMinute": "destinations",
    "networkPolicies": "cluster.namespaces",
    "securityGroupRules": "destinations",
    "vswitches": "egress.nodes.zones",
    "routeTables": "egress.addresses",
}
"""Where each limit is reported when it is exceeded. Names are in as many books as they need."""


def _used(values: Values) -> dict[str, int]:
    return {quota.name: quota.used for quota in cloud_of(values).quotas}


def _refused(values: Values) -> list[tuple[str, str, str]]:
    accepted = settings_of(values)
    return asked(accepted, just_enough(accepted))


@pytest.mark.parametrize("limit", _DRIVEN_BY)
def test_as_many_as_there_are_is_taken_and_one_more_is_not(limit: str) -> None:
    """A run failed half-way, at what the account has no more of; or the last one of something was never used."""
    values = flannel_values()
    used = _used(values)[limit]
    for room in (used + 1, used):
        assert _refused(changed(setting(f"cloud.limits.{limit}", room), values)) == []
    ((path, wrong, instead),) = _refused(changed(setting(f"cloud.limits.{limit}", used - 1), values))
    assert path == _DRIVEN_BY[limit]
    assert wrong.startswith(f"takes {used} of what cloud.limits.{limit} says that there are {used - 1} of")
    assert instead == f"less, or a higher cloud.limits.{limit}, where the account really has it"


@pytest.mark.parametrize(("hosts", "books"), [(9, 1), (10, 1), (11, 2)])
def test_names_that_fill_a_book_get_another(hosts: int, books: int) -> None:
    """The firewall refused a book, or a book for each name used up their number."""
    values = on_cloud(large(hosts, 1, kinds=("tls",)), "flannel")
    del values["backends"]
    values["cloud"]["limits"]["domainsPerBook"] = 10
    plan = cloud_of(values)
    assert plan.firewall is not None
    assert len(plan.firewall.destinations) == books
    assert _used(values)["domainsPerBook"] <= 10
    assert _refused(values) == []


@pytest.mark.parametrize(("cidrs", "books"), [(2, 1), (3, 1), (4, 2)])
def test_addresses_that_fill_a_book_get_another(cidrs: int, books: int) -> None:
    """As above, for addresses."""
    values = on_cloud(large(1, 1, kinds=("tls",)), "flannel")
    del values["backends"]
    ((_, destination),) = values["destinations"].items()
    destination["ports"] = {"sql": {"port": 5432, "protocol": "TCP"}}
    destination["cidrs"] = [f"93.184.{index}.0/24" for index in range(cidrs)]
    values["cloud"]["limits"]["addressesPerBook"] = 3
    plan = cloud_of(values)
    assert plan.firewall is not None
    assert len(plan.firewall.destinations) == books
    assert _refused(values) == []


def test_every_limit_is_counted() -> None:
    """A limit stood in the settings, and nobody looked at it."""
    assert set(_used(flannel_values())) == set(LIMITS) == {field.alias for field in Limits.model_fields.values()}


def test_what_is_not_created_is_not_counted() -> None:
    """A stack without a NAT gateway was refused for the addresses of one."""
    for variant in ("pod-vswitches", "host-network"):
        assert set(_used(VARIANTS[variant]())) == {"networkPolicies", "securityGroupRules", "vswitches"}


def test_policies_count_as_what_they_stand_for() -> None:
    """The firewall counts sources times destinations, and the account was full long before our own count was."""
    plan = cloud_of(flannel_values())
    assert plan.firewall is not None
    by_hand = 0
    for policy in plan.firewall.policies:
        sources = 1 if policy.source is None else len(policy.source.entries)
        by_hand += sources * (1 if policy.destination is None else len(policy.destination.entries))
    assert _used(flannel_values())["natPolicies"] == by_hand > len(plan.firewall.policies)


def test_calls_are_those_of_a_whole_refresh() -> None:
    """A refresh of a large allowlist was refused for the number of its calls, after the run that made it."""
    plan = cloud_of(flannel_values())
    assert plan.firewall is not None
    policies, books = len(plan.firewall.policies), len(plan.firewall.destinations) + len(plan.firewall.sources)
    assert _used(flannel_values())["firewallCallsPerMinute"] == 2 * policies
    alone = changed(setting("egress.firewall.internetBoundary", False), flannel_values())
    assert _used(alone)["firewallCallsPerMinute"] == max(policies, books)
    many = on_cloud(large(400, 1, kinds=("tls",)), "flannel")
    many["cloud"]["limits"] |= {"domainsPerBook": 4, "networkPolicies": 1000}
    plan = cloud_of(many)
    assert plan.firewall is not None
    books = len(plan.firewall.destinations) + len(plan.firewall.sources)
    assert 100 < books <= 150
    assert _used(many)["firewallCallsPerMinute"] == 3 * books


def test_the_preview_says_how_much_is_left() -> None:
    """Whoever read the preview had to subtract, and did not."""
    for quota in cloud_of(flannel_values()).quotas:
        assert quota.said["left"] == quota.limit - quota.used >= 0


def test_at_the_internet_boundary_the_elastic_addresses_are_the_sources() -> None:
    """As above, for what the internet boundary sees."""
    plan = cloud_of(flannel_values())
    assert plan.firewall is not None
    places = sum(len(each.destination.entries) if each.destination else 1 for each in plan.firewall.policies)
    assert _used(flannel_values())["internetPolicies"] == 3 * places
    assert "internetPolicies" not in _used(terway_values())


def test_snat_entries_are_counted_with_those_of_the_firewall() -> None:
    """The firewall found no room for its own entries on the NAT gateway."""
    assert _used(flannel_values())["snatEntries"] == 2 + 3
    external = changed(setting("egress.firewall", {"mode": "external"}), flannel_values())
    assert _used(external)["snatEntries"] == 2


@pytest.mark.parametrize("posture", ["observe", "enforce"])
def test_networkpolicies_are_counted_also_while_they_are_held_back(posture: str) -> None:
    """A stack was promoted, and the cluster had no room for its policies."""
    enforced = len(of_kind(plan_of(terway_values()), "NetworkPolicy"))
    assert _used(changed(setting("egress.posture", posture), terway_values()))["networkPolicies"] == enforced


def test_everything_exceeded_is_told_at_once() -> None:
    """One limit after the other was found, a run each."""

    def tighten(values: Values) -> None:
        values["cloud"]["limits"] |= {"vswitches": 3, "routeTables": 1, "accountEips": 2}

    found: list[Any] = _refused(changed(tighten, flannel_values()))
    assert sorted(path for path, _, _ in found) == [
        "egress.addresses",
        "egress.addresses.count",
        "egress.nodes.zones",
    ]


def test_each_limit_says_who_says_so() -> None:
    """A number stood in the preview that nobody could check."""
    assert all(quota.source for quota in cloud_of(flannel_values()).quotas)
