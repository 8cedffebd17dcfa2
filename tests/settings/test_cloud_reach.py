"""What the egress nodes' way out cannot carry, and who has none: refused, with the reason and what to write instead."""

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
from tests.plan.offered import JWT, OIDC
from tests.support import Values, changed, dev_values, setting, told

_NAT = "and a NAT gateway has none, and Cloud Firewall sees none there"
_OTHERS = "and the vSwitches of the egress nodes have none"
_EDITION = "destinations.edition-cnn"
_ELSEWHERE = {
    "nodes": {"mode": "existing", "labels": {"pool": "b"}, "taints": {"b": {"effect": "NoSchedule"}}},
    "addresses": {"mode": "existing", "cidrs": ["203.0.113.20/32"]},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        ("cluster.ipFamilies", ["IPv4", "IPv6"], "[1]", "what pods also have"),
        (f"{_EDITION}.cidrs", ["93.184.216.0/24", "2606:4700::/40"], "[1]", "2606:4700::/40"),
        (f"{_EDITION}.addresses", ["2606:4700::40"], "[0]", "2606:4700::40"),
    ],
)
def test_ipv6_is_refused_with_the_reason(variant: str, path: str, value: Any, where: str, what: str) -> None:
    """IPv6 left past the firewall, which does not see it; or a destination was declared, and never reached."""
    values = VARIANTS[variant]()
    why = _NAT if values["egress"]["addresses"]["mode"] == "nat" else _OTHERS
    assert told(changed(setting(path, value), values)) == [
        (f"{path}{where}", f"{what} is IPv6, {why}", "addresses of IPv4")
    ]


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"endpoints": [{"ip": "2606:4700::40", "port": 80}]}, "endpoints[0].ip"),
        (
            {
                "endpoints": [{"ip": "93.184.216.4", "port": 80}],
                "standby": [{"ip": "2606:4700::41", "port": 80}],
                "outliers": {"maxPercent": 100},
            },
            "standby[0].ip",
        ),
        ({"cidrs": ["2606:4700::/40"]}, "cidrs[0]"),
        (
            {"access": {"jwt": {**JWT, "cidrs": ["2606:4700::/40"]}}, "certificate": {"secret": "a"}},
            "access.jwt.cidrs[0]",
        ),
    ],
)
def test_ipv6_of_backends_is_refused(keys: dict[str, Any], where: str) -> None:
    """As above, for where backends answer, and for what their proxies fetch."""
    values = terway_values()
    values["backends"]["httpbin"] |= keys
    ((path, wrong, _),) = told(values)
    assert path == f"backends.httpbin.{where}"
    assert wrong.endswith(f" is IPv6, {_NAT}")


def test_ipv6_of_what_nodes_fetch_is_refused() -> None:
    """As above, for registries."""
    fetch = {"hosts": ["registry.example.net"], "cidrs": ["2606:4700::/40"], **ANSWERABLE}
    values = changed(setting("egress.nodes.fetches", {"registry": fetch}), terway_values())
    assert [path for path, _, _ in told(values)] == ["egress.nodes.fetches.registry.cidrs[0]"]


def test_ipv6_of_a_managed_mesh_is_refused() -> None:
    """As above, for a mesh's control plane."""
    values = terway_values()
    asm = {"context": "mesh", "clusterId": values["cloud"]["cluster"], "controlPlane": ["2606:4700::9"]}
    values["egress"]["mesh"] = {"flavour": "asm", "asm": asm}
    del values["install"]["istio"]
    assert [path for path, _, _ in told(values)] == ["egress.mesh.asm.controlPlane[0]"]


def test_ipv6_of_whoever_calls_backends_is_refused() -> None:
    """Callers were declared, approved and handed off, and no security group let them in."""
    own: dict[str, Any] = {"exposure": "intranet", "sourceRanges": ["10.60.0.0/16", "fd00:1::/64"]}
    values = changed(setting("backendGateways", {"default": own}), terway_values())
    path = "backendGateways.default.sourceRanges[1]"
    assert told(values) == [(path, f"fd00:1::/64 is IPv6, {_OTHERS}", "addresses of IPv4")]
    elsewhere = changed(setting("backendGateways", {"default": {**own, **_ELSEWHERE}}), terway_values())
    assert told(elsewhere) == []


def test_ipv6_is_no_address_of_nodes_that_have_none() -> None:
    """A firewall team let in addresses from which nothing can come."""
    values = changed(setting("egress.firewall", {"mode": "external"}), terway_values())
    values["egress"]["addresses"] = {"mode": "existing", "cidrs": ["203.0.113.10/32", "2606:4700::/64"]}
    path = "egress.addresses.cidrs[1]"
    assert told(values) == [(path, f"2606:4700::/64 is IPv6, {_OTHERS}", "addresses of IPv4")]


def test_ipv6_through_gateways_elsewhere_is_theirs() -> None:
    """A gateway on other nodes was held to what the NAT gateway can do."""
    values = terway_values()
    values["egress"]["mesh"]["gateways"] = {"partners": _ELSEWHERE}
    values["backendGateways"] = {"default": _ELSEWHERE}
    values["destinations"]["edition-cnn"] |= {"gateway": "partners", "cidrs": ["2606:4700::/40"]}
    values["backends"]["httpbin"]["cidrs"] = ["2606:4700::/40"]
    assert told(values) == []


def test_ipv6_on_existing_nodes_is_taken() -> None:
    """A cluster with IPv6 of its own was held to what a NAT gateway can do."""
    assert told(changed(setting("cluster.ipFamilies", ["IPv4", "IPv6"]))) == []


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("outbound", ["registry-only", "allow-any"])
def test_only_the_egress_nodes_have_a_way_out(variant: str, outbound: str) -> None:
    """Clients went straight from their own nodes, and got nowhere; or somebody gave those nodes a way out."""
    values = VARIANTS[variant]()
    values["cluster"]["namespaces"]["batch"] = {"role": "client", "outbound": outbound}
    found = [problem for problem in told(values) if problem[0].startswith("cluster.")]
    assert found == [
        (
            "cluster.namespaces.batch.outbound",
            "lets clients go straight from their own nodes, and only the egress nodes have a way out",
            "`gateway`",
        )
    ]


def test_whoever_is_no_client_may_say_what_it_likes() -> None:
    """A namespace that is not governed was held to a rule for clients."""
    values = changed(setting("cluster.namespaces.monitoring.outbound", "allow-any"), terway_values())
    assert told(values) == []


_ISSUER = {"issuer": "corp", "audiences": ["egress"], "jwksUri": "https://sso.example.com/keys"}


@pytest.mark.parametrize("values", [flannel_values(), terway_values()], ids=["flannel", "terway"])
def test_istiod_fetches_no_keys_from_outside(values: Values) -> None:
    """Every token was refused, because the keys never came."""
    assert told(changed(setting("egress.mesh.issuers", {"corp": _ISSUER}), values)) == [
        (
            "egress.mesh.issuers.corp.jwksUri",
            "is fetched by istiod, which is on no egress node and has no way out",
            "`jwks` with the keys themselves",
        )
    ]


def test_where_no_nat_gateway_is_the_way_out_istiod_may_have_another() -> None:
    """Keys in a connected network were refused, although every node of the VPC reaches them."""
    assert told(changed(setting("egress.mesh.issuers", {"corp": _ISSUER}), pod_vswitches_values())) == []


@pytest.mark.parametrize("values", [flannel_values(), terway_values()], ids=["flannel", "terway"])
def test_envoy_gateway_s_controller_fetches_nothing_from_outside(values: Values) -> None:
    """A login was declared, and nobody could log in: the provider's description never came."""
    values["backends"]["httpbin"] |= {"access": {"oidc": OIDC}, "certificate": {"secret": "a"}}
    path = "backends.httpbin.access.oidc.endpoints"
    ((where, wrong, instead),) = told(values)
    assert where == path
    assert wrong.startswith("is missing: Envoy Gateway's controller would fetch it")
    assert instead == "`endpoints` with `authorization` and `token`, as the provider publishes them"
    given = {"authorization": "https://login.example.com/a", "token": "https://login.example.com/t"}
    assert told(changed(setting(path, given), values)) == []


@pytest.mark.parametrize(("protocol", "ok"), [("GRPC", False), ("TLS", True)])
def test_cloud_firewall_looks_no_wildcard_up(protocol: str, ok: bool) -> None:
    """A wildcard was declared that no policy can mean."""
    values = terway_values()
    values["destinations"]["pages"] = {
        "hosts": ["*.pages.example.net"],
        "servedBy": "www.example.net",
        "ports": {"port": {"port": 8443, "protocol": protocol}},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **ANSWERABLE,
    }
    wrong = "is a wildcard, and Cloud Firewall sees no names in GRPC without TLS"
    expected = [("destinations.pages.hosts[0]", wrong, "each host by its full name, `cidrs`, or `tls`")]
    assert told(values) == ([] if ok else expected)
    assert told(changed(setting("egress.firewall", {"mode": "external"}), values)) == []
    with_tls: dict[str, Any] = {"port": 8443, "protocol": "GRPC", "tls": {"clientPort": 8080}}
    assert told(changed(setting("destinations.pages.ports.port", with_tls), values)) == []
    with_cidrs = changed(setting("destinations.pages.cidrs", ["93.184.216.0/24"]), values)
    assert told(with_cidrs) == []


_IMAGES = "install.istio.imageRegistry"


def _pulling(registry: str | None, **fetch: Any) -> Values:
    values = host_network_values()
    own = {} if registry is None else {"istio": {"imageRegistry": registry}}
    values["install"] = {"gatewayApi": "standard", **own}
    if fetch:
        values["egress"]["nodes"]["fetches"] = {"registry": {**fetch, **ANSWERABLE}}
    return values


@pytest.mark.parametrize(
    ("registry", "fetch"),
    [
        ("registry-vpc.cn-hangzhou.aliyuncs.com/istio", {}),
        ("registry-cn-hangzhou-vpc.ack.aliyuncs.com/acs", {}),
        ("mirror.example.com/istio", {"hosts": ["mirror.example.com"]}),
        ("mirror.example.com:5000/istio", {"hosts": ["mirror.example.com"], "port": 5000}),
        ("mirror.example.com", {"hosts": ["blobs.mirror.example.com"]}),
    ],
)
def test_images_come_from_where_nodes_reach(registry: str, fetch: dict[str, Any]) -> None:
    """A registry that egress nodes reach was refused."""
    assert told(_pulling(registry, **fetch)) == []


@pytest.mark.parametrize(
    ("registry", "fetch"),
    [
        ("mirror.example.com/istio", {}),
        ("mirror.example.com/istio", {"hosts": ["other.example.com"]}),
        ("mirror.example.com/istio", {"hosts": ["xmirror.example.com"]}),
        ("mirror.example.com/istio", {"hosts": ["mirror.example.com"], "port": 5000}),
        ("mirror.example.com:5000/istio", {"hosts": ["mirror.example.com"]}),
        ("registry.cn-hangzhou.aliyuncs.com/istio", {}),
        ("shop-registry-vpc.cn-hangzhou.cr.aliyuncs.com/istio", {}),
        ("registry-vpc.example.com/istio", {}),
    ],
)
def test_images_from_elsewhere_are_refused(registry: str, fetch: dict[str, Any]) -> None:
    """Gateways stayed in ImagePullBackOff, as soon as a node was replaced under `enforce`."""
    host = registry.partition("/")[0]
    assert told(_pulling(registry, **fetch)) == [
        (
            _IMAGES,
            f"has the gateways' image come from {host}, which no egress node reaches",
            f"a registry by its name in the VPC, or an entry for {host} at egress.nodes.fetches",
        )
    ]


def test_charts_own_registries_are_refused() -> None:
    """As above, where nobody had thought of images."""
    ((path, wrong, instead),) = told(_pulling(None, hosts=["registry.example.net"]))
    assert path == _IMAGES
    assert wrong.startswith("is missing: the gateways' image would come from the internet")
    assert instead == "a registry in the VPC, or one that egress.nodes.fetches names"


def test_images_of_proxies_and_helpers_are_looked_at_where_these_run() -> None:
    """As above, for what runs beside the gateways, and for nothing that runs elsewhere."""
    values = on_cloud(dev_values(), "terway")
    del values["install"]["envoyGateway"]
    helper = {"image": "judge:v1"}
    values["backendGateways"] = {"default": {"helpers": {"judge": helper}}}
    found = [path for path, _, _ in told(values) if path.endswith(("image", "imageRegistry"))]
    assert found == ["backendGateways.default.helpers.judge.image", "install.envoyGateway.imageRegistry"]
    elsewhere = {"nodes": "any", "addresses": {"mode": "existing", "cidrs": ["203.0.113.20/32"]}}
    values["backendGateways"] = {"default": elsewhere}
    assert told(values) == []


def test_existing_nodes_pull_from_wherever_they_can() -> None:
    """Nodes that are there already were held to rules for those that are created."""
    assert told(dev_values()) == []
