"""The TLS settings in a DestinationRule, wherever one may hold them."""

from collections.abc import Iterator

from policy.reading import Node, Reader

DESTINATION_RULE = "networking.istio.io/DestinationRule"
MODES = frozenset({"DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"})
"""The modes of ClientTLSSettings (istio/api: networking/v1alpha3/destination_rule.proto)."""


def tls_settings_of(spec: Node, reader: Reader) -> Iterator[Node]:
    """Each `tls` in the spec of a DestinationRule that is there: for the host, for a port, for a subset."""
    policies = [reader.field(spec, "trafficPolicy")]
    policies += [reader.field(subset, "trafficPolicy") for subset in reader.items(reader.field(spec, "subsets"))]
    for policy in policies:
        ports = reader.items(reader.field(policy, "portLevelSettings"))
        for holder in (policy, *ports):
            tls = reader.field(holder, "tls")
            if tls.value is not None:
                yield tls
