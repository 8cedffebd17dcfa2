"""What keeps permitted methods and paths what they are, also as the host outside reads them.

The gateway resolves `..` and backslashes before it judges a path (`pathNormalization: BASE`), and passes on what it
judged. It leaves encoded slashes alone, because many services give them a meaning of their own. A host outside may
still read them as slashes, so that `/v1/..%2fadmin` is below `/v1/` here and `/admin` there. Where only some paths are
permitted, such requests are refused.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from components.plan.flows import Flow

OVERRIDING_HEADERS: Final = (
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
)
"""Headers by which web frameworks take another method or path than the request's own."""
_AMBIGUOUS: Final = r"(%2[fF]|%5[cC]|%25(00|2[eEfF]|5[cC])|/(\.|%2[eE]){1,2};)"
"""Slashes and backslashes in code; these, dots and NUL encoded twice (Envoy refuses `%00` itself); and dots with a
parameter, which servlet containers read as dots (`/..;/`)."""


def overriding_headers(flow: Flow) -> tuple[str, ...]:
    """Headers that a flow's requests must not have, because not every request is permitted."""
    return () if flow.spec.allow is None else OVERRIDING_HEADERS


def ambiguous_paths(flow: Flow, match: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The route that refuses what is below a permitted path and may be another path outside, if there is any.

    It comes before the flow's own. A path that is permitted to the letter is what its owner wrote, and passes.

    Args:
        flow: what the client asked for.
        match: the conditions of the flow's own route.
    """
    paths = () if flow.spec.allow is None else flow.spec.allow.paths or ()
    below = [re.escape(path.removesuffix("/*")) for path in paths if path.endswith("/*")]
    if not below:
        return []
    regex = f"({'|'.join(below)})(/.*)?{_AMBIGUOUS}.*"
    return [{"match": [{**match, "uri": {"regex": regex}}], "directResponse": {"status": 403}}]
