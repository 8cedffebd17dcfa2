"""Who may call a backend."""

from typing import Annotated

from pydantic import Field, model_validator

from components.settings.http_types import ClaimName, Duration, ExactText, HeaderName, HttpPath, HttpsUrl, JsonWebKeys
from components.settings.mesh import Authorizer
from components.settings.problems import wrong
from components.settings.types import Cidr, EntryName, Host, Items, KubernetesName, Model, Sentence


class Jwt(Model):
    """A JSON Web Token as `authorization: Bearer ...`. Either `jwksUri` or `jwks` says by which keys it is known."""

    issuer: ExactText
    """Its `iss`, to the letter."""
    audiences: Items[ExactText]
    """Its `aud`: one of these."""
    jwks_uri: HttpsUrl | None = None
    """Where the proxies fetch the public keys."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind `jwksUri`. Without them, `publicRanges` must approve the backend, with that host."""
    jwks: JsonWebKeys | None = None
    """The public keys themselves: a JSON Web Key Set."""
    claims: Annotated[dict[ClaimName, Items[ExactText]], Field(min_length=1)] | None = None
    """Claims that it must have, each with one of the values. Without them: any token of the issuer."""

    @model_validator(mode="after")
    def _has_keys(self) -> "Jwt":
        if (self.jwks_uri is None) == (self.jwks is None):
            raise wrong("has no keys, or from two places", "`jwksUri`, or `jwks` with the keys themselves")
        if self.cidrs is not None and self.jwks_uri is None:
            raise wrong("`cidrs` are the addresses behind `jwksUri`, which is not there", "leave `cidrs` out")
        return self


class OidcEndpoints(Model):
    """Where an OpenID provider has its parts, where nobody shall ask it."""

    authorization: HttpsUrl
    """Where callers' browsers are sent to log in."""
    token: HttpsUrl
    """Where the proxies change a code for tokens."""


class Oidc(Model):
    """A login in the browser (OpenID Connect), kept in a cookie."""

    issuer: HttpsUrl
    """The provider."""
    client_id: Sentence
    """What the provider knows this backend as."""
    secret: KubernetesName
    """A Secret in Envoy Gateway's namespace with the client's secret, as `client-secret`."""
    endpoints: OidcEndpoints | None = None
    """Where the provider has its parts. Without them Envoy Gateway's controller asks the issuer (discovery), whose
    token endpoint is then on the issuer's own host."""
    cidrs: Items[Cidr] | None = None
    """The addresses of the provider. Without them, `publicRanges` must approve the backend, with its hosts."""
    scopes: Items[ExactText] | None = None
    """What is asked for besides `openid`."""
    callback: HttpPath = "/oauth2/callback"
    """The path that the provider sends browsers back to, on the first of `hostnames`."""
    logout: HttpPath = "/logout"
    """The path that ends the login."""


class ApiKeys(Model):
    """A key in a header, each caller's own."""

    secret: KubernetesName
    """A Secret in Envoy Gateway's namespace: each entry a caller's name and its key."""
    header: HeaderName = "x-api-key"
    """The header that holds the key. The backend does not see it."""


class ExternalAuthorizer(Model):
    """Somebody who is asked about every request (Envoy's ext_authz). No answer means no."""

    service: Authorizer | None = None
    """A service in the cluster."""
    socket: EntryName | None = None
    """A helper in the proxies' own pods: a name under `helpers` of the backend's Gateway. Asked by GRPC."""
    timeout: Duration = "1s"
    """How long a helper may think."""

    @model_validator(mode="after")
    def _is_one(self) -> "ExternalAuthorizer":
        if (self.service is None) == (self.socket is None):
            raise wrong("is nobody, or two", "`service`, or `socket` with a helper's name")
        return self


class ClientCertificates(Model):
    """A certificate that callers show (mutual TLS)."""

    secret: KubernetesName
    """A Secret in Envoy Gateway's namespace: its `ca.crt` says who signs callers' certificates."""
    names: Items[Host] | None = None
    """DNS names, one of which the certificate must have. Without them: any that is signed."""


class Access(Model):
    """Who may call a backend: all that is given must hold. One is needed; `public` stands alone."""

    public: Sentence | None = None
    """Anyone who reaches the Gateway, and why no more is needed."""
    jwt: Jwt | None = None
    """Who has a token. HTTP and GRPC."""
    oidc: Oidc | None = None
    """Who has logged in, in the browser. HTTP."""
    api_keys: ApiKeys | None = None
    """Who has a key. HTTP and GRPC."""
    basic: KubernetesName | None = None
    """Who has a password: a Secret in Envoy Gateway's namespace with `.htpasswd`, as `htpasswd -s` writes it. HTTP."""
    external: ExternalAuthorizer | None = None
    """Whom somebody else lets in. HTTP and GRPC."""
    client_certificates: ClientCertificates | None = None
    """Who shows a certificate. Needs `certificate`."""
    client_cidrs: Items[Cidr] | None = None
    """Who calls from these addresses, as the Gateway's `trustedProxies` say. Not for TLS that is passed through."""

    @model_validator(mode="after")
    def _keeps_somebody_out(self) -> "Access":
        given = self.model_fields_set
        if not given:
            raise wrong("lets nobody in, or anybody", "`jwt`, `apiKeys` or another; or `public` with the reason")
        if self.public is not None and len(given) > 1:
            raise wrong("is `public`, and asks for more", "either of them")
        return self
