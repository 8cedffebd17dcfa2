"""As what networks outside see those who send."""

from components.plan.cloud.traffic import Source, senders
from components.settings import Settings
from components.settings.cloud.addresses import ExistingAddresses, NatAddresses, PodAddresses
from components.settings.cloud.nodes import DedicatedNodes


def source_cidrs(settings: Settings, own: ExistingAddresses | None = None) -> tuple[str, ...] | None:
    """The ranges that the outside sees; `None` where they are elastic IP addresses, which only the cloud knows.

    Args:
        settings: the declaration.
        own: the addresses of a gateway that has some of its own.
    """
    addresses = settings.egress.addresses if own is None else own
    if isinstance(addresses, ExistingAddresses):
        return addresses.cidrs
    return (
        None
        if isinstance(addresses, NatAddresses)
        else inside_cidrs(settings, of_pods=isinstance(addresses, PodAddresses))
    )


def connected_cidrs(settings: Settings) -> tuple[str, ...]:
    """The ranges that networks connected to the VPC see: no NAT gateway is on the way to them."""
    found = {each for source in senders(settings) for each in inside_cidrs(settings, of_pods=source is Source.PODS)}
    return tuple(sorted(found))


def inside_cidrs(settings: Settings, *, of_pods: bool) -> tuple[str, ...]:
    """The ranges of the vSwitches that the gateways' pods, or the egress nodes, have of their own."""
    nodes = settings.egress.nodes
    zones = nodes.zones if isinstance(nodes, DedicatedNodes) else {}
    ranges = [zone.pods if of_pods else zone.nodes for _, zone in sorted(zones.items())]
    return tuple(each for each in ranges if each is not None)
