"""Where the objects of Alibaba Cloud Service Mesh lead (its docs: ASMEgressTrafficPolicy CRD description)."""

from policy.destinations.walk import Walk
from policy.reading import Node, is_empty


def egress_traffic_policy(walk: Walk, whole: Node) -> None:
    """ASMEgressTrafficPolicy: hosts, each at the port that clients call, or at the one where TLS starts for them."""
    reader = walk.reader
    for rule in reader.items(reader.field(whole, "spec", "egressRules")):
        for to in reader.items(reader.field(rule, "to")):
            hosts = reader.field(to, "hosts")
            if is_empty(hosts):
                reader.report(hosts, "names no host")
            for host in reader.items(hosts):
                walk.name(host, required=True, wildcard=True)
            upgrade = reader.field(to, "httpsUpgrade")
            if reader.flag(reader.field(upgrade, "enabled")) is True:
                walk.port(reader.field(upgrade, "port"), required=True)
            else:
                walk.port(reader.field(to, "port", "number"), required=True)
