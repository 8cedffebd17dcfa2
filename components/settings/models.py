"""The declaration: who may talk to what outside the cluster, and what outside services are offered inside."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.install import Install
from components.settings.problems import wrong
from components.settings.types import (
    Address,
    Cidr,
    Entries,
    EntryName,
    Expiry,
    Host,
    IncludedFile,
    Items,
    KubernetesLabel,
    KubernetesName,
    LabelKey,
    LabelValue,
    Model,
    Port,
    Sentence,
)


class Namespace(Model):
    """A namespace that exists already; it is labelled, never created or deleted."""

    role: Literal["client", "platform"]
    """`client`: its pods get a sidecar, and reach out only as declared. `platform`: known, but not governed."""


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


class Taint(Model):
    """A taint that the egress nodes carry, and that the gateway tolerates."""

    value: LabelValue | None = None
    """The taint's value; without it the gateway tolerates any."""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule"]
    """What the taint does to pods that do not tolerate it."""


class ExistingNodes(Model):
    """Egress nodes that exist already: where the egress gateway runs, and nothing else should."""

    mode: Literal["existing"]
    """The nodes are there; nothing is created."""
    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]
    """The labels by which the gateway finds them."""
    taints: Annotated[dict[LabelKey, Taint], Field(min_length=1)]
    """The taints that keep other pods away, by key."""


class ExistingAddresses(Model):
    """Source addresses that are fixed already."""

    mode: Literal["existing"]
    """The addresses are there; nothing is created."""
    cidrs: Items[Cidr]
    """What a firewall outside sees as the source: single addresses are written as /32."""


class EgressGateway(Model):
    """The Deployment through which everything leaves."""

    namespace: KubernetesLabel = "istio-egress"
    """Its namespace; ours, so created and deleted with the stack."""
    replicas: Annotated[int, Field(ge=2, le=50)] = 2
    """Pods, spread over zones. At least two, so that one zone can fail."""


class Mesh(Model):
    """How destinations become routes."""

    flavour: Literal["istio-api"]
    """`istio-api`: ServiceEntry, Gateway, VirtualService, DestinationRule."""
    trust_domain: Host = "cluster.local"
    """The trust domain in the clients' certificates."""
    gateway: EgressGateway = Field(default_factory=EgressGateway)
    """The egress gateway."""


class Egress(Model):
    """The way out, from node to mesh."""

    posture: Literal["observe", "enforce"]
    """`observe`: nothing is cut, everything is logged. `enforce`: what is not declared is refused, in every layer."""
    nodes: ExistingNodes
    """Where the egress gateway runs."""
    addresses: ExistingAddresses
    """What the outside sees as the source."""
    mesh: Mesh
    """The mesh flavour and its gateway."""


class Answerable(Model):
    """Who answers for an entry, on what ticket, until when."""

    owner: Sentence
    """The team that answers for it."""
    ticket: Sentence
    """The request that was approved."""
    expires: Expiry
    """The last day on which it holds, in quotes: "2027-06-30"."""


class DestinationPort(Model):
    """One port of a destination."""

    port: Port
    """The port outside."""
    protocol: Literal["HTTP", "GRPC", "TLS"]
    """`TLS`: passed through as the client encrypted it, recognised by its SNI. `HTTP`, `GRPC`: plain text."""


class Client(Model):
    """Who in a namespace may use a destination."""

    service_accounts: Items[KubernetesName]
    """The service accounts, by name. Each is checked by its certificate at the gateway."""


class Destination(Answerable):
    """Hosts outside the cluster, and who may talk to them."""

    hosts: Items[Host]
    """The hosts, each by its full name."""
    ports: Entries[DestinationPort]
    """The ports, by a name of your choice; each holds for every host."""
    clients: Annotated[dict[KubernetesLabel, Client], Field(min_length=1)]
    """Who may use it: service accounts by namespace."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind the hosts, for the NetworkPolicy. Without them, `publicRanges` must approve the entry."""


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
