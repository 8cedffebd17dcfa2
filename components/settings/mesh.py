"""What belongs to the mesh as a whole: a managed one, issuers of tokens, authorizers, traces, alerts."""

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from components.settings.http_types import (
    Duration,
    ExactText,
    HeaderName,
    HttpsUrl,
    JsonWebKeys,
    Percent,
    TokenHeader,
)
from components.settings.problems import wrong
from components.settings.types import (
    Address,
    Cidr,
    EntryName,
    Items,
    KubernetesLabel,
    LabelKey,
    LabelValue,
    Model,
    Port,
    Sentence,
    ServicePort,
)

TOKEN_HEADER: Final = "x-egress-token"  # noqa: S105 - its name
"""Where the gateway finds tokens, unless an issuer says otherwise."""


class Asm(Model):
    """Alibaba Cloud Service Mesh: its objects live in the mesh instance's own API server."""

    context: Sentence
    """The kubeconfig context of the mesh instance."""
    cluster_id: Annotated[str, Field(pattern=r"^c[a-z0-9]{8,60}$")]
    """The id of the cluster in which the gateway runs."""
    control_plane: Items[Address]
    """The addresses at which proxies find the mesh's control plane, outside the cluster. Approved under
    `privateRanges`, as the entry `control-plane` on port 15012."""


class Issuer(Model):
    """Somebody who signs JSON Web Tokens. Either `jwksUri` or `jwks` says by which keys they are known."""

    issuer: ExactText
    """The token's `iss`, to the letter."""
    audiences: Items[ExactText]
    """The token's `aud`: one of these."""
    header: TokenHeader = TOKEN_HEADER
    """The request header that holds the token, alone. It never leaves the gateway. Not `authorization`: tokens there
    are for the host outside, and others' would be refused."""
    jwks_uri: HttpsUrl | None = None
    """Where istiod fetches the public keys."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind `jwksUri`. Without them, `publicRanges` must approve the issuer's name."""
    jwks: JsonWebKeys | None = None
    """The public keys themselves: a JSON Web Key Set."""

    @model_validator(mode="after")
    def _has_keys(self) -> "Issuer":
        if (self.jwks_uri is None) == (self.jwks is None):
            raise wrong("has no keys, or from two places", "`jwksUri`, or `jwks` with the keys themselves")
        if self.cidrs is not None and self.jwks_uri is None:
            raise wrong("`cidrs` are the addresses behind `jwksUri`, which is not there", "leave `cidrs` out")
        return self


class Authorizer(ServicePort):
    """A service in the cluster that Envoy asks about every request (Envoy's ext_authz). No answer means no."""

    port: Port
    """The Service's port. For GRPC it is called `grpc`, or has that `appProtocol`, so that proxies speak HTTP/2."""
    protocol: Literal["GRPC", "HTTP"] = "GRPC"
    """How it is asked."""
    timeout: Duration = "1s"
    """How long it may think."""
    headers: Items[HeaderName] | None = None
    """HTTP: request headers that it is shown besides method, path, host and `authorization`. By GRPC it sees all."""

    @model_validator(mode="after")
    def _is_shown_what_it_can_be(self) -> "Authorizer":
        if self.protocol == "GRPC" and self.headers is not None:
            raise wrong("`headers` choose what is shown by HTTP, and by GRPC all are", "leave it out")
        return self


class Tracing(ServicePort):
    """An OpenTelemetry collector in the cluster, for spans of what leaves."""

    port: Port = 4317
    """The Service's port; OTLP over gRPC."""
    percent: Percent = 1
    """How many requests in a hundred are traced."""


class Alerts(Model):
    """Where the PrometheusRule goes, and how Prometheus finds it."""

    namespace: KubernetesLabel
    """Its namespace, which exists already."""
    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)] | None = None
    """Labels by which your Prometheus selects rules, for example `release: prometheus`."""
    severity: EntryName = "warning"
    """The label `severity` of the alerts."""
