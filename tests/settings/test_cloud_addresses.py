"""Guards against addresses that nobody can have, or that the outside never sees."""

import pytest

from tests.every_cloud_key import (
    VARIANTS,
    flannel_values,
    host_network_values,
    pod_vswitches_values,
    terway_values,
)
from tests.support import Values, changed, dev_values, setting, told

_ZONES = "egress.nodes.zones"
_EXISTING = {"mode": "existing", "cidrs": ["203.0.113.10/32"]}
_NODES = {"mode": "existing", "labels": {"pool": "b"}, "taints": {"b": {"effect": "NoSchedule"}}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_addresses_are_created_for_nodes_that_are_created(variant: str) -> None:
    """What others send left by our addresses, and by our policies."""
    values = changed(setting("egress.nodes", dev_values()["egress"]["nodes"]), VARIANTS[variant]())
    mode = values["egress"]["addresses"]["mode"]
    ((path, wrong, instead),) = told(values)
    assert path == "egress.addresses.mode"
    assert wrong.startswith(f"is `{mode}`, which is for vSwitches that nothing else is in")
    assert instead == "`mode: dedicated` at egress.nodes, or `mode: existing` here"


@pytest.mark.parametrize(("bandwidth", "ok"), [(199, True), (200, True), (201, False)])
def test_an_address_has_200_mbit_s_at_most(bandwidth: int, ok: bool) -> None:
    """The first address was refused; or the package of all was held to what one may have."""
    values = changed(setting("egress.addresses.bandwidth", bandwidth), terway_values())
    wrong = "is 201 Mbit/s for each address, and one has 200 at most"
    instead = "at most 200, or `sharedBandwidth: true` for all of them together"
    assert told(values) == ([] if ok else [("egress.addresses.bandwidth", wrong, instead)])
    assert told(changed(setting("egress.addresses.sharedBandwidth", True), values)) == []


@pytest.mark.parametrize("values", [terway_values(), pod_vswitches_values()], ids=["nat", "pod-vswitches"])
def test_with_terway_every_zone_has_a_range_for_pods(values: Values) -> None:
    """In the zone without one, gateways silently got an address that no firewall knows."""
    ((path, wrong, _),) = told(
        changed(lambda given: given["egress"]["nodes"]["zones"]["cn-hangzhou-i"].pop("pods"), values)
    )
    assert path == f"{_ZONES}.cn-hangzhou-i.pods"
    assert wrong == "is missing: in this zone the gateways' pods would silently get addresses of the node's vSwitch"


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (flannel_values(), "is for pods with addresses of their own, and with flannel they have their node's"),
        (host_network_values(), "would be empty: every gateway is on its node's network"),
    ],
    ids=["flannel", "host-network"],
)
def test_where_no_pod_has_an_address_of_its_own_there_is_no_range_for_any(values: Values, wrong: str) -> None:
    """A firewall team let in a range from which nothing came."""
    path = f"{_ZONES}.cn-hangzhou-i.pods"
    assert told(changed(setting(path, "10.244.9.0/24"), values)) == [(path, wrong, "leave it out")]


def test_pod_vswitches_need_terway() -> None:
    """With flannel pods leave with their node's address, and the outside was told of others."""
    values = changed(setting("cloud.podNetwork", "flannel"), pod_vswitches_values())
    found = told(values)
    assert [path for path, _, _ in found] == [
        "egress.addresses.mode",
        f"{_ZONES}.cn-hangzhou-h.pods",
        f"{_ZONES}.cn-hangzhou-i.pods",
    ]
    assert found[0][1].endswith("with `podNetwork: flannel` they have their node's")


@pytest.mark.parametrize("pod_network", ["flannel", "terway"])
def test_the_nodes_addresses_are_for_gateways_on_their_network(pod_network: str) -> None:
    """A gateway left with an address that egress.addresses does not name."""
    values = changed(setting("cloud.podNetwork", pod_network), host_network_values())
    values["egress"]["mesh"]["gateways"] = {"partners": {"replicas": 2}}
    ((path, wrong, instead),) = told(values)
    assert path == "egress.mesh.gateways.partners.hostNetwork"
    assert wrong.startswith("is missing: its pods would have addresses of their own")
    assert instead == "`hostNetwork: true`; or another mode of egress.addresses"


def test_the_pods_addresses_are_for_gateways_that_have_them() -> None:
    """The hand-off named the pods' ranges, and a gateway on its node's network left with its node's address."""
    values = pod_vswitches_values()
    values["egress"]["mesh"] |= {"flavour": "gateway-api", "gateways": {"quick": {"hostNetwork": True}}}
    assert told(values) == [
        (
            "egress.mesh.gateways.quick.hostNetwork",
            "has it leave with its node's address, and egress.addresses names the pods'",
            "leave it out; or another mode of egress.addresses",
        )
    ]
    values["egress"]["mesh"]["gateways"]["quick"] |= {"nodes": _NODES, "addresses": _EXISTING}
    assert told(values) == []
