"""Declarations that create nodes, addresses and a firewall; together they use every key of these settings."""

import copy

from tests.support import NEVER, Values, dev_values

REGION = "cn-hangzhou"
ZONES = ("cn-hangzhou-h", "cn-hangzhou-i")
LIMITS: dict[str, int] = {
    "natPolicies": 2000,
    "internetPolicies": 2000,
    "snatEntries": 40,
    "natGatewayEips": 20,
    "accountEips": 20,
    "addressBooks": 5000,
    "addressesPerBook": 2000,
    "domainsPerBook": 2000,
    "firewallCallsPerMinute": 600,
    "networkPolicies": 100,
    "securityGroupRules": 1000,
    "vswitches": 150,
    "routeTables": 9,
}
ANSWERABLE = {"owner": "team-platform", "ticket": "FW-9", "expires": NEVER}


def flannel_values() -> Values:
    """A NAT gateway and a firewall, where pods leave with their node's address. Every key, but for those of others."""
    values = on_cloud(dev_values(), "flannel")
    values["cloud"] |= {"site": "International", "role": "acs:ram::1234567890123456:role/egress"}
    del values["egress"]["nodes"]["count"]
    values["egress"]["nodes"] |= {
        "autoscaling": {"min": 2, "max": 6},
        "image": "AliyunLinux3ContainerOptimized",
        "disk": {"gib": 200, "kmsKey": "key-hzz0123456789abcdef"},
        "labels": {"pool": "egress"},
        "taints": {"pool": {"value": "egress", "effect": "NoExecute"}},
        "fetches": {
            "mirror": {"hosts": ["mirror.example.com"], "port": 5000, "cidrs": ["93.184.216.0/28"], **ANSWERABLE},
            "registry": {"hosts": ["registry.example.net"], **ANSWERABLE},
        },
    }
    values["egress"]["addresses"] |= {"count": 3, "sharedBandwidth": True, "protected": "addresses"}
    values["egress"]["firewall"] |= {"internetBoundary": True, "propagationSeconds": 240}
    values["install"]["envoyGateway"]["imageRegistry"] = "mirror.example.com:5000"
    return values


def terway_values() -> Values:
    """The same, where the gateways' pods have addresses of their own."""
    return on_cloud(dev_values(), "terway")


def pod_vswitches_values() -> Values:
    """Connected networks see the gateways' pods; somebody else's firewall."""
    values = on_cloud(dev_values(), "terway")
    values["egress"] |= {"addresses": {"mode": "pod-vswitches"}, "firewall": {"mode": "external"}}
    del values["cloud"]["limits"]
    return values


def host_network_values() -> Values:
    """Connected networks see the nodes, on whose network the one gateway is."""
    values = on_cloud(dev_values(), "terway")
    for zone in ZONES:
        del values["egress"]["nodes"]["zones"][zone]["pods"]
    del values["egress"]["firewall"]
    del values["backends"]
    values["egress"]["addresses"] = {"mode": "host-network"}
    values["egress"]["mesh"] |= {"flavour": "gateway-api", "gateway": {"hostNetwork": True}}
    values["install"] = {"istio": values["install"]["istio"], "gatewayApi": "standard"}
    return values


VARIANTS = {
    "flannel": flannel_values,
    "terway": terway_values,
    "pod-vswitches": pod_vswitches_values,
    "host-network": host_network_values,
}


def on_cloud(values: Values, pod_network: str) -> Values:
    """A declaration whose nodes, addresses and firewall are created."""
    values = copy.deepcopy(values)
    values["cluster"]["context"] = "ack-dev"
    values["cloud"] = {
        "region": REGION,
        "account": "1234567890123456",
        "vpc": "vpc-bp1aevy8sofi8mh1q0000",
        "cluster": "c0123456789abcdef0123456789abcdef",
        "podNetwork": pod_network,
        "limits": dict(LIMITS),
    }
    values["egress"] |= {
        "nodes": {
            "mode": "dedicated",
            "zones": {zone: {"nodes": f"192.168.0.{64 * (index + 1)}/26"} for index, zone in enumerate(ZONES)},
            "instanceTypes": ["ecs.g7.xlarge", "ecs.g8i.xlarge"],
            "count": 4,
        },
        "addresses": {"mode": "nat", "bandwidth": 100, "zone": ZONES[0], "network": "192.168.0.192/28"},
        "firewall": {"mode": "cloud-firewall", "network": "192.168.0.208/28"},
    }
    values["install"] = {
        "istio": {"imageRegistry": "registry-vpc.cn-hangzhou.aliyuncs.com/istio"},
        "envoyGateway": {"imageRegistry": "registry-vpc.cn-hangzhou.aliyuncs.com"},
    }
    if pod_network == "terway":
        for index, zone in enumerate(ZONES):
            values["egress"]["nodes"]["zones"][zone]["pods"] = f"10.244.{8 + index}.0/24"
    return values
