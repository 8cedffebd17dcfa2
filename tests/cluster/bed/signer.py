"""Somebody who signs JSON Web Tokens (RFC 7515, RFC 7517; RS256)."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

_BITS: Final = 2048
_EXPONENT: Final = 65537


def _key() -> RSAPrivateKey:
    return generate_private_key(_EXPONENT, _BITS)


@dataclass(frozen=True, kw_only=True)
class Signer:
    """An issuer with a key of its own."""

    issuer: str
    name: str
    """Of the key (`kid`)."""
    key: RSAPrivateKey = field(default_factory=_key, repr=False)

    @property
    def key_set(self) -> str:
        """The public key, as the issuer publishes it."""
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.name, "n": _number(numbers.n)}
        return json.dumps({"keys": [{**key, "e": _number(numbers.e)}]})

    def token(self, **claims: Any) -> str:
        """A token that is good for years."""
        header = {"alg": "RS256", "typ": "JWT", "kid": self.name}
        payload = {"iss": self.issuer, "sub": "job-7", "aud": "egress", "exp": 4102444800, **claims}
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(payload).encode())}"
        return f"{signed}.{_encoded(self.key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
