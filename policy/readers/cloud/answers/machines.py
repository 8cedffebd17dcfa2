"""What the answers of ECS (API 2014-05-26) and of Container Service (CS, API 2015-12-15) show.

The fields of alibaba-cloud-sdk-go 1.63.107, services/ecs, and of cs-20151215 of February 2026.
"""

from collections.abc import Iterator

from policy.readers.cloud import kinds
from policy.readers.cloud.answers.made import Item, Made, field, items, listed, made


def instance(item: Item) -> Iterator[Made]:
    """DescribeInstances. EIPs are told by DescribeEipAddresses."""
    name = item.get("InstanceId")
    yield made(
        kinds.INSTANCE,
        name,
        id=name,
        vpcId=field(item, "VpcAttributes", "VpcId"),
        vswitchId=field(item, "VpcAttributes", "VSwitchId"),
        allocatePublicIp=bool(listed(item, "PublicIpAddress", "IpAddress")),
    )


def network_interface(item: Item) -> Iterator[Made]:
    """DescribeNetworkInterfaces: only which there are in the VPC."""
    name = item.get("NetworkInterfaceId")
    yield made(
        kinds.NETWORK_INTERFACE,
        name,
        id=name,
        vpcId=item.get("VpcId"),
        vswitchId=item.get("VSwitchId"),
        instanceId=item.get("InstanceId"),
        status=item.get("Status"),
    )


def node_pool(item: Item) -> Iterator[Made]:
    """DescribeClusterNodePools. It does not show how the metadata service answers."""
    info, group, config = (field(item, key) for key in ("nodepool_info", "scaling_group", "kubernetes_config"))
    whole: Item = {"info": info, "group": group, "config": config}
    yield made(
        kinds.NODE_POOL,
        field(whole, "info", "name") or field(whole, "info", "nodepool_id"),
        id=field(whole, "info", "nodepool_id"),
        vswitchIds=listed(whole, "group", "vswitch_ids"),
        multiAzPolicy=field(whole, "group", "multi_az_policy"),
        securityGroupId=field(whole, "group", "security_group_id"),
        securityGroupIds=listed(whole, "group", "security_group_ids"),
        internetMaxBandwidthOut=field(whole, "group", "internet_max_bandwidth_out"),
        scalingConfig={"isBondEip": field(item, "auto_scaling", "is_bond_eip")},
        systemDiskEncrypted=field(whole, "group", "system_disk_encrypted"),
        dataDisks=[{"encrypted": each.get("encrypted")} for each in items(whole, "group", "data_disks")],
        password=field(whole, "group", "login_password"),
        spotStrategy=field(whole, "group", "spot_strategy"),
        ramRoleName=field(whole, "group", "ram_role_name"),
        labels=listed(whole, "config", "labels"),
        taints=listed(whole, "config", "taints"),
    )
