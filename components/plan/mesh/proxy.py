"""How gateways' proxies are told to behave towards the outside."""

from typing import Any, Final

TELL_NOTHING: Final[dict[str, Any]] = {
    "gatewayTopology": {"forwardClientCertDetails": "SANITIZE"},
    "proxyHeaders": {"metadataExchangeHeaders": {"mode": "IN_MESH"}},
}
"""Proxy configuration: no header tells the outside the client's certificate, namespace or pod. By default they do."""
