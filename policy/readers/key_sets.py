"""JSON Web Key Sets that stand as text in an object (RFC 7517)."""

import json

from policy.reading import Node, Reader, as_mapping, as_sequence

_MAX_KEYS = 256 * 1024
_SECRET_PARTS = ("d", "k")  # RFC 7518, sections 6.2.2, 6.3.2 and 6.4: a private key's number, and a symmetric key


def judge_keys(reader: Reader, jwks: Node) -> None:
    """Report keys that nobody can read, and secret ones: whoever has such a key can sign."""
    text = reader.text(jwks)
    if text is None:
        return
    keys = _keys_of(text)
    if keys is None:
        reader.report(jwks, "is no JSON Web Key Set that can be read")
    elif any(part in key for key in keys for part in _SECRET_PARTS):
        reader.report(jwks, "holds a secret key: whoever can read this object can make tokens")


def _keys_of(text: str) -> list[frozenset[object]] | None:
    """The fields that each key of a key set has; None if it is none. A single key counts as a set of one."""
    try:
        document = as_mapping(json.loads(text)) if len(text) <= _MAX_KEYS else None
    except (ValueError, RecursionError):
        document = None
    if document is None:
        return None
    keys = as_sequence(document.get("keys")) if "keys" in document else (document,)
    mappings = [as_mapping(key) for key in keys or ()]
    found = [frozenset(mapping) for mapping in mappings if mapping is not None]
    return found if keys is not None and len(found) == len(mappings) else None
