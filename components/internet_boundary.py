"""The same allowlist once more at the internet boundary, where the firewall sees the addresses of the NAT gateway."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_alicloud as alicloud

from components.address_books import THROTTLED, Book, address_book, ends, ports
from components.plan.cloud.firewall import DNS, FQDN, AddressBook, FirewallPlan, Policy
from components.plan.names import kube_name

_RESOLVED: Final = {FQDN: "FQDN", DNS: "DNS", None: None}
"""`DomainResolveType` in the words of this boundary (Cloud Firewall, AddControlPolicy)."""
_OUT: Final = "out"


def at_internet_boundary(
    component: pulumi.ComponentResource,
    plan: FirewallPlan,
    destinations: Mapping[str, Book],
    *,
    cluster: str,
    cidrs: Sequence[pulumi.Output[str]],
    after: pulumi.Resource,
) -> pulumi.Resource:
    """Register the policies as children of `component`, one after the other, before all others of the account.

    They speak of our own addresses alone, also the last one: whoever else uses this boundary is not touched.

    Args:
        component: the parent.
        plan: the policies.
        destinations: the books of what is reached, by name.
        cluster: the cluster's name.
        cidrs: the addresses.
        after: what the first waits for.

    Returns:
        What is there once all of them are.
    """
    planned = AddressBook(name=kube_name("ce", cluster, "from", "eips"), kind="ip", entries=())
    ours = address_book(component, planned, [after], entries=cidrs)
    last: pulumi.Resource = ours
    for policy in plan.policies:
        destination = None if policy.destination is None else destinations[policy.destination.name]
        last = _policy(component, policy, ours, destination, last)
    return last


def _policy(
    component: pulumi.ComponentResource,
    policy: Policy,
    source: Book,
    destination: Book | None,
    after: pulumi.Resource,
) -> pulumi.Resource:
    """A policy is created as the last of the account; then it gets its place."""
    created = alicloud.cloudfirewall.ControlPolicy(
        policy.name,
        description=policy.description,
        direction=_OUT,
        ip_version="4",
        acl_action=policy.action,
        **ends(source, destination),
        proto=policy.protocol,
        application_name_lists=[policy.application],
        domain_resolve_type=_RESOLVED[policy.resolved_by],
        dest_port_type="port",
        dest_port=ports(policy.port),
        release="true",
        opts=pulumi.ResourceOptions(parent=component, custom_timeouts=THROTTLED, depends_on=[after]),
    )
    return alicloud.cloudfirewall.ControlPolicyOrder(
        policy.name,
        acl_uuid=created.acl_uuid,
        direction=_OUT,
        order=policy.order,
        opts=pulumi.ResourceOptions(parent=component, custom_timeouts=THROTTLED),
    )
