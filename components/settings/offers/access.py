"""Who may call a backend."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from components.settings.http_types import CallerHeader, ClaimName, Duration, ExactText, HttpsUrl, JsonWebKeys, OnePath
from components.settings.mesh import Authorizer
from components.settings.problems import shown, wrong
from components.settings.types import Cidr, EntryName, Host, Items, KubernetesName, Model, Sentence

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_LONGEST: Final = 253
_MOST_VALUES: Final = 128


def _issuer(text: str) -> str:
    """As Envoy Gateway takes it (v1.9, validateJWTProvider); of another it would answer every request 500."""
    if (":" in text and not _SCHEME.fullmatch(text)) or len(text) > _LONGEST:
        raise wrong(
            f"{shown(text)} is no issuer: with a `:` it is a URI, of 253 characters at most", "the token's `iss`"
        )
    return text


class Jwt(Model):
    """A JSON Web Token as `authorization: Bearer ...`. Either `jwksUri` or `jwks` says by which keys it is known."""

    issuer: Annotated[ExactText, AfterValidator(_issuer)]
    """Its `iss`, to the letter."""
    audiences: Items[ExactText]
    """Its `aud`: one of these, 8 at most."""
    jwks_uri: HttpsUrl | None = None
    """Where the proxies fetch the public keys, by a certificate of a public authority."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind `jwksUri`. Without them, `publicRanges` must approve the backend, with that host."""
    jwks: JsonWebKeys | None = None
    """The public keys themselves: a JSON Web Key Set."""
    claims: Annotated[dict[ClaimName, Items[ExactText]], Field(min_length=1)] | None = None
    """Claims that it must have, each with one of the values, as text or in a list; 4 at most. A dot leads into a
    claim's parts: `realm_access.roles`. Without them: any token of the issuer."""
    pass_on: bool = False
    """Let the backend see the token. Without it the Gateway takes it off: who runs the backend could use it here."""

    @model_validator(mode="after")
    def _has_keys(self) -> "Jwt":
        if (self.jwks_uri is None) == (self.jwks is None):
            raise wrong("has no keys, or from two places", "`jwksUri`, or `jwks` with the keys themselves")
        if self.cidrs is not None and self.jwks_uri is None:
            raise wrong("`cidrs` are the addresses behind `jwksUri`, which is not there", "leave `cidrs` out")
        return self

    @model_validator(mode="after")
    def _is_what_a_policy_holds(self) -> "Jwt":
        for key, given, most in (("audiences", self.audiences, 8), ("claims", self.claims or {}, 4)):
            if len(given) > most:
                raise wrong(f"has {len(given)} `{key}`, and a SecurityPolicy tells {most} apart", f"{most} at most")
        for name, values in (self.claims or {}).items():
            if len(values) > _MOST_VALUES:
                raise wrong(
                    f"the claim {shown(name)} has {len(values)} values, and a SecurityPolicy compares {_MOST_VALUES}",
                    f"{_MOST_VALUES} at most",
                )
        paths = [name for name in self.claims or {} if "://" in name]
        if paths:
            raise wrong(
                f"the claim {shown(paths[0])} is a URL, and Envoy Gateway takes its dots for a way into parts",
                "a claim with a short name, which most issuers can add",
            )
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
    callback: OnePath = "/oauth2/callback"
    """The path that the provider sends browsers back to."""
    logout: OnePath = "/logout"
    """The path that ends the login."""
    pass_on: bool = False
    """Let the backend see cookies, its own and those of the login, in which it can read the access token and the ID
    token. Without it the Gateway takes off all cookies: Envoy cannot take off some."""

    @model_validator(mode="after")
    def _has_paths_of_its_own(self) -> "Oidc":
        if self.callback in {"/", self.logout}:
            raise wrong("`callback` is a path that has another meaning", "a path of its own")
        if "?" in self.issuer:
            raise wrong(f"`issuer` is {shown(self.issuer)}, and an issuer has no query", "the part before the `?`")
        return self


class ApiKeys(Model):
    """A key in a header, each caller's own."""

    secret: KubernetesName
    """A Secret in Envoy Gateway's namespace: each entry a caller's name and its key."""
    header: CallerHeader = "x-api-key"
    """The header that holds the key. The backend does not see it."""


class ExternalAuthorizer(Model):
    """Somebody who is asked about every request (Envoy's ext_authz). No answer means no."""

    service: Authorizer | None = None
    """A service in the cluster."""
    socket: EntryName | None = None
    """A helper in the proxies' own pods: a name under `helpers` of the backend's Gateway. Asked by GRPC."""
    timeout: Duration = "1s"
    """How long a helper may think; a service says so itself."""

    @model_validator(mode="after")
    def _is_one(self) -> "ExternalAuthorizer":
        if (self.service is None) == (self.socket is None):
            raise wrong("is nobody, or two", "`service`, or `socket` with a helper's name")
        if self.service is not None and "timeout" in self.model_fields_set:
            raise wrong("`timeout` is a helper's", "`timeout` in `service`")
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
    """Who calls from these addresses, as the Gateway's `trustedProxies` say; for TLS that is not ended here, and TCP,
    the addresses that connect."""

    @property
    def spent_headers(self) -> tuple[str, ...]:
        """The request headers that were for the Gateway alone, which routes take off before the backend sees them.

        Whoever runs the backend could use them here. Envoy Gateway takes off keys itself, and leaves tokens and
        passwords (v1.9, internal/xds/translator/jwt.go: `forward`). Of a login Envoy leaves the cookies, with the
        tokens made legible.
        """
        takes_authorization = self.basic is not None or (self.jwt is not None and not self.jwt.pass_on)
        has_login = self.oidc is not None and not self.oidc.pass_on
        return (*(("authorization",) if takes_authorization else ()), *(("cookie",) if has_login else ()))

    @property
    def passes_on(self) -> bool:
        """Whether routes leave on a request what its caller showed to the Gateway, as a token or a login."""
        return any(each is not None and each.pass_on for each in (self.jwt, self.oidc))

    @model_validator(mode="after")
    def _keeps_somebody_out(self) -> "Access":
        given = self.model_fields_set
        if not given:
            raise wrong("lets nobody in, or anybody", "`jwt`, `apiKeys` or another; or `public` with the reason")
        if self.public is not None and len(given) > 1:
            raise wrong("is `public`, and asks for more", "either of them")
        return self
