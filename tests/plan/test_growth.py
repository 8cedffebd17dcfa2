"""Scale: how many objects a declaration needs, and how few of them one host more touches."""

import random

import pytest

from components.plan import Plan
from tests.declarations import KINDS, large, with_host
from tests.plan.projections import content
from tests.support import Values, of_kind, plan_of

_MOST_CHANGED = 5
_MANY = 25


def _difference(before: Plan, after: Plan) -> tuple[list[str], list[str], list[str]]:
    """Kinds of the objects that were changed, added and removed."""
    old, new = content(before), content(after)
    return (
        sorted(key[0] for key in old.keys() & new.keys() if old[key] != new[key]),
        sorted(key[0] for key in new.keys() - old.keys()),
        sorted(key[0] for key in old.keys() - new.keys()),
    )


@pytest.fixture(scope="module", params=[1, 2], ids=["one namespace each", "two namespaces each"])
def thousand(request: pytest.FixtureRequest) -> tuple[int, Values, Plan]:
    """1,000 mixed hosts in 20 client groups: namespaces per group, the declaration, its plan."""
    values = large(1000, 20, namespaces_each=request.param)
    return request.param, values, plan_of(values)


def test_adding_a_host_changes_at_most_five_objects_and_removes_none(thousand: tuple[int, Values, Plan]) -> None:
    """One new host rewrote dozens of objects, or replaced some, which cuts their traffic.

    Within its chunk: ServiceEntry, VirtualService and Gateway. Where that makes a chunk split: also each namespace's
    DestinationRule, which learns the new chunk's SNI, beside its new VirtualService. So 3 + (namespaces of the group)
    are changed: at most five for a group of two namespaces.
    """
    namespaces, values, before = thousand
    seed = random.Random(namespaces)  # noqa: S311 nothing secret about test data
    splits = 0
    for number in range(_MANY):
        destination = seed.choice(sorted(values["destinations"]))
        after = plan_of(with_host(values, destination, f"new-{number}.example.net"))
        modified, added, removed = _difference(before, after)
        assert removed == []
        if "VirtualService" in added:
            splits += 1
            assert added == ["VirtualService"]
            assert len(modified) <= 3 + namespaces <= _MOST_CHANGED
        else:
            assert added == []
            assert len(modified) <= 3
        assert modified.count("DestinationRule") <= namespaces
    assert splits < _MANY / 2


@pytest.mark.parametrize("namespaces_each", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_growing_host_by_host_over_chunk_splits_never_removes_an_object(kind: str, namespaces_each: int) -> None:
    """The host that overfills a chunk renamed it, so its VirtualService was replaced.

    A split changes ServiceEntry, VirtualService, Gateway and a DestinationRule a namespace, and adds a VirtualService;
    any other step changes the first three.
    """
    values = large(40, 2, namespaces_each=namespaces_each, kinds=(kind,))
    before, splits = plan_of(values), 0
    for number in range(60):
        values = with_host(values, f"group-0-{kind}", f"grown-{number}.example.net")
        after = plan_of(values)
        modified, added, removed = _difference(before, after)
        assert removed == []
        if added:
            splits += 1
            assert added == ["VirtualService"]
            assert modified == sorted(
                ["Gateway", "ServiceEntry", "VirtualService"] + ["DestinationRule"] * namespaces_each
            )
        else:
            assert modified == ["Gateway", "ServiceEntry", "VirtualService"]
        before = after
    assert splits >= 1


def test_adding_a_host_to_a_chunk_whose_ports_have_different_clients_changes_at_most_five() -> None:
    """As above, where the AuthorizationPolicy also names every host, and no host so far has the same ports."""
    values = large(60, 2)
    shared = values["destinations"]["group-0-http"]["hosts"][0]
    values["destinations"]["extra"] = {
        **values["destinations"]["group-0-both"],
        "hosts": [shared],
        "ports": {"https": {"port": 443, "protocol": "TLS"}},
        "clients": {"ns-1": {"serviceAccounts": ["app"]}},
    }
    other = {**values["destinations"]["group-0-http"], "hosts": ["second.example.net"]}
    both_clients = {"ns-0": {"serviceAccounts": ["app"]}, "ns-1": {"serviceAccounts": ["app"]}}
    added_host = {**values["destinations"], "fourth": {**other, "clients": both_clients}}
    modified, added, removed = _difference(plan_of(values), plan_of({**values, "destinations": added_host}))
    assert (removed, added) == ([], ["ServiceEntry"])
    assert modified == ["AuthorizationPolicy", "Gateway", "VirtualService"]


def test_a_host_on_a_new_port_with_new_addresses_changes_at_most_five() -> None:
    """The gateway's Service and NetworkPolicy learn the port as well, and nothing else may."""
    values = large(60, 2)
    entry = {
        **values["destinations"]["group-0-http"],
        "hosts": ["second.example.net"],
        "ports": {"http": {"port": 8080, "protocol": "HTTP"}},
        "cidrs": ["8.8.8.0/24"],
    }
    after = plan_of({**values, "destinations": {**values["destinations"], "more": entry}})
    modified, added, removed = _difference(plan_of(values), after)
    assert (removed, added) == ([], ["ServiceEntry"])
    assert modified == ["Gateway", "NetworkPolicy", "Release", "VirtualService"]


@pytest.mark.pinned("growth", "a thousand hosts in twenty groups", "the bed applies stacks of the repository")
def test_a_thousand_hosts_in_twenty_groups_need_few_objects(thousand: tuple[int, Values, Plan]) -> None:
    """Objects grew with hosts instead of groups, and previews with them: 5 ms an object in the SDK alone."""
    _, _, plan = thousand
    count = {kind: len(of_kind(plan, kind)) for kind in ("ServiceEntry", "Gateway", "AuthorizationPolicy", "Sidecar")}
    # One Gateway, AuthorizationPolicy and ServiceEntry are those of Envoy Gateway and the default deny.
    assert count == {"ServiceEntry": 61, "Gateway": 21, "AuthorizationPolicy": 21, "Sidecar": 20}
    assert len(of_kind(plan, "DestinationRule")) == 20
    assert len(of_kind(plan, "VirtualService")) <= 60
    assert len(content(plan)) <= 240


def _routes(plan: Plan) -> int:
    return sum(
        len(service.spec.get(kind, []))
        for service in of_kind(plan, "VirtualService")
        for kind in ("http", "tls", "tcp")
    )


def _in_envoy(plan: Plan) -> int:
    """Routes after istiod has cloned a VirtualService's HTTP routes of a port into each of its hosts there."""
    total = 0
    for service in of_kind(plan, "VirtualService"):
        own = [
            match["port"] for route in service.spec.get("http", []) for match in route["match"] if "authority" in match
        ]
        total += sum(own.count(port) ** 2 for port in set(own)) + len(service.spec.get("tcp", []))
    return total


def test_routes_grow_linearly_with_hosts() -> None:
    """Ten times the hosts made a hundred times the routes, and the gateway ran out of memory."""
    sizes = (100, 300, 1000, 3000)
    written = {size: _routes(plan_of(large(size, 4))) / size for size in sizes}
    cloned = {size: _in_envoy(plan_of(large(size, 4))) / size for size in sizes}
    # HTTP 80, TLS 443 and both in turn: 2/3 HTTP routes and 2/3 x 2 TLS routes a host, and one a chunk.
    assert all(2 <= each <= 2.2 for each in written.values())
    assert max(cloned.values()) <= 64
    assert cloned[3000] <= 1.6 * cloned[1000]


def test_gateway_ports_do_not_grow_with_hosts() -> None:
    """Every TLS host took a port of the gateway's Service, which then changed with every host."""
    few, many = plan_of(large(30, 2)), plan_of(large(1000, 2))
    assert few.egress_gateway.releases == many.egress_gateway.releases
    assert few.gateway_policies == many.gateway_policies
