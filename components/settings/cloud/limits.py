"""How much an account may have of what is created.

A limit that Alibaba Cloud publishes is a default here. One that depends on what was bought has none, and is asked for
where it counts: the firewall's console shows it.
"""

from typing import Annotated

from pydantic import Field

from components.settings.types import Model

Limit = Annotated[int, Field(ge=1, le=1_000_000)]


class Limits(Model):
    """What may be there of each kind. The preview shows how much of it is used."""

    nat_policies: Limit | None = None
    """What the firewall's edition, or who pays for it, allows of policies at the NAT boundary. It counts what a policy
    stands for: sources times destinations times applications times port ranges, books as their entries (Cloud
    Firewall, "Subscription"; the console shows what is used). Needed by `mode: cloud-firewall`."""
    internet_policies: Limit | None = None
    """The same at the internet boundary. Needed by `firewall.internetBoundary`."""
    snat_entries: Limit = 40
    """SNAT entries of one NAT gateway; its firewall takes as many as there are EIPs (NAT Gateway, "FAQ")."""
    nat_gateway_eips: Limit = 20
    """EIPs of one NAT gateway (NAT Gateway, "Quotas")."""
    account_eips: Limit = 20
    """EIPs of the account in the region, those of others among them (Elastic IP Address, "Quotas")."""
    address_books: Limit = 5000
    """Address books of the account (Cloud Firewall, "Manage address books")."""
    addresses_per_book: Limit = 2000
    """Addresses in one (the same page)."""
    domains_per_book: Limit = 2000
    """Names in one (the same page)."""
    firewall_calls_per_minute: Limit = 600
    """Calls of one operation: ten a second (Cloud Firewall, AddAddressBook). A refresh asks for all books and policies
    at once, and the provider repeats for a minute what was refused for their number."""
    network_policies: Limit = 100
    """NetworkPolicies of the cluster (Container Service, "Use network policies in ACK clusters")."""
    security_group_rules: Limit = 1000
    """Rules of all security groups of one network interface (Elastic Compute Service, AuthorizeSecurityGroup)."""
    vswitches: Limit = 150
    """vSwitches of the VPC (VPC, "Limits and quotas")."""
    route_tables: Limit = 9
    """Custom route tables of the VPC (the same page)."""
