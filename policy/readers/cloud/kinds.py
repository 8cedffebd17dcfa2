"""What Alibaba Cloud's resources are called as kinds of subjects: `alicloud:` and the module, and the resource.

Source: pulumi-alicloud 3.105.0, the type tokens.
"""

from typing import Final

NETWORK: Final = "alicloud:vpc/Network"
SWITCHES: Final = frozenset({"alicloud:vpc/Switch", "alicloud:vpc/Subnet"})
NAT_GATEWAY: Final = "alicloud:vpc/NatGateway"
SNAT_ENTRY: Final = "alicloud:vpc/SnatEntry"
FORWARD_ENTRY: Final = "alicloud:vpc/ForwardEntry"
ROUTE_TABLE: Final = "alicloud:vpc/RouteTable"
ROUTE_TABLES: Final = frozenset({ROUTE_TABLE, NETWORK})
"""A VPC's system route table comes with the VPC itself."""
ROUTE_TABLE_ATTACHMENT: Final = "alicloud:vpc/RouteTableAttachment"
ROUTE_ENTRIES: Final = frozenset({"alicloud:vpc/RouteEntry", "alicloud:vpc/VPCRouteEntry"})
IPV4_GATEWAY: Final = "alicloud:vpc/Ipv4Gateway"
IPV6_KINDS: Final = frozenset(
    {"alicloud:vpc/Ipv6Gateway", "alicloud:vpc/Ipv6InternetBandwidth", "alicloud:vpc/Ipv6EgressRule"}
)
EIPS: Final = frozenset({"alicloud:ecs/EipAddress", "alicloud:ecs/Eip", "alicloud:ecs/EipSegmentAddress"})
EIP_ASSOCIATION: Final = "alicloud:ecs/EipAssociation"
ANYCAST_ATTACHMENT: Final = "alicloud:eipanycast/AnycastEipAddressAttachment"
SECURITY_GROUP: Final = "alicloud:ecs/SecurityGroup"
SECURITY_GROUP_RULE: Final = "alicloud:ecs/SecurityGroupRule"
INSTANCE: Final = "alicloud:ecs/Instance"
INSTANCES: Final = frozenset(
    {
        "alicloud:ecs/EcsInstanceSet",
        "alicloud:ecs/EcsLaunchTemplate",
        INSTANCE,
        "alicloud:ecs/LaunchTemplate",
        "alicloud:ess/ScalingConfiguration",
    }
)
"""Those and the templates of those that run nodes, or could."""
CONTAINER_GROUPS: Final = frozenset(
    {"alicloud:eci/ContainerGroup", "alicloud:eci/VirtualNode", "alicloud:ess/EciScalingConfiguration"}
)
"""Pods without nodes."""
INTERFACES: Final = frozenset({"alicloud:ecs/EcsNetworkInterface", "alicloud:vpc/NetworkInterface"})
LOAD_BALANCERS: Final = frozenset({"alicloud:slb/ApplicationLoadBalancer", "alicloud:slb/LoadBalancer"})
PROVISIONING_GROUP: Final = "alicloud:ecs/AutoProvisioningGroup"
SCALING_GROUP: Final = "alicloud:ess/ScalingGroup"
NODE_POOL: Final = "alicloud:cs/NodePool"
CLUSTERS: Final = frozenset(
    f"alicloud:cs/{name}" for name in ("ManagedKubernetes", "Kubernetes", "ServerlessKubernetes", "EdgeKubernetes")
)
CLUSTER_ADDON: Final = "alicloud:cs/KubernetesAddon"
SERVICE_MESH: Final = "alicloud:servicemesh/ServiceMesh"
VPN_ROUTES: Final = frozenset({"alicloud:vpn/RouteEntry", "alicloud:vpn/PbrRouteEntry", "alicloud:vpn/GatewayVcoRoute"})
TRANSIT_ROUTE: Final = "alicloud:cen/ChildInstanceRouteEntryToAttachment"
"""What a Cloud Enterprise Network instance writes into a table of the VPC."""
NAT_FIREWALL: Final = "alicloud:cloudfirewall/NatFirewall"
NAT_POLICY: Final = "alicloud:cloudfirewall/NatFirewallControlPolicy"
NAT_POLICY_ORDER: Final = "alicloud:cloudfirewall/NatFirewallControlPolicyOrder"
INTERNET_POLICY: Final = "alicloud:cloudfirewall/ControlPolicy"
INTERNET_POLICY_ORDER: Final = "alicloud:cloudfirewall/ControlPolicyOrder"
FIREWALL_POLICIES: Final = frozenset({NAT_POLICY, INTERNET_POLICY})
ADDRESS_BOOK: Final = "alicloud:cloudfirewall/AddressBook"
ADVANCED_CONFIG: Final = "alicloud:cloudfirewall/PolicyAdvancedConfig"
RAM_POLICY: Final = "alicloud:ram/Policy"
RAM_POLICIES: Final = frozenset({RAM_POLICY, "alicloud:resourcemanager/Policy"})
ROLE_POLICY_ATTACHMENT: Final = "alicloud:ram/RolePolicyAttachment"
PRINCIPAL_ATTACHMENT: Final = "alicloud:resourcemanager/PolicyAttachment"
"""The same for any principal, within a resource group or the account."""
NETWORK_INTERFACE: Final = "alicloud:ecs/EcsNetworkInterface"
NODE: Final = "core/Node"
ANSWER: Final = "alicloud:answers/answer"
"""An answer of an API as a whole; what it lists are subjects of their own kinds."""
POD_NETWORKING: Final = "network.alibabacloud.com/PodNetworking"
"""Terway's: which pods get addresses of which vSwitches."""
POD_ENI: Final = "network.alibabacloud.com/PodENI"
"""The network interface of one pod, which Terway's controller writes."""
CONFIG_MAP: Final = "core/ConfigMap"
POD_EIP: Final = "alibabacloud.com/PodEIP"
"""The EIP of one pod, by ack-extend-network-controller."""
