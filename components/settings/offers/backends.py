"""A service that is offered, and where it really answers."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.destinations import Connections, Count, OutlierDetection
from components.settings.http_types import Duration, HttpPath
from components.settings.offers.access import Access
from components.settings.offers.limits import RequestLimits
from components.settings.offers.routes import BackendRoute
from components.settings.problems import wrong
from components.settings.reserved import DEFAULT_GATEWAY, OFFER_PORT, OFFER_TLS_PORT
from components.settings.types import (
    Address,
    Answerable,
    Cidr,
    EntryName,
    Host,
    Items,
    KubernetesLabel,
    KubernetesName,
    LabelValue,
    Model,
    Port,
)

TlsVersion = Literal["1.2", "1.3"]
"""The oldest TLS that is spoken."""


class Endpoint(Model):
    """One place where a backend answers: an address or a name, and a port."""

    ip: Address | None = None
    """An IP address."""
    fqdn: Host | None = None
    """A DNS name."""
    port: Port
    """The port there."""
    zone: LabelValue | None = None
    """The zone it stands in, as nodes are labelled: proxies prefer endpoints of their own zone."""

    @model_validator(mode="after")
    def _one_place(self) -> "Endpoint":
        if (self.ip is None) == (self.fqdn is None):
            raise wrong("an endpoint has either `ip` or `fqdn`", "`{ip: 172.139.20.181, port: 17000}`, or with `fqdn`")
        return self


class Service(Model):
    """A Service in the cluster, for what has moved there, or is on its way."""

    namespace: KubernetesLabel
    """Its namespace: a declared one."""
    name: KubernetesLabel
    """Its name."""
    port: Port
    """Its port."""
    pod_port: Port | None = None
    """The port of its pods, where it is another; the proxies' NetworkPolicy opens it."""


class Resolver(Model):
    """Whatever host of `hostnames` a request names, looked up at that moment (a Backend of type DynamicResolver)."""

    port: Port
    """The one port there: 443 with `tls`, 80 without. No caller chooses another."""


class BackendTls(Model):
    """TLS from the proxies to the endpoints. Their certificate is always verified."""

    server_name: Host | None = None
    """The name in the SNI and in the certificate. Without it: the endpoints' one `fqdn`."""
    secret: KubernetesName | None = None
    """A Secret in Envoy Gateway's namespace: its `ca.crt` says who signs the certificate. Without it: the public
    authorities that the proxy's image knows."""
    client_certificate: bool = False
    """Show the endpoints the certificate in `secret` (`tls.crt`, `tls.key`)."""
    min_version: TlsVersion = "1.2"
    """The oldest version that endpoints may answer in."""

    @model_validator(mode="after")
    def _has_a_certificate(self) -> "BackendTls":
        if self.client_certificate and self.secret is None:
            raise wrong("`clientCertificate` needs a Secret that holds one", "`secret`, with tls.crt, tls.key, ca.crt")
        return self


class HealthCheck(Model):
    """Asking endpoints whether they are well, instead of learning it from callers' errors."""

    path: HttpPath | None = None
    """HTTP: what is asked for with GET; 200 is well. Left out for GRPC (its own health service), TLS and TCP (whether
    it connects)."""
    interval: Duration = "5s"
    """How often each proxy asks each endpoint."""
    timeout: Duration = "1s"
    """How long an answer may take."""
    unhealthy_after: Count = 3
    """Failures in a row after which an endpoint gets no requests."""
    healthy_after: Count = 1
    """Successes in a row after which it gets them again."""


class BackendConnections(Connections):
    """How many connections and requests a proxy may have open to the backend; more are answered 503."""

    max_parallel_requests: Count | None = None
    """Requests at the same time. HTTP and GRPC only."""


class CertificateIssuer(Model):
    """An issuer of cert-manager, which is in the cluster already."""

    kind: Literal["Issuer", "ClusterIssuer"] = "ClusterIssuer"
    """`Issuer`: of Envoy Gateway's namespace."""
    name: KubernetesName
    """Its name."""


class Certificate(Model):
    """The certificate that callers see for `hostnames`; TLS then ends at the Gateway."""

    secret: KubernetesName | None = None
    """A Secret of type kubernetes.io/tls that is there already, or comes from elsewhere."""
    namespace: KubernetesLabel | None = None
    """The Secret's namespace, a declared one. Without it: Envoy Gateway's."""
    issuer: CertificateIssuer | None = None
    """Who issues and renews one, instead of a Secret."""

    @model_validator(mode="after")
    def _from_one_place(self) -> "Certificate":
        if (self.secret is None) == (self.issuer is None):
            raise wrong("comes from nowhere, or from two places", "`secret`, or `issuer` with cert-manager")
        if self.namespace is not None and self.secret is None:
            raise wrong("`namespace` is the Secret's, and `issuer` puts it into Envoy Gateway's", "leave it out")
        return self


class Backend(Answerable):
    """A service that is offered inside or at the edge, through Envoy Gateway."""

    gateway: EntryName | None = None
    """The Gateway that offers it: a name under backendGateways. Without it: `default`."""
    hostnames: Items[Host] | None = None
    """The names under which callers ask for it. TCP has none; everything else needs them."""
    protocol: Literal["HTTP", "GRPC", "TLS", "TCP"] = "HTTP"
    """`TLS`: callers' TLS is recognised by its SNI, and passed through, or ended where there is a `certificate`.
    `TCP`: anything else, recognised by `port` alone."""
    port: Port | None = None
    """Where the Gateway listens. Without it: 443 for TLS, and with a `certificate`; else 80. TCP needs it."""
    certificate: Certificate | None = None
    """What callers' TLS ends with. Without it HTTP and GRPC are offered in plain text."""
    https_redirect: bool = False
    """HTTP with a `certificate`: who asks on port 80 in plain text is sent to HTTPS."""
    endpoints: Items[Endpoint] | None = None
    """Where it answers: addresses or names, not both. 64 at most."""
    standby: Items[Endpoint] | None = None
    """Where it answers when none of `endpoints` is well; of the same kind. Needs `healthCheck` or `outliers`."""
    service: Service | None = None
    """A Service in the cluster, instead of `endpoints`."""
    resolver: Resolver | None = None
    """Hosts that are looked up for each request, instead of `endpoints`. Approved under `dynamicResolvers`."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind `fqdn` endpoints and `resolver`, and only those. Without them, `publicRanges` must approve
    the entry."""
    application_protocol: Literal["h2c", "ws", "wss"] | None = None
    """What endpoints speak, where the port and `protocol` do not say: HTTP/2 without TLS, or WebSocket."""
    tls: BackendTls | None = None
    """TLS to the endpoints. Without it they are spoken to in plain text."""
    health_check: HealthCheck | None = None
    """Asking endpoints whether they are well."""
    outliers: OutlierDetection | None = None
    """When an endpoint that fails is left alone for a while."""
    connections: BackendConnections | None = None
    """Limits on connections and requests."""
    access: Access
    """Who may call it. All that is given must hold."""
    limits: RequestLimits | None = None
    """HTTP and GRPC: how many requests, and how large."""
    routes: Annotated[dict[EntryName, BackendRoute], Field(min_length=1, max_length=16)] | None = None
    """HTTP and GRPC: what happens to which requests, by a name of your choice; the longest path wins. What no route
    names is not found. Without them: every request goes to the backend."""

    @property
    def offered_by(self) -> str:
        """The Gateway that offers it, by its name under backendGateways."""
        return self.gateway or DEFAULT_GATEWAY

    @property
    def shared_with(self) -> list[str]:
        """The other backends that get some of its requests, or copies of them, by name."""
        routes = (self.routes or {}).values()
        others = {name for route in routes for name in route.split or ()}
        return sorted(others | {route.mirror.to for route in routes if route.mirror is not None})

    @property
    def speaks_tls(self) -> bool:
        """Whether callers speak TLS, which is passed through or ended."""
        return self.protocol == "TLS" or self.certificate is not None

    @property
    def listening_port(self) -> int:
        """Where its Gateway listens."""
        return self.port or (OFFER_TLS_PORT if self.speaks_tls else OFFER_PORT)
