"""The declaration: who may talk to what outside the cluster, and what outside services are offered inside."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.destinations import Destination
from components.settings.egress import Egress
from components.settings.install import Install
from components.settings.problems import wrong
from components.settings.types import (
    Address,
    Answerable,
    Cidr,
    Entries,
    EntryName,
    Host,
    IncludedFile,
    Items,
    KubernetesLabel,
    Model,
    Port,
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


class Endpoint(Model):
    """One place where a backend answers: an address or a name, and a port."""

    ip: Address | None = None
    """An IP address."""
    fqdn: Host | None = None
    """A DNS name."""
    port: Port
    """The port there."""

    @model_validator(mode="after")
    def _one_place(self) -> "Endpoint":
        if (self.ip is None) == (self.fqdn is None):
            raise wrong("an endpoint has either `ip` or `fqdn`", "`{ip: 172.139.20.181, port: 17000}`, or with `fqdn`")
        return self


class PublicAccess(Model):
    """Anyone who reaches the gateway may call this backend."""

    mode: Literal["public"]
    """No authentication."""
    reason: Sentence
    """Why none is needed."""


class Backend(Answerable):
    """A service outside the cluster that is offered inside it, through Envoy Gateway."""

    hostnames: Items[Host]
    """The names under which callers ask for it."""
    endpoints: Items[Endpoint]
    """Where it answers: addresses or names, not both."""
    access: PublicAccess
    """Who may call it."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind `fqdn` endpoints, and only those. Without them, `publicRanges` must approve the entry."""

    @model_validator(mode="after")
    def _one_kind(self) -> "Backend":
        if len({endpoint.ip is None for endpoint in self.endpoints}) > 1:
            raise wrong("its endpoints mix `ip` and `fqdn`", "two backends, one of each kind")
        return self


class Included(Model):
    """A file that a stack file includes."""

    destinations: Entries[Destination] | None = None
    """What clients may reach outside, by name."""
    backends: Entries[Backend] | None = None
    """What is offered inside, by name."""


class Settings(Model):
    """One environment's whole declaration."""

    cluster: Cluster
    """The cluster and its namespaces."""
    egress: Egress
    """The way out."""
    include: Items[IncludedFile] | None = None
    """More files with `destinations` and `backends`, from stacks/: one a team, or where there are hundreds."""
    destinations: Entries[Destination]
    """What clients may reach outside, by name."""
    backends: Entries[Backend] | None = None
    """What is offered inside, by name. Leave the key out to offer nothing."""
    install: Install = Field(default_factory=Install)
    """Where charts and images come from."""
    secrets: frozenset[str] = frozenset()
    """The names under `secrets`; their values never come near the settings."""
