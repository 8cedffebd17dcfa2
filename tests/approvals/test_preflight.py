"""A stack file can ask; only its approvals can grant."""

from typing import Any

import pytest

from policy.approvals import Approvals
from tests.support import (
    APPROVALS_FILE,
    Values,
    approval,
    approvals_of,
    asked,
    changed,
    cluster_ranges,
    dev_approvals,
    dev_values,
    full_values,
    just_enough,
    platform,
    private_range,
    public_range,
    setting,
    settings_of,
)

_CIDRS = "destinations.edition-cnn.cidrs"
_INSIDE = "an address outside; in-cluster traffic needs no declaration"
_REAL = "the service's real address"


def _asked(values: Values, approvals: Approvals | None = None) -> list[tuple[str, str, str]]:
    accepted = settings_of(values)
    return asked(accepted, just_enough(accepted) if approvals is None else approvals)


def _with_cidrs(*cidrs: str) -> Values:
    return changed(setting(_CIDRS, list(cidrs)))


def test_the_dev_stack_is_approved() -> None:
    """The stack that everyone starts with was refused."""
    assert _asked(dev_values(), dev_approvals()) == []
    assert _asked(full_values()) == []


@pytest.mark.parametrize("section", ["podCidrs", "serviceCidrs", "nodeCidrs", "apiServerAddresses"])
@pytest.mark.parametrize(
    ("own", "cidr"),
    [
        ("13.1.0.0/16", "13.1.2.0/24"),
        ("13.1.0.0/16", "13.0.0.0/8"),
        ("13.1.0.0/16", "13.1.0.0/16"),
        ("13.1.0.0/16", "::ffff:d01:203/128"),
        ("13.1.0.0/16", "64:ff9b::d01:203/128"),
        ("2600:1::/32", "2600:1:2::/48"),
    ],
)
def test_the_cluster_s_own_addresses_are_never_outside(section: str, own: str, cidr: str) -> None:
    """A destination was a way to the API server, or to another team's pods, past every policy on them."""
    values = own
    if section == "apiServerAddresses":
        values = "13.1.2.3" if own.startswith("13.") else "2600:1:2::1"
    approvals = just_enough(settings_of(dev_values()), cluster=cluster_ranges(**{section: [values]}))
    found = _asked(_with_cidrs(cidr), approvals)
    assert (f"{_CIDRS}[0]", f"{cidr} is inside this cluster", _INSIDE) in found


@pytest.mark.parametrize(
    ("cidr", "kind"),
    [
        ("127.0.0.1/32", "loopback"),
        ("127.1.0.0/16", "loopback"),
        ("0.0.0.0/32", "unspecified"),
        ("169.254.169.254/32", "metadata"),
        ("100.100.100.200/32", "metadata"),
        ("168.63.129.16/32", "metadata"),
        ("169.254.1.0/24", "link-local"),
        ("224.0.0.0/24", "multicast"),
        ("255.255.255.255/32", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("198.18.0.0/24", "benchmarking"),
        ("::1/128", "loopback"),
        ("fe80::/64", "link-local"),
        ("ff02::1/128", "multicast"),
        ("fd00:ec2::254/128", "metadata"),
        ("::ffff:7f00:1/128", "loopback"),
        ("::ffff:a9fe:a9fe/128", "metadata"),
        ("64:ff9b::7f00:1/128", "loopback"),
        ("2002:7f00:1::/128", "loopback"),
    ],
)
def test_what_is_never_a_way_out_cannot_be_approved(cidr: str, kind: str) -> None:
    """A declared address led into the proxy's own pod, or to a cloud's credentials."""
    approvals = just_enough(settings_of(dev_values()), privateRanges={"all": private_range(cidr, "100.64.0.0/10")})
    assert _asked(_with_cidrs(cidr), approvals) == [
        (f"{_CIDRS}[0]", f"{cidr} is {kind}, which is never a way out", _REAL)
    ]


_PRIVATE = {
    "172.16.0.0/24": "private",
    "192.168.9.1/32": "private",
    "100.64.1.0/24": "shared",
    "fd12:3456::/48": "unique-local",
    "::ffff:c0a8:901/128": "private",
}


@pytest.mark.parametrize("cidr", _PRIVATE)
def test_private_addresses_need_an_approval(cidr: str) -> None:
    """A stack file opened a private network to itself."""
    assert _asked(_with_cidrs(cidr)) == [
        (
            f"{_CIDRS}[0]",
            f"{cidr} is {_PRIVATE[cidr]} address space, and no approval covers it",
            f"a public address, or have it added to privateRanges in {APPROVALS_FILE}, with this entry and its ports",
        )
    ]


@pytest.mark.parametrize("cidr", _PRIVATE)
def test_approved_private_addresses_are_taken(cidr: str) -> None:
    """What the security team granted was refused all the same."""
    grants = {"it": private_range(cidr)}
    assert _asked(_with_cidrs(cidr), just_enough(settings_of(_with_cidrs(cidr)), privateRanges=grants)) == []


@pytest.mark.parametrize(("cidr", "granted"), [("172.16.0.0/23", "172.16.0.0/24"), ("172.16.1.0/24", "172.16.0.0/24")])
def test_an_approval_covers_all_of_a_network_or_nothing(cidr: str, granted: str) -> None:
    """An approval for half of a network opened the whole of it."""
    grants = {"it": private_range(granted)}
    found = _asked(_with_cidrs(cidr), just_enough(settings_of(_with_cidrs(cidr)), privateRanges=grants))
    assert [path for path, _, _ in found] == [f"{_CIDRS}[0]"]


@pytest.mark.parametrize("cidr", ["8.8.8.0/24", "2606:4700::/32", "1.0.0.0/16"])
def test_public_addresses_need_no_approval(cidr: str) -> None:
    """An ordinary address was refused."""
    assert _asked(_with_cidrs(cidr)) == []


_WIDE: dict[str, list[str]] = {
    "one block": ["8.0.0.0/8"],
    "neighbours that make one": ["1.0.0.0/16", "1.1.0.0/16"],
    "IPv6": ["2600::/16"],
    "many blocks": [f"{first}.{second}.0.0/16" for first in (20, 34, 52) for second in range(0, 200, 2)],
}


@pytest.mark.parametrize("kind", _WIDE)
def test_half_the_internet_is_no_list_of_addresses(kind: str) -> None:
    """`cidrs` that hold every public address stood in for the approval that they need."""
    assert _asked(_with_cidrs(*_WIDE[kind])) == [
        (
            _CIDRS,
            "is too wide for anyone to answer for it as one entry",
            f"narrower ranges, or leave it out and have publicRanges.edition-cnn added to {APPROVALS_FILE}",
        )
    ]


def test_names_without_addresses_need_an_approval() -> None:
    """A destination without `cidrs` opened every public address by itself."""
    approvals = approvals_of(
        {
            "version": 1,
            "cluster": cluster_ranges(),
            "offeredNames": {"own": approval(zones=["jiaxzeng.com", "httpbin.org"])},
            **platform(),
        }
    )
    wrong = "is missing, and no approval stands in for it: which addresses are behind its names?"
    assert _asked(dev_values(), approvals) == [
        (
            f"{section}.{name}.cidrs",
            wrong,
            f"the addresses as `cidrs`, or have publicRanges.{name} added to {APPROVALS_FILE}",
        )
        for section, name in (("destinations", "edition-cnn"), ("backends", "httpbin"))
    ]


@pytest.mark.parametrize(("ports", "missing"), [([443], "80"), ([8080], "80, 443")])
def test_an_approval_of_public_addresses_is_for_its_ports(ports: list[int], missing: str) -> None:
    """An approval for 443 was one for every port."""
    grants: dict[str, Any] = {
        "edition-cnn": public_range(["edition.cnn.com"], ports),
        "httpbin": public_range(["httpbin.org"], [80]),
    }
    approvals = just_enough(settings_of(dev_values()), publicRanges=grants)
    assert _asked(dev_values(), approvals) == [
        (
            "destinations.edition-cnn",
            f"reaches public addresses on port {missing}, which is not approved",
            f"have the port added to publicRanges.edition-cnn.ports in {APPROVALS_FILE}",
        )
    ]


def test_an_approval_for_another_entry_is_none() -> None:
    """Any approval of public addresses was one for every entry."""
    approvals = just_enough(
        settings_of(dev_values()), publicRanges={"httpbin": public_range(["httpbin.org"], [80, 443])}
    )
    assert [path for path, _, _ in _asked(dev_values(), approvals)] == ["destinations.edition-cnn.cidrs"]


@pytest.mark.parametrize(
    ("endpoint", "wrong"),
    [
        ("127.0.0.1", "127.0.0.1 is loopback, which is never a way out"),
        ("10.244.1.1", "10.244.1.1 is inside this cluster"),
        ("192.168.0.10", "192.168.0.10 is inside this cluster"),
        ("10.250.1.1", "10.250.1.1 is private address space, and no approval covers it"),
    ],
)
def test_endpoints_of_backends_are_judged_as_well(endpoint: str, wrong: str) -> None:
    """Backends were a way around what destinations are held to."""
    values = changed(setting("backends.n9e.endpoints.1.ip", endpoint))
    ((path, said, instead),) = _asked(values)
    assert (path, said) == ("backends.n9e.endpoints[1].ip", wrong)
    assert instead


def test_addresses_of_backends_by_name_are_judged_as_well() -> None:
    """As above, for `cidrs` of a backend."""
    values = changed(setting("backends.httpbin.cidrs", ["44.0.0.0/8", "127.1.0.0/16"]))
    narrower = f"narrower ranges, or leave it out and have publicRanges.httpbin added to {APPROVALS_FILE}"
    assert sorted(_asked(values)) == [
        ("backends.httpbin.cidrs", "is too wide for anyone to answer for it as one entry", narrower),
        ("backends.httpbin.cidrs[1]", "127.1.0.0/16 is loopback, which is never a way out", _REAL),
    ]


@pytest.mark.parametrize("address", ["169.254.20.10", "10.96.0.10", "192.168.0.7", "fe80::10"])
def test_resolvers_of_the_cluster_are_taken(address: str) -> None:
    """NodeLocal DNSCache where it really listens was refused."""
    assert _asked(changed(setting("cluster.nodeLocalDns", address))) == []


@pytest.mark.parametrize("address", ["8.8.8.8", "169.254.169.254", "10.0.0.53", "127.0.0.1", "2606:4700::1111"])
def test_other_resolvers_are_no_one_s_own_choice(address: str) -> None:
    """A stack file opened port 53 to a resolver outside, which carries anything out."""
    assert _asked(changed(setting("cluster.nodeLocalDns", address))) == [
        (
            "cluster.nodeLocalDns",
            f"{address} is no address of a resolver on the cluster's own nodes",
            "a link-local address such as `169.254.20.10`, or one of the cluster's Services or nodes",
        )
    ]


def test_everything_that_is_not_granted_is_reported_at_once() -> None:
    """The operator asked the security team for one thing after the other."""

    def change(values: Values) -> None:
        values["cluster"]["nodeLocalDns"] = "8.8.8.8"
        values["destinations"]["edition-cnn"]["cidrs"] = ["172.16.0.0/24", "127.0.0.1/32", "10.96.0.1/32"]
        values["backends"]["n9e"]["endpoints"][0]["ip"] = "10.0.0.1"
        del values["backends"]["httpbin"]

    assert sorted(path for path, _, _ in _asked(changed(change))) == [
        "backends.n9e.endpoints[0].ip",
        "cluster.nodeLocalDns",
        "destinations.edition-cnn.cidrs[0]",
        "destinations.edition-cnn.cidrs[1]",
        "destinations.edition-cnn.cidrs[2]",
    ]


def test_sources_of_further_gateways_are_narrow_too() -> None:
    """A stack had the firewall team let in half of the internet, as the addresses of a second gateway."""
    own = {"mode": "existing", "cidrs": ["0.0.0.0/1", "128.0.0.0/1"]}
    asked_for = _asked(changed(setting("egress.mesh.gateways", {"partners": {"addresses": own}})))
    assert [path for path, _, _ in asked_for] == ["egress.mesh.gateways.partners.addresses.cidrs"]
