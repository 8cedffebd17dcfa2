"""What clients may reach outside, and how: hosts, ports, clients, and what the gateway does with a request."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from components.settings.http_types import (
    ClaimName,
    Duration,
    ExactText,
    HeaderName,
    HeaderValue,
    HttpMethod,
    HttpPath,
    Percent,
)
from components.settings.problems import wrong
from components.settings.types import (
    Address,
    Answerable,
    Cidr,
    Entries,
    EntryName,
    Host,
    HostPattern,
    Items,
    KubernetesLabel,
    KubernetesName,
    LabelKey,
    LabelValue,
    Model,
    Port,
)

Count = Annotated[int, Field(ge=1, le=1_000_000)]
"""A positive number of connections, requests or errors."""


class OriginatedTls(Model):
    """TLS that starts at the egress gateway: clients speak plain HTTP inside, the host outside hears verified TLS.

    In a namespace without a gateway it starts at the client's own sidecar.
    """

    client_port: Port
    """The port that clients call, in plain text. `port` is the one outside."""
    server_name: Host | None = None
    """The name in the SNI and in the host's certificate, where it is not the host's own."""
    secret: KubernetesName | None = None
    """A Secret in the gateway's namespace: its `ca.crt` says who signs the host's certificate. Without it: the
    public authorities that the proxy's image knows."""
    client_certificate: bool = False
    """Show the host the certificate in `secret` (`tls.crt`, `tls.key`)."""

    @model_validator(mode="after")
    def _has_a_certificate(self) -> "OriginatedTls":
        if self.client_certificate and self.secret is None:
            raise wrong("`clientCertificate` needs a Secret that holds one", "`secret`, with tls.crt, tls.key, ca.crt")
        return self


class AllowedRequests(Model):
    """Which requests clients may make; everything else is refused with 403."""

    methods: Items[HttpMethod] | None = None
    """HTTP methods, for example GET. Without them: any."""
    paths: Items[HttpPath] | None = None
    """Paths: exact (`/v1/news`), or everything below one (`/v1/*`). Without them: any."""

    @model_validator(mode="after")
    def _says_something(self) -> "AllowedRequests":
        if self.methods is None and self.paths is None:
            raise wrong("allows nothing and refuses nothing", "`methods`, `paths` or both; or leave it out")
        return self


class Retries(Model):
    """Asking again when a host does not answer."""

    attempts: Annotated[int, Field(ge=0, le=10)]
    """How often to ask again; 0 for never. (Istio's own default is 2.)"""
    per_try_timeout: Duration | None = None
    """How long one try may take. Without it: the route's timeout."""


class HeaderChanges(Model):
    """What becomes of headers. What is removed goes first, so a header that is in both has the value of `set`."""

    set: Annotated[dict[HeaderName, HeaderValue], Field(min_length=1)] | None = None
    """Values that replace what is there."""
    remove: Items[HeaderName] | None = None
    """Headers that are taken away."""

    @model_validator(mode="after")
    def _says_something(self) -> "HeaderChanges":
        if self.set is None and self.remove is None:
            raise wrong("changes nothing", "`set`, `remove` or both; or leave it out")
        return self


class Mirror(Model):
    """A copy of requests, whose answers nobody reads."""

    to: EntryName
    """The destination that gets the copies: one of one host, open to the same clients."""
    percent: Percent = 100
    """How many requests in a hundred are copied."""


class Routing(Model):
    """What the gateway does with requests on their way out."""

    timeout: Duration | None = None
    """How long an answer may take. Without it: as long as the client waits."""
    retries: Retries | None = None
    """Asking again. Without it: Istio's default, twice."""
    request_headers: HeaderChanges | None = None
    """Changes to the request."""
    response_headers: HeaderChanges | None = None
    """Changes to the answer."""
    split: Annotated[dict[EntryName, Percent], Field(min_length=1)] | None = None
    """Other destinations, of one host each and open to the same clients, and how many requests in a hundred go there
    instead. What is left stays."""
    mirror: Mirror | None = None
    """Where copies of requests go."""


class Connections(Model):
    """How many connections and requests a proxy may have open to each host."""

    max_connections: Count | None = None
    """Open connections."""
    connect_timeout: Duration | None = None
    """How long connecting may take. Without it: 10 s."""
    max_pending_requests: Count | None = None
    """Requests that wait for a connection. HTTP and GRPC only."""
    max_requests_per_connection: Count | None = None
    """Requests after which a connection is closed. HTTP and GRPC only."""
    idle_timeout: Duration | None = None
    """How long a connection without requests stays open. HTTP and GRPC only."""


class OutlierDetection(Model):
    """When an address that fails is left alone for a while (Envoy's outlier detection)."""

    consecutive_errors: Count = 5
    """Errors in a row (HTTP: 5xx; else failures to connect) after which it is left alone."""
    interval: Duration = "10s"
    """How often addresses are looked at."""
    ejection_time: Duration = "30s"
    """How long it is left alone, at least."""
    max_percent: Percent = 50
    """How many addresses in a hundred may be left alone at once."""


class DestinationPort(Model):
    """One port of a destination."""

    port: Port
    """The port outside."""
    protocol: Literal["HTTP", "GRPC", "TLS", "TCP"]
    """`TLS`: passed through as the client encrypted it, recognised by its SNI. `HTTP`, `GRPC`: plain text, at least
    inside. `TCP`: anything else, recognised by its address."""
    tls: OriginatedTls | None = None
    """HTTP and GRPC: TLS that starts at the gateway. Without it they leave in plain text."""
    allow: AllowedRequests | None = None
    """HTTP and GRPC: which requests. Without it: all."""
    routing: Routing | None = None
    """HTTP and GRPC: what the gateway does with them."""
    connections: Connections | None = None
    """Limits on connections to each host."""
    outliers: OutlierDetection | None = None
    """When to leave an address alone."""

    @property
    def client_port(self) -> int:
        """The port that clients call."""
        return self.port if self.tls is None else self.tls.client_port

    @property
    def is_http(self) -> bool:
        """Whether the gateway sees requests, and not only connections."""
        return self.protocol in ("HTTP", "GRPC")

    @model_validator(mode="after")
    def _fits_its_protocol(self) -> "DestinationPort":
        if not self.is_http:
            for key in ("tls", "allow", "routing"):
                if getattr(self, key) is not None:
                    raise wrong(
                        f"`{key}` is about requests, and the gateway sees none in {self.protocol}",
                        "leave it out, or `protocol: HTTP` with `tls`: then TLS starts at the gateway",
                    )
            for key in ("max_pending_requests", "max_requests_per_connection", "idle_timeout"):
                if self.connections is not None and getattr(self.connections, key) is not None:
                    raise wrong(
                        f"`connections.{to_camel(key)}` is about requests, which nobody sees in {self.protocol}",
                        "leave it out",
                    )
        return self


class Client(Model):
    """Who in a namespace may use a destination."""

    service_accounts: Items[KubernetesName] | None = None
    """The service accounts, by name. Each is checked by its certificate at the gateway."""
    everyone: Literal[True] | None = None
    """Every pod of the namespace, instead of service accounts."""
    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)] | None = None
    """Pods with these labels, instead of service accounts; only in a namespace whose `outbound` is `registry-only`.
    A gateway sees certificates, and no labels."""

    @model_validator(mode="after")
    def _one_way(self) -> "Client":
        given = [key for key in ("service_accounts", "everyone", "labels") if getattr(self, key) is not None]
        if len(given) != 1:
            raise wrong(
                "says in no way, or in several, who the clients are",
                "`serviceAccounts: [reader]`, or `everyone: true`, or `labels`",
            )
        return self


class RequiredToken(Model):
    """A JSON Web Token that every request must carry; it must have a `sub`, whatever it says."""

    issuer: EntryName
    """Who signs it: a name under egress.mesh.issuers."""
    claims: Annotated[dict[ClaimName, Items[ExactText]], Field(min_length=1)] | None = None
    """Claims that it must have, each with one of the values: as text, or among others in a list. Without them: any
    token of the issuer."""


class Destination(Answerable):
    """Hosts outside the cluster, and who may talk to them."""

    hosts: Items[HostPattern]
    """The hosts, each by its full name. A wildcard (`*.example.com`) needs `servedBy` or `addresses`."""
    ports: Entries[DestinationPort]
    """The ports, by a name of your choice; each holds for every host."""
    clients: Annotated[dict[KubernetesLabel, Client], Field(min_length=1)]
    """Who may use it, by namespace."""
    served_by: Host | None = None
    """One host that answers for all names of a wildcard: connections go there, whatever name the client says."""
    addresses: Items[Address] | None = None
    """Fixed addresses of the hosts. Without them their names are looked up in DNS, at the gateway."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind the names, for the NetworkPolicy. Without them, `publicRanges` must approve the entry."""
    gateway: EntryName | None = None
    """The egress gateway that it leaves through: a name under egress.mesh.gateways. Without it: egress.mesh.gateway."""
    token: RequiredToken | None = None
    """A token that every request must carry."""
    authorizer: EntryName | None = None
    """An external authorizer that is asked about every request: a name under egress.mesh.authorizers."""

    @property
    def is_plain(self) -> bool:
        """Whether clients' service accounts alone decide."""
        return self.token is None and self.authorizer is None
