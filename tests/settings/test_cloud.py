"""What is created on Alibaba Cloud: what belongs together, and what one setting says of another."""

from typing import Any

import pytest

from tests.every_cloud_key import (
    ANSWERABLE,
    VARIANTS,
    flannel_values,
    host_network_values,
    on_cloud,
    pod_vswitches_values,
    terway_values,
)
from tests.support import Values, changed, dev_values, problems_of, setting, settings_of, told

_ZONES = "egress.nodes.zones"
_EXISTING = {"mode": "existing", "cidrs": ["203.0.113.10/32"]}
_NODES = {"mode": "existing", "labels": {"pool": "b"}, "taints": {"b": {"effect": "NoSchedule"}}}


def _without(path: str, values: Values) -> Values:
    *above, last = path.split(".")

    def remove(changing: Values) -> None:
        here: Any = changing
        for key in above:
            here = here[key]
        del here[last]

    return changed(remove, values)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_way_is_taken(variant: str) -> None:
    """A good declaration was refused."""
    assert told(VARIANTS[variant]()) == []


def test_a_stack_on_existing_nodes_needs_no_cloud() -> None:
    """Whoever creates nothing was asked for an account."""
    assert settings_of(dev_values()).cloud is None
    assert problems_of(changed(setting("egress.firewall", {"mode": "external"}))) == ()


@pytest.mark.parametrize("variant", VARIANTS)
def test_whoever_creates_says_where(variant: str) -> None:
    """Nodes were created in whatever account and region the environment named."""
    ((path, wrong, instead),) = told(_without("cloud", VARIANTS[variant]()))
    assert (path, wrong) == ("cloud", "is missing, and egress.nodes is to be created: nobody said where")
    assert instead == "`cloud` with `region`, `account`, `vpc`, `cluster` and `podNetwork`"


def test_a_cloud_in_which_nothing_is_created_is_no_cloud() -> None:
    """Somebody believed that nodes were created."""
    values = changed(setting("cloud", flannel_values()["cloud"]))
    assert told(values) == [
        ("cloud", "says where things are created, and nothing is", "leave it out, or `mode: dedicated` at egress.nodes")
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_cluster_is_named_where_something_is_created(variant: str) -> None:
    """Gateways went to the cluster that somebody had looked at last, and their nodes to another."""
    ((path, wrong, _),) = told(_without("cluster.context", VARIANTS[variant]()))
    assert path == "cluster.context"
    assert wrong.startswith("is missing: Kubernetes objects would go to whatever cluster is the current one")


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_called_after_the_cluster_begins_with_a_letter(variant: str) -> None:
    """The first security group was refused, when half of the network was there."""
    ((path, wrong, instead),) = told(changed(setting("cluster.name", "1st"), VARIANTS[variant]()))
    assert (path, instead) == ("cluster.name", "another name, as `ack-1`")
    assert wrong.startswith("begins with a digit, and the names of security groups and SNAT entries")
    assert told(changed(setting("cluster.name", "1st"))) == []


@pytest.mark.parametrize("values", [flannel_values(), terway_values()], ids=["flannel", "terway"])
def test_a_nat_gateway_has_a_firewall_or_says_that_it_has_none(values: Values) -> None:
    """Everything could leave, because somebody forgot four lines."""
    assert told(_without("egress.firewall", values)) == [
        (
            "egress.firewall",
            "is missing: what stands between the NAT gateway and the internet?",
            "`mode: cloud-firewall`, or `mode: external` for another vendor's",
        )
    ]
    assert told(changed(setting("egress.firewall", {"mode": "external"}), values)) == []


@pytest.mark.parametrize("values", [pod_vswitches_values(), host_network_values()], ids=["pods", "nodes"])
def test_cloud_firewall_stands_at_a_nat_gateway(values: Values) -> None:
    """A firewall was declared that nothing passes."""
    firewall = {"mode": "cloud-firewall", "network": "192.168.0.208/28"}
    values = changed(setting("cloud.limits", {"natPolicies": 2000}), values)
    mode = values["egress"]["addresses"]["mode"]
    assert told(changed(setting("egress.firewall", firewall), values)) == [
        (
            "egress.firewall.mode",
            f"stands at a NAT gateway of our own, and addresses of the mode `{mode}` have none",
            "`mode: nat` at egress.addresses, or `mode: external` here",
        )
    ]


@pytest.mark.parametrize("zone", ["cn-shanghai-a", "cn-hangzhou-finance-b", "cn-hangzhouh", "cn-hangzhou-1a"])
def test_zones_are_of_the_region(zone: str) -> None:
    """Half of what is created was there already when the cloud refused a zone of another region."""
    told_of_addresses = told(changed(setting("egress.addresses.zone", zone), flannel_values()))
    values = flannel_values()
    values["egress"]["nodes"]["zones"][zone] = values["egress"]["nodes"]["zones"].pop("cn-hangzhou-i")
    wrong = f"{zone} is no zone of the region cn-hangzhou"
    instead = "a zone of it, as `cn-hangzhou-a`"
    assert told_of_addresses == [("egress.addresses.zone", wrong, instead)]
    assert told(values) == [(f"{_ZONES}.{zone}", wrong, instead)]


def test_the_nat_gateway_may_be_in_any_zone_of_the_region() -> None:
    """A zone without nodes was refused, although one NAT gateway serves all of them."""
    assert told(changed(setting("egress.addresses.zone", "cn-hangzhou-b"), flannel_values())) == []


def test_zones_of_regions_with_a_number_are_taken() -> None:
    """`ap-southeast-1a` was refused, because its letter has no hyphen."""
    values = changed(setting("cloud.region", "ap-southeast-1"), flannel_values())
    zones = values["egress"]["nodes"]["zones"]
    values["egress"]["nodes"]["zones"] = {
        f"ap-southeast-1{letter}": each for letter, each in zip("ab", zones.values(), strict=True)
    }
    values["egress"]["addresses"]["zone"] = "ap-southeast-1c"
    assert told(values) == []


def test_the_role_is_of_the_account() -> None:
    """Everything was created in another account than the one that stands in the file."""
    values = changed(setting("cloud.role", "acs:ram::9999999999999999:role/egress"), flannel_values())
    assert told(values) == [
        (
            "cloud.role",
            "is of the account 9999999999999999, and what is created belongs to the role's account",
            "a role of the account 1234567890123456",
        )
    ]


def test_a_managed_mesh_is_told_of_the_same_cluster() -> None:
    """The gateways were started in one cluster, and the nodes in another."""
    values = terway_values()
    asm = {"context": "mesh", "clusterId": "c" + "f" * 32, "controlPlane": ["10.9.9.9"]}
    values["egress"]["mesh"] = {"flavour": "asm", "asm": asm}
    del values["install"]["istio"]
    ((path, wrong, instead),) = told(values)
    assert (path, instead) == ("egress.mesh.asm.clusterId", "the same id in both")
    assert wrong.startswith(f"is another cluster than cloud.cluster, {values['cloud']['cluster']}")
    asm["clusterId"] = values["cloud"]["cluster"]
    assert told(values) == []


def test_the_internet_boundary_has_a_limit_of_its_own() -> None:
    """The number of policies that the edition allows there was made up."""
    ((path, wrong, instead),) = told(_without("cloud.limits.internetPolicies", flannel_values()))
    assert path == "cloud.limits.internetPolicies"
    assert wrong == "is missing, and the policies are to stand at the internet boundary as well"
    assert instead == "what the firewall's console says; or leave `internetBoundary` out of egress.firewall"
    assert told(_without("cloud.limits.internetPolicies", terway_values())) == []


def test_the_limit_of_policies_is_asked_of_whoever_has_cloud_firewall() -> None:
    """A number was made up, for a firewall that is somewhere else."""
    assert told(_without("cloud.limits", terway_values())) == [
        (
            "cloud.limits.natPolicies",
            "is missing, and how many policies there may be depends on what was bought",
            "what the firewall's console says",
        )
    ]
    external = changed(setting("egress.firewall", {"mode": "external"}), terway_values())
    assert told(_without("cloud.limits", external)) == []


def test_proxies_of_backends_are_on_no_node_s_network() -> None:
    """Backends were asked from addresses that egress.addresses does not name."""
    values = host_network_values()
    values["backends"] = dev_values()["backends"]
    values["install"]["envoyGateway"] = {"imageRegistry": "registry-vpc.cn-hangzhou.aliyuncs.com"}
    del values["install"]["gatewayApi"]
    ((path, wrong, _),) = told(values)
    assert path == "backendGateways.default.nodes"
    assert wrong.startswith("are the egress nodes, where its proxies have addresses of their own with terway")
    elsewhere = {"nodes": "any", "addresses": _EXISTING}
    assert told(changed(setting("backendGateways", {"default": elsewhere}), values)) == []
    assert told(changed(setting("cloud.podNetwork", "flannel"), values)) == []


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("own", "key"),
    [({"nodes": _NODES}, "addresses"), ({"addresses": _EXISTING}, "addresses")],
    ids=["nodes alone", "addresses alone"],
)
def test_gateways_leave_where_they_run(variant: str, own: dict[str, Any], key: str) -> None:
    """The hand-off named addresses from which nothing came, because the gateway ran elsewhere."""
    values = VARIANTS[variant]()
    gateway = {**own, **({"hostNetwork": True} if variant == "host-network" else {})}
    values["egress"]["mesh"]["gateways"] = {"partners": gateway}
    found = [path for path, _, _ in told(values)]
    assert f"egress.mesh.gateways.partners.{key}" in found
    values["egress"]["mesh"]["gateways"] = {"partners": {"nodes": _NODES, "addresses": _EXISTING}}
    assert told(values) == []


def test_gateways_of_backends_leave_where_they_run() -> None:
    """As above, for the proxies of backends."""
    own = {"addresses": _EXISTING}
    assert [path for path, _, _ in told(changed(setting("backendGateways.default", own), terway_values()))] == [
        "backendGateways.default.addresses"
    ]
    assert told(changed(setting("backendGateways.default", {**own, "nodes": "any"}), terway_values())) == []


@pytest.mark.parametrize("section", ["destinations", "backends", "issuers"])
def test_what_nodes_fetch_shares_its_name_with_nothing(section: str) -> None:
    """An approval for one was one for the other."""
    values = on_cloud(dev_values(), "flannel")
    name = {"destinations": "edition-cnn", "backends": "n9e", "issuers": "corp"}[section]
    if section == "issuers":
        values["egress"]["mesh"]["issuers"] = {
            "corp": {"issuer": "corp", "audiences": ["egress"], "jwks": '{"keys": [{"kty": "OKP", "x": "1"}]}'}
        }
    values["egress"]["nodes"]["fetches"] = {name: {"hosts": ["registry.example.net"], **ANSWERABLE}}
    found = [problem for problem in told(values) if problem[0].startswith("egress.nodes")]
    where = "egress.mesh.issuers" if section == "issuers" else section
    assert found == [
        (
            f"egress.nodes.fetches.{name}",
            f"has the name of an entry under {where}, whose approvals it would share",
            "another name",
        )
    ]


def test_everything_is_told_at_once() -> None:
    """One slip after the other was found, a run each."""

    def change(values: Values) -> None:
        del values["cluster"]["context"]
        del values["egress"]["firewall"]
        values["cloud"]["role"] = "acs:ram::9999999999999999:role/egress"
        values["egress"]["addresses"]["zone"] = "cn-shanghai-a"
        values["egress"]["nodes"]["zones"]["cn-hangzhou-i"]["nodes"] = "192.168.0.64/26"
        values["cluster"]["namespaces"]["shop"]["role"] = "nobody"

    assert {path for path, _, _ in told(changed(change, flannel_values()))} >= {
        "cluster.context",
        "cluster.namespaces.shop.role",
        "egress.firewall",
        "cloud.role",
        "egress.addresses.zone",
        f"{_ZONES}.cn-hangzhou-i.nodes",
    }
