"""What is created on Alibaba Cloud is among the cluster's own ranges, and takes nobody else's."""

from typing import Any

import pytest

from tests.every_cloud_key import VARIANTS, flannel_values, terway_values
from tests.support import (
    APPROVALS_FILE,
    Values,
    asked,
    changed,
    cluster_ranges,
    just_enough,
    public_range,
    setting,
    settings_of,
)

_ZONE = "egress.nodes.zones.cn-hangzhou-h"


def _refused(values: Values, **cluster: Any) -> list[tuple[str, str, str]]:
    accepted = settings_of(values)
    return asked(accepted, just_enough(accepted, cluster=cluster_ranges(**cluster)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_fits_is_taken(variant: str) -> None:
    """A good declaration was refused."""
    assert _refused(VARIANTS[variant]()) == []


@pytest.mark.parametrize("values", [flannel_values(), terway_values()], ids=["flannel", "terway"])
def test_ranges_of_nodes_are_known_as_the_cluster_s(values: Values) -> None:
    """Rules for `nodeCidrs` cut new nodes off, and a destination in their range was one outside."""
    ((path, wrong, instead),) = _refused(values, nodeCidrs=["192.168.0.0/26", "192.168.0.128/26"])
    assert path == f"{_ZONE}.nodes"
    assert wrong.startswith("192.168.0.64/26 is not known as a range of the cluster's nodes")
    assert instead == f"a range within cluster.nodeCidrs of {APPROVALS_FILE}, or have it added there"


def test_ranges_of_pods_are_known_as_the_cluster_s() -> None:
    """As above, for pods."""
    ((path, wrong, instead),) = _refused(terway_values(), podCidrs=["10.244.9.0/24"])
    assert path == f"{_ZONE}.pods"
    assert wrong.startswith("10.244.8.0/24 is not known as a range of the cluster's pods")
    assert instead == f"a range within cluster.podCidrs of {APPROVALS_FILE}, or have it added there"


@pytest.mark.parametrize(
    ("path", "cidr"),
    [
        (f"{_ZONE}.nodes", "192.168.0.64/26"),
        (f"{_ZONE}.pods", "10.244.8.0/24"),
        ("egress.addresses.network", "192.168.0.192/28"),
        ("egress.firewall.network", "192.168.0.208/28"),
    ],
)
@pytest.mark.parametrize("section", ["serviceCidrs", "apiServerAddresses"])
def test_ranges_of_services_and_of_the_api_server_are_taken(path: str, cidr: str, section: str) -> None:
    """A vSwitch stood in the range of Services, whose addresses no packet reached any more; or was refused half-way."""
    other = cidr if section == "serviceCidrs" else cidr.partition("/")[0]
    found = _refused(terway_values(), **{section: [other]})
    assert [(where, instead) for where, _, instead in found] == [(path, "a range that nothing else uses")]
    assert found[0][1].startswith(f"{cidr} shares addresses with {other}, where ")


@pytest.mark.parametrize("path", ["egress.addresses.network", "egress.firewall.network"])
def test_with_flannel_pods_ranges_are_outside_the_vpc(path: str) -> None:
    """A vSwitch took the range of a node's pods, which are routed elsewhere."""
    found = _refused(changed(setting(path, "10.244.3.0/28"), flannel_values()))
    assert [(where, wrong) for where, wrong, _ in found] == [
        (path, "10.244.3.0/28 shares addresses with 10.244.0.0/16, where pods get their addresses")
    ]
    assert _refused(changed(setting(path, "10.244.3.0/28"), terway_values())) == []


def test_what_nodes_fetch_is_approved_like_everything_else() -> None:
    """A stack file opened every public address to its nodes, and nobody was asked."""
    accepted = settings_of(flannel_values())
    granted = {
        "edition-cnn": public_range(["edition.cnn.com"], [80, 443]),
        "httpbin": public_range(["httpbin.org"], [80]),
    }
    assert [path for path, _, _ in asked(accepted, just_enough(accepted, publicRanges=granted))] == [
        "egress.nodes.fetches.registry.cidrs"
    ]


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("hosts", ["metadata.google.internal"], "hosts[0]"),
        ("cidrs", ["10.244.0.0/24"], "cidrs[0]"),
        ("cidrs", ["172.16.0.0/24"], "cidrs[0]"),
        ("cidrs", ["169.254.169.254/32"], "cidrs[0]"),
    ],
)
def test_what_nodes_fetch_is_judged_like_everything_else(key: str, value: list[str], path: str) -> None:
    """Nodes were a way to what no destination may be."""
    values = changed(setting(f"egress.nodes.fetches.registry.{key}", value), flannel_values())
    assert f"egress.nodes.fetches.registry.{path}" in [where for where, _, _ in _refused(values)]
