"""EGR307: a network policy of another API that opens what no NetworkPolicy may."""

from collections.abc import Iterator

from policy.address_findings import NODE_CLASSES, is_in_private_range
from policy.facts.addresses import classes_in, is_wide
from policy.readers.network_policies import may_hold_clients
from policy.readers.plugin_policies import (
    GROUPS,
    NO_DESTINATION,
    PLUGIN_POLICY_KINDS,
    networks_of_group,
    plugin_openings_of,
)
from policy.reading import Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    if subject.group_kind in GROUPS:
        # A list of private networks is there to deny them; one of everything seldom is.
        networks = [each for each in networks_of_group(subject, reader) if not is_in_private_range(each)]
        yield from reader.findings
        if is_wide(networks):
            yield Finding(path="spec", message="the networks that policies get by its labels together are too wide")
        return
    openings = plugin_openings_of(subject, reader)
    opened = openings.networks
    yield from reader.findings
    if may_hold_clients(subject.ref.namespace, context):  # elsewhere EGR308 says it
        for rule in openings.dns_anywhere:
            yield Finding(path=rule.path, message=NO_DESTINATION)
    for cidr, network in opened:
        found = classes_in(network) & NODE_CLASSES
        if found and not is_wide([network]):
            yield Finding(path=cidr.path, message=f"{cidr.value} touches {' and '.join(sorted(found))} addresses")
    if is_wide(network for _, network in opened):
        listed = shown(", ".join(f"{cidr.value}" for cidr, _ in opened))
        yield Finding(path="spec", message=f"the networks {listed} together are too wide")


RULE = ObjectRule(
    id="EGR307",
    name="plugin-policy-wide",
    severity=Severity.BLOCK,
    applies_to=PLUGIN_POLICY_KINDS | frozenset(GROUPS),
    lockdown=True,
    summary="No cluster-wide policy, and none of Cilium or Calico, lets out to wide blocks, to everywhere, to the "
    "names of everybody under a registry's suffix, to loopback or to metadata addresses; nor does a list of networks "
    "that such policies select.",
    why="These policies add to every NetworkPolicy or go before it, so that one of them opens what the lock-down of a "
    "namespace shut.",
    remediation="name the destinations' own blocks, pods or names in the rule, or leave the egress to NetworkPolicies",
    example="""\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: reader, namespace: news}
spec:
  endpointSelector: {matchLabels: {app: reader}}
  egress:
    - toCIDR: [47.96.10.20/32]
      toPorts: [{ports: [{port: "443", protocol: TCP}]}]
""",
    url="https://network-policy-api.sigs.k8s.io/",
    source="sigs.k8s.io/network-policy-api: reference; Cilium: Layer 3 and 4 policies; Calico: global network policy",
    check=_check,
)
