"""How much callers may ask of a backend."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.destinations import Count
from components.settings.http_types import CallerHeader
from components.settings.problems import wrong
from components.settings.types import Entries, Model


class RateLimit(Model):
    """So many requests in so much time; more are answered 429."""

    requests: Count
    """Requests."""
    per: Literal["second", "minute", "hour", "day"]
    """In what time."""
    counted: Literal["each-proxy", "together"] = "each-proxy"
    """`each-proxy`: by each proxy for itself, for each hostname and each path of `routes` apart. `together`: by all of
    them in Redis (install.envoyGateway.redis), to the request."""
    each: Literal["caller-address"] | None = None
    """For each address of callers by itself. Without it, and without `eachHeader`: for all callers together. Needs
    `counted: together`."""
    each_header: CallerHeader | None = None
    """For each value of this header by itself; requests without it are not counted. Needs `counted: together`."""

    @model_validator(mode="after")
    def _counts_one_thing(self) -> "RateLimit":
        if self.each is not None and self.each_header is not None:
            raise wrong("counts by address and by header", "two limits, one of each")
        if self.counted == "each-proxy" and (self.each is not None or self.each_header is not None):
            raise wrong(
                "counts each caller, of whom a proxy by itself remembers 20 (Envoy's `max_dynamic_descriptors`): "
                "with the 21st the first begins anew",
                "`counted: together`, or a limit for all callers",
            )
        return self


class RequestLimits(Model):
    """How many requests, and how large."""

    requests: Entries[RateLimit] | None = None
    """How many, by a name of your choice; all hold."""
    body_bytes: Annotated[int, Field(ge=1, le=1_073_741_824)] | None = None
    """The largest body of a request, in bytes; a larger one is answered 413. Bodies are then read whole before the
    backend sees them."""

    @model_validator(mode="after")
    def _says_something(self) -> "RequestLimits":
        if self.requests is None and self.body_bytes is None:
            raise wrong("limits nothing", "`requests`, `bodyBytes` or both; or leave it out")
        return self
