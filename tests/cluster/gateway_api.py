"""The stack `dev` by Gateway API, with one destination more of every protocol, for the tests of that flavour."""

from typing import Any, Final

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.stack import Stack

AUTHORITY: Final = "outside-ca"
"""The Secret with the authority of the hosts outside."""
_DESTINATION: Final = f"""\
    api:
      hosts: [api.example.org]
      addresses: [54.1.2.4]
      ports:
        grpc: {{port: 50051, protocol: GRPC}}
        https: {{port: 443, protocol: TLS}}
        database: {{port: 5432, protocol: TCP}}
        quiet: {{port: 80, protocol: TCP}}
        secure: {{port: 443, protocol: HTTP, tls: {{clientPort: 8080, secret: {AUTHORITY}}}}}
      clients: {{news: {{serviceAccounts: [other]}}}}
      owner: team-news
      ticket: FW-1045
      expires: "2029-12-31"
"""
SECOND: Final = "egress-gateway-second"
"""What the gateway on its node's network is called."""
_EXCEPTION: Final = f"""\
exceptions:
  node-network:
    rule: EGR603
    kind: ConfigMap
    namespace: istio-egress
    name: {SECOND}-parameters
    reason: For this test
    owner: team-security
    ticket: SEC-97
    expires: "2029-12-31"
"""
_CHANGES: Final = (
    (
        "      flavour: istio-api\n",
        "      flavour: gateway-api\n      gateways: {second: {replicas: 2, hostNetwork: true}}\n",
    ),
    ("  cluster-egress:destinations:\n", f"  cluster-egress:destinations:\n{_DESTINATION}"),
)


def change(stack: Stack) -> None:
    """Have a stack file say the other flavour, and declare more."""
    text = stack.file.read_text(encoding="utf-8")
    for old, new in _CHANGES:
        assert old in text
        text = text.replace(old, new, 1)
    stack.file.write_text(text, encoding="utf-8")
    text = stack.approvals.read_text(encoding="utf-8")
    stack.approvals.write_text(f"{text}{_EXCEPTION}", encoding="utf-8")


def authority(cluster: Cluster) -> dict[str, Any]:
    """The Secret that the operator makes: who signs the certificates of the hosts outside."""
    certificate = cluster.outside.authority.read_text(encoding="utf-8")
    metadata = {"name": AUTHORITY, "namespace": "istio-egress"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"ca.crt": certificate}}
