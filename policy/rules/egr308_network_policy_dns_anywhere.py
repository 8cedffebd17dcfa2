"""EGR308: a network policy that lets DNS queries out to everybody."""

from collections.abc import Iterator

from policy.readers.network_policies import NETWORK_POLICY, is_only_dns, may_hold_clients, openings_of
from policy.readers.plugin_policies import PLUGIN_POLICY_KINDS, plugin_openings_of
from policy.reading import Reader
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_SO = "so it lets DNS queries out to every server"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if may_hold_clients(subject.ref.namespace, context):
        return  # where EGR302 and EGR307 block it
    if subject.group_kind == NETWORK_POLICY:
        for rule in openings_of(subject).egress:
            if is_only_dns(rule.ports):
                yield from (Finding(path=each.path, message=f"{each.message}, {_SO}") for each in rule.unbounded)
    else:
        for rule in plugin_openings_of(subject, Reader()).dns_anywhere:
            yield Finding(path=rule.path, message=f"names no destination, {_SO}")


RULE = ObjectRule(
    id="EGR308",
    name="network-policy-dns-anywhere",
    severity=Severity.WARN,
    applies_to=PLUGIN_POLICY_KINDS | {NETWORK_POLICY},
    lockdown=True,
    summary="A network policy lets DNS queries out to named servers only; in a client namespace anything else blocks.",
    why="Whoever runs a name server reads what is asked of it: names carry data out, and answers carry it back, past "
    "every gateway.",
    remediation="name the cluster's DNS pods as the peer of the rule, or the address of the node-local cache",
    example="""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: apps}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
""",
    url="https://attack.mitre.org/techniques/T1071/004/",
    source="MITRE ATT&CK T1071.004; Kubernetes: Network Policies",
    check=_check,
)
