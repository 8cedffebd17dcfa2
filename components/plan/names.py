"""Names of Kubernetes objects: built here only, within the length that Kubernetes allows."""

import hashlib
import re
from typing import Final

LIMIT: Final = 63
"""Characters of an RFC 1123 label; every name of ours is one, so that it also fits into labels."""
_DIGEST: Final = 8


def kube_name(*parts: str) -> str:
    """The parts joined by `-`: lower case, within `LIMIT`. A longer name is cut and ends in a hash of the whole."""
    whole = "-".join(parts)
    name = re.sub(r"[^a-z0-9-]+", "-", whole.lower()).strip("-")
    if name == whole and len(name) <= LIMIT:
        return name
    return f"{name[: LIMIT - _DIGEST - 1].rstrip('-')}-{digest(whole, _DIGEST)}".lstrip("-")


def further_name(entry: str, what: str) -> str:
    """The name of one more object of an entry: entries' names have no dot, so it is nobody else's."""
    return f"{entry}.{what}"


def digest(text: str, length: int) -> str:
    """The first `length` hex digits of the text's SHA-256: the same on every machine, for ever."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def hash_bits(text: str) -> str:
    """The text's SHA-256 as 256 characters of `0` and `1`."""
    return f"{int.from_bytes(hashlib.sha256(text.encode()).digest()):0256b}"
