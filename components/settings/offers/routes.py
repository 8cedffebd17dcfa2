"""What happens to a backend's requests: which go where, and changed in what way."""

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from components.settings.destinations import HeaderChanges
from components.settings.http_types import CallerHeader, Duration, HeaderValue, HttpMethod, HttpPath, Percent
from components.settings.problems import wrong
from components.settings.types import EntryName, Host, Items, Model

_WITH_REDIRECT: Final = frozenset({"paths", "methods", "headers", "redirect"})
"""What a route may say beside a redirect."""


class Rewrite(Model):
    """What the backend sees instead of what callers wrote."""

    host: Host | None = None
    """The `Host` header."""
    path: HttpPath | None = None
    """What stands in place of the matched path: `/v2` turns `/v1/news` below `/v1/*` into `/v2/news`. Without `/*`."""

    @model_validator(mode="after")
    def _says_something(self) -> "Rewrite":
        if self.host is None and self.path is None:
            raise wrong("rewrites nothing", "`host`, `path` or both; or leave it out")
        return self


class Redirect(Model):
    """An answer that sends callers elsewhere, without asking the backend."""

    host: Host | None = None
    """Where to: a host that this declaration offers, by its scheme and on its port. Without it: the host that they
    asked for, as they did."""
    path: HttpPath | None = None
    """In place of the matched path. Without `/*`."""
    status: Literal[301, 302, 303, 307, 308] = 302
    """301 and 308: for good."""

    @model_validator(mode="after")
    def _leads_elsewhere(self) -> "Redirect":
        if self.host is None and self.path is None:
            raise wrong("leads to where callers are already", "`host`, `path` or both")
        return self


class BackendRetries(Model):
    """Asking again when an endpoint does not answer, or answers 502, 503 or 504."""

    attempts: Annotated[int, Field(ge=1, le=10)]
    """How often to ask again."""
    per_try_timeout: Duration | None = None
    """How long one try may take. Without it: the route's timeout."""
    codes: Items[Annotated[int, Field(ge=500, le=599)]] = (502, 503, 504)
    """The answers after which to ask again."""


class BackendMirror(Model):
    """A copy of requests, whose answers nobody reads."""

    to: EntryName
    """The backend that gets the copies."""
    percent: Percent = 100
    """How many requests in a hundred are copied."""


class BackendRoute(Model):
    """Some of a backend's requests, and what happens to them."""

    paths: Items[HttpPath] | None = None
    """Exact paths, or everything below one (`/v1/*`). GRPC: `/package.Service/Method`, or `/package.Service/*`.
    Without them: every path."""
    methods: Items[HttpMethod] | None = None
    """HTTP methods. Without them: any. Not for GRPC."""
    headers: Annotated[dict[CallerHeader, HeaderValue], Field(min_length=1)] | None = None
    """Headers that a request has, each with exactly this value."""
    rewrite: Rewrite | None = None
    """What the backend sees instead."""
    redirect: Redirect | None = None
    """An answer that sends callers elsewhere; nothing else is then said here."""
    request_headers: HeaderChanges | None = None
    """Changes to the request."""
    response_headers: HeaderChanges | None = None
    """Changes to the answer."""
    split: Annotated[dict[EntryName, Percent], Field(min_length=1)] | None = None
    """Other backends, and how many requests in a hundred go there instead: a canary, or a move in steps from a virtual
    machine to a Service. What is left stays."""
    mirror: BackendMirror | None = None
    """Where copies of requests go."""
    timeout: Duration | None = None
    """How long an answer may take. Without it: Envoy Gateway's default."""
    retries: BackendRetries | None = None
    """Asking again. Without it: never."""

    @model_validator(mode="after")
    def _redirects_or_goes(self) -> "BackendRoute":
        if self.redirect is not None and (others := self.model_fields_set - _WITH_REDIRECT):
            raise wrong(f"redirects, so nothing comes of `{min(others)}`", "either of them")
        return self
