"""What holds for every address, approval and range: spellings do not matter, and grants work one way only."""

import datetime as dt
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from policy.facts.addresses import canonical_network, classify, parse_address, parse_network
from policy.facts.names import NameClass, classify_name, parse_hostname
from policy.facts.special_ranges import SPECIAL_RANGES, AddressClass
from policy.registry import judge
from policy.rule import ClusterRange, Context, Grants, PrivateRange, RuleException, Severity, Violation
from policy.subjects import subjects_of

CONTEXT = Context(today=dt.date(2026, 11, 23))
DENIED = [row.network for row in SPECIAL_RANGES if row.address_class is not AddressClass.PUBLIC]


@st.composite
def denied_addresses(draw: st.DrawFn) -> IPv4Address | IPv6Address:
    """An address that no context without approvals lets through."""
    network = draw(st.sampled_from(DENIED))
    address = network[draw(st.integers(0, network.num_addresses - 1))]
    # ::/0 is the row of what is not allocated; public addresses and embedded public ones lie in it too.
    return address if classify(address) is not AddressClass.PUBLIC else IPv4Address("127.0.0.1")


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), denied_addresses())


@st.composite
def spelled(draw: st.DrawFn, address: IPv4Address | IPv6Address) -> str:
    """`address` in one of its accepted spellings, or mapped, or behind NAT64."""
    if isinstance(address, IPv4Address):
        prefix = draw(st.sampled_from(["", "::ffff:", "64:ff9b::"]))
        tail = draw(st.sampled_from([str(address), f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"]))
        text = str(address) if prefix == "" else prefix + tail
    else:
        text = draw(st.sampled_from([str(address), address.exploded]))
    return draw(st.sampled_from([text, text.upper(), text.lower()]))


def _backend(address: str, port: int = 8080) -> dict[str, object]:
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "n9e", "namespace": "apps"},
        "spec": {"endpoints": [{"ip": {"address": address, "port": port}}]},
    }


def _judge(address: str, context: Context = CONTEXT, port: int = 8080) -> list[Violation]:
    return [v for v in judge(subjects_of(_backend(address, port)), context) if v.severity is Severity.BLOCK]


@given(st.data())
def test_any_spelling_of_a_denied_address_is_denied(data: st.DataObject) -> None:
    """Guards against a spelling or an embedding that one reader understands and the rules do not."""
    address = data.draw(denied_addresses())
    assert _judge(data.draw(spelled(address))) != []


@given(st.data())
def test_every_spelling_of_an_address_has_the_same_verdict(data: st.DataObject) -> None:
    """Guards against rules that judge text and not addresses."""
    address = data.draw(addresses)
    ids = [[v.rule.id for v in _judge(data.draw(spelled(address)))] for _ in range(2)]
    assert ids[0] == ids[1]


@given(addresses)
def test_canonicalising_twice_is_canonicalising_once(address: IPv4Address | IPv6Address) -> None:
    """Guards against a form that changes each time it is read."""
    once = canonical_network(parse_network(str(address)))
    assert canonical_network(once) == once
    assert parse_address(str(parse_address(str(address)))) == address


@given(st.from_regex(r"[A-Za-z0-9-]{1,8}(\.[A-Za-z0-9-]{1,8}){0,3}", fullmatch=True))
def test_reading_a_name_twice_is_reading_it_once(text: str) -> None:
    """Guards against a name whose class depends on how often it was read."""
    try:
        name = parse_hostname(text)
    except ValueError:
        return
    assert parse_hostname(name) == name
    assert isinstance(classify_name(name), NameClass)


@st.composite
def networks(draw: st.DrawFn) -> IPv4Network | IPv6Network:
    """A network of any size that somebody might name."""
    if draw(st.booleans()):
        return IPv4Network((draw(st.ip_addresses(v=4)), draw(st.integers(8, 32))), strict=False)
    return IPv6Network((draw(st.ip_addresses(v=6)), draw(st.integers(16, 128))), strict=False)


private = st.sampled_from(["10.20.1.5", "192.168.7.7", "100.64.3.3", "fd12::1", "::ffff:10.20.1.5", "64:ff9b::a14:105"])
grants = st.builds(
    Grants,
    private_ranges=st.lists(
        st.builds(
            PrivateRange,
            network=st.one_of(networks(), st.just(parse_network("10.0.0.0/8")), st.just(parse_network("fd00::/8"))),
            ports=st.one_of(st.none(), st.frozensets(st.sampled_from([8080, 443]))),
        ),
        max_size=3,
    ).map(tuple),
    cluster_ranges=st.lists(st.builds(ClusterRange, network=networks(), what=st.just("pods")), max_size=3).map(tuple),
)


@given(st.one_of(private, addresses.map(str)), grants, grants)
def test_adding_an_approval_never_blocks_more(address: str, some: Grants, more: Grants) -> None:
    """Guards against an approval that makes something worse."""
    both = replace(some, private_ranges=some.private_ranges + more.private_ranges)
    before = {v.rule.id for v in _judge(address, replace(CONTEXT, grants=some))}
    after = {v.rule.id for v in _judge(address, replace(CONTEXT, grants=both))}
    assert after <= before


@given(st.one_of(private, addresses.map(str)), grants, grants)
def test_adding_a_range_of_the_cluster_never_allows_more(address: str, some: Grants, more: Grants) -> None:
    """Guards against a denial that opens something else."""
    both = replace(some, cluster_ranges=some.cluster_ranges + more.cluster_ranges)
    before = _judge(address, replace(CONTEXT, grants=some))
    after = _judge(address, replace(CONTEXT, grants=both))
    assert after != [] or before == []


@given(denied_addresses(), grants)
def test_nothing_approves_what_is_never_approvable(address: IPv4Address | IPv6Address, some: Grants) -> None:
    """Guards against an approval of 0.0.0.0/0 that opens loopback or metadata."""
    approvable = {AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.UNIQUE_LOCAL}
    everything = (PrivateRange(network=parse_network("0.0.0.0/0")), PrivateRange(network=parse_network("::/0")))
    context = replace(CONTEXT, grants=replace(some, private_ranges=everything))
    if classify(address) not in approvable:
        assert _judge(str(address), context) != []


@given(st.one_of(private, addresses.map(str)), st.sampled_from(["EGR101", "EGR102", "EGR107", "EGR108", "EGR110"]))
def test_an_exception_takes_away_no_more_than_its_rule(address: str, rule: str) -> None:
    """Guards against an exception that excuses a second defect."""
    granted = RuleException(
        label="legacy",
        rule=rule,
        ref=subjects_of(_backend(address))[0].ref,
        owner="team-a",
        reason="old",
        ticket="SEC-1",
        expires=dt.date(2029, 12, 31),
    )
    before = {v.rule.id for v in _judge(address, port=10250)}
    after = {v.rule.id for v in _judge(address, replace(CONTEXT, grants=Grants(exceptions=(granted,))), port=10250)}
    assert before - after <= {rule}
    assert after <= before
