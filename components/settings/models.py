"""The declaration: who may talk to what outside the cluster, and what outside services are offered inside."""

from typing import Annotated, Literal

from pydantic import Field

from components.settings.cloud.account import Cloud
from components.settings.destinations import Destination
from components.settings.egress import Egress, GatewayName
from components.settings.install import Install
from components.settings.offers.backends import Backend
from components.settings.offers.gateways import BackendGateway
from components.settings.types import (
    Address,
    Entries,
    EntryName,
    IncludedFile,
    Items,
    KubernetesLabel,
    Model,
    Sentence,
)


class Namespace(Model):
    """A namespace that exists already; it is labelled, never created or deleted."""

    role: Literal["client", "platform"]
    """`client`: its pods get a sidecar, and reach out only as declared. `platform`: known, but not governed."""
    outbound: Literal["gateway", "registry-only", "allow-any"] = "gateway"
    """How a client namespace's declared traffic leaves. `gateway`: through the egress gateway. `registry-only`:
    straight from the sidecars; no gateway checks who asks. `allow-any`: straight, and whatever is not declared as
    well; for a migration, and only as long as an exception to EGR203 lets it."""


class Cluster(Model):
    """The cluster that this stack configures. One stack is one cluster."""

    name: EntryName
    """How people call the cluster; stands in the hand-off to the firewall team."""
    context: Sentence | None = None
    """The kubeconfig context to use. Without it: the current one."""
    namespaces: Annotated[dict[KubernetesLabel, Namespace], Field(min_length=1)]
    """The namespaces that this declaration speaks of, by name."""
    node_local_dns: Address = "169.254.20.10"
    """Where NodeLocal DNSCache listens: clients may ask it. (Kubernetes' documented default.)"""
    ip_families: Items[Literal["IPv4", "IPv6"]] = ("IPv4",)
    """What pods have addresses of. With both, hosts are tried in both."""


class Included(Model):
    """A file that a stack file includes."""

    destinations: Entries[Destination] | None = None
    """What clients may reach outside, by name."""
    backends: Entries[Backend] | None = None
    """What is offered inside or at the edge, by name."""


class Settings(Model):
    """One environment's whole declaration."""

    cluster: Cluster
    """The cluster and its namespaces."""
    cloud: Cloud | None = None
    """Where on Alibaba Cloud the cluster stands. Needed where nodes, addresses or a firewall are created."""
    egress: Egress
    """The way out."""
    include: Items[IncludedFile] | None = None
    """More files with `destinations` and `backends`, from stacks/: one a team, or where there are hundreds."""
    destinations: Entries[Destination]
    """What clients may reach outside, by name."""
    backends: Entries[Backend] | None = None
    """What is offered inside or at the edge, by name. Leave the key out to offer nothing."""
    backend_gateways: Annotated[dict[GatewayName, BackendGateway], Field(min_length=1)] | None = None
    """The Gateways through which backends are offered, by name; `default` is for backends that name none. Without
    the key there is that one, inside the cluster."""
    install: Install = Field(default_factory=Install)
    """Where charts and images come from."""
    secrets: frozenset[str] = frozenset()
    """The names under `secrets`; their values never come near the settings."""
