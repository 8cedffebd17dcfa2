"""What exactly an approval grants, and what no stack file can have without one."""

from typing import Any

import pytest

from policy.approvals import Approvals
from tests.support import (
    APPROVALS_FILE,
    Values,
    asked,
    changed,
    dev_values,
    just_enough,
    private_range,
    setting,
    settings_of,
)

_CIDRS = "destinations.edition-cnn.cidrs"


def _asked(values: Values, approvals: Approvals | None = None) -> list[tuple[str, str, str]]:
    settings = settings_of(values)
    return asked(settings, just_enough(settings) if approvals is None else approvals)


def _with_cidrs(*cidrs: str) -> Values:
    return changed(setting(_CIDRS, list(cidrs)))


def test_an_approval_of_public_addresses_is_for_its_hosts() -> None:
    """A host that was added later to an approved entry was approved with it."""
    values = changed(setting("destinations.edition-cnn.hosts", ["edition.cnn.com", "exfil.example.com"]))
    assert _asked(values, just_enough(settings_of(dev_values()))) == [
        (
            "destinations.edition-cnn",
            "names exfil.example.com, which is not approved to be at any public address",
            f"have the host added to publicRanges.edition-cnn.hosts in {APPROVALS_FILE}",
        )
    ]


@pytest.mark.parametrize("more", [{"entries": ["httpbin"]}, {"ports": [80]}])
def test_an_approval_of_private_addresses_is_for_its_entries_and_ports(more: dict[str, Any]) -> None:
    """One approved database opened the private network to every entry, on every port."""
    grants = {"it": {**private_range("172.16.0.0/24"), **more}}
    values = _with_cidrs("172.16.0.0/24")
    found = _asked(values, just_enough(settings_of(values), privateRanges=grants))
    assert [path for path, _, _ in found] == [f"{_CIDRS}[0]"]


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("localhost", "localhost"),
        ("redis.shop.svc", "cluster"),
        ("kubernetes.default", "cluster"),
        ("metadata.google.internal", "metadata"),
        ("intranet", "single-label"),
        ("127.0.0.1.nip.io", "wildcard-dns"),
    ],
)
def test_names_that_are_no_way_out_are_refused_in_the_stack_file(host: str, kind: str) -> None:
    """A name for the pod itself was found late, by the pack, as the path of an object."""
    values = changed(setting("destinations.edition-cnn.hosts.0", host))
    assert (
        "destinations.edition-cnn.hosts[0]",
        f"{host} is a name of the kind {kind}, which is never a way out",
        "a public name",
    ) in _asked(values, just_enough(settings_of(values)))


def test_the_gateway_s_own_zone_is_no_destination() -> None:
    """A host that is some chunk's outer SNI took that chunk's place at the gateway."""
    values = changed(setting("destinations.edition-cnn.hosts.0", "0.news-shop.egress.internal"))
    found = _asked(values, just_enough(settings_of(values)))
    assert [path for path, _, _ in found] == ["destinations.edition-cnn.hosts[0]"]


@pytest.mark.parametrize("name", ["0.news-shop.egress.internal", "kubernetes.default.svc.cluster.local", "nightingale"])
def test_offered_names_are_judged_as_well(name: str) -> None:
    """A backend took a chunk's outer SNI, or the API server's name, in every client namespace."""
    values = changed(setting("backends.n9e.hostnames.0", name))
    assert [path for path, _, _ in _asked(values)] == ["backends.n9e.hostnames[0]"]


def test_charts_from_elsewhere_need_an_approval() -> None:
    """A chart with one more template opened what the declaration shuts, and nobody was asked."""
    values = changed(setting("install.istio.gateway", "/charts/gateway"))
    assert _asked(values, just_enough(settings_of(dev_values()))) == [
        (
            "install.istio.gateway",
            "/charts/gateway is not where its publisher puts it, and no approval covers it",
            f"leave it out, or have it added to chartSources in {APPROVALS_FILE}",
        )
    ]
    assert _asked(values, just_enough(settings_of(values))) == []


def test_wide_sources_are_refused() -> None:
    """A firewall team was asked to let half of the internet in."""
    values = changed(setting("egress.addresses.cidrs", ["128.0.0.0/1"]))
    assert [path for path, _, _ in _asked(values)] == ["egress.addresses.cidrs"]
