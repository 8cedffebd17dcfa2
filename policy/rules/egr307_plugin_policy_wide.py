"""EGR307: a network policy of another API that opens what no NetworkPolicy may."""

from collections.abc import Iterator

from policy.facts.addresses import AddressClass, classes_in, is_wide
from policy.readers.plugin_policies import PLUGIN_POLICY_KINDS, opened_networks
from policy.reading import Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_NEVER = frozenset({AddressClass.LOOPBACK, AddressClass.UNSPECIFIED, AddressClass.METADATA})


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    opened = opened_networks(subject, reader)
    yield from reader.findings
    for cidr, network in opened:
        found = classes_in(network) & _NEVER
        if found and not is_wide([network]):
            yield Finding(path=cidr.path, message=f"{cidr.value} touches {' and '.join(sorted(found))} addresses")
    if is_wide(network for _, network in opened):
        listed = shown(", ".join(f"{cidr.value}" for cidr, _ in opened))
        yield Finding(path="spec", message=f"the networks {listed} together are too wide")


RULE = ObjectRule(
    id="EGR307",
    name="plugin-policy-wide",
    severity=Severity.BLOCK,
    applies_to=PLUGIN_POLICY_KINDS,
    lockdown=True,
    summary="No cluster-wide policy, and none of Cilium or Calico, lets out to wide blocks, to everywhere, to loopback "
    "or to metadata addresses.",
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
