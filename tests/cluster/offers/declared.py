"""The stack `dev` with backends that use everything, and what they find in the cluster: Secrets, a Service, Redis."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.cluster.bed import openid_provider
from tests.cluster.bed.outside import Certificate, Outside
from tests.cluster.bed.signer import Signer
from tests.cluster.bed.stack import Stack
from tests.cluster.features import merge_file

NAMESPACE: Final = "envoy-gateway-system"
KEY: Final = "only-for-these-tests"
"""The key of the one caller who has one."""
PASSWORD: Final = "as-well-for-these-tests"  # noqa: S105 - of nobody
USER: Final = "jane"
KEYS: Final = "/keys.json"
"""Where the fetched issuer's keys are, on the host `keys`."""
_HERE: Final = Path(__file__).parent

Object = dict[str, Any]


def declare(stack: Stack, inline: Signer, fetched: Signer) -> None:
    """Have a stack file and its approvals hold what this folder says besides.

    Args:
        stack: the stack.
        inline: whose keys stand in the declaration.
        fetched: whose keys the proxies fetch.
    """
    merge_file(stack.file, _HERE / "stack.yaml")
    merge_file(stack.approvals, _HERE / "approvals.yaml")
    text = stack.file.read_text(encoding="utf-8")
    for word, value in {
        "INLINE_ISSUER": inline.issuer,
        "INLINE_KEYS": json.dumps(inline.key_set),
        "FETCHED_ISSUER": fetched.issuer,
        "CLIENT_ID": openid_provider.CLIENT_ID,
    }.items():
        text = text.replace(word, value)
    stack.file.write_text(text, encoding="utf-8")


def secrets(outside: Outside) -> list[Object]:
    """What the declaration names in Envoy Gateway's namespace."""
    served = outside.issue("*.example.org")
    ours = outside.client_certificate.read_text(encoding="utf-8"), outside.client_key.read_text(encoding="utf-8")
    authority = outside.authority.read_text(encoding="utf-8")
    hashed = base64.b64encode(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()).decode()
    return [
        _tls("offers", served),
        secret("private-authority", {"ca.crt": outside.private_authority.read_text(encoding="utf-8")}),
        secret("mutual-client", {"tls.crt": ours[0], "tls.key": ours[1], "ca.crt": authority}),
        secret("callers-authority", {"ca.crt": authority}),
        secret("login-client", {"client-secret": openid_provider.CLIENT_SECRET}),
        secret("callers", {"jane": KEY}),
        secret("passwords", {".htpasswd": f"{USER}:{{SHA}}{hashed}\n"}),
    ]


def _tls(name: str, certificate: Certificate) -> Object:
    return {
        **secret(name, {"tls.crt": certificate.chain, "tls.key": certificate.key}),
        "type": "kubernetes.io/tls",
    }


def secret(name: str, data: Mapping[str, str]) -> Object:
    """A Secret in Envoy Gateway's namespace."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": encoded}


def in_the_mesh() -> list[Object]:
    """A server in a namespace of the mesh that takes nothing but mTLS."""
    labels = {"app": "judge"}
    metadata = {"name": "judge", "namespace": "shop", "labels": labels}
    strict = {"selector": {"matchLabels": labels}, "mtls": {"mode": "STRICT"}}
    container = {"name": "app", "image": "bed/authorizer:1"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 8000}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
        },
        {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": metadata, "spec": strict},
    ]
