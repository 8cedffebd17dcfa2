"""Headers by which a client is let in, or known: whoever reads or writes them is that client."""

from typing import Final

CREDENTIAL_HEADERS: Final = frozenset(
    {
        "api-key",
        "apikey",
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-access-token",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-id-token",
    }
)
"""In lower case. RFC 9110, section 11.6, and RFC 6265; the others are the usual names for keys and tokens."""
