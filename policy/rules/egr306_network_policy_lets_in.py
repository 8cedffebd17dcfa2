"""EGR306: a NetworkPolicy that lets anybody in where an admin interface or metrics answer."""

from collections.abc import Iterator
from typing import Final

from policy.facts.addresses import is_wide
from policy.facts.ports import DENIED_PORTS
from policy.readers.network_policies import NETWORK_POLICY, Block, PolicyRule, openings_of, shown_blocks
from policy.readers.proxy_pods import may_select_proxy
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_DELICATE: Final = {port: DENIED_PORTS[port] for port in (9901, 15000, 15004, 15020, 19000, 19001, 19002, 19003)}
"""Where a proxy's pod answers besides its listeners. Other delicate ports belong to pods that are there to answer."""


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    is_proxies = may_select_proxy(subject, context)
    blocks: list[Block] = []
    on: list[str] = []
    for rule in openings_of(subject).ingress:
        ports = _delicate_ports(rule, is_proxies=is_proxies)
        if ports is None:
            continue
        for finding in rule.unbounded:
            yield Finding(path=finding.path, message=f"{finding.message}, so it lets everybody in on {ports}")
        if rule.blocks != ():
            blocks += rule.blocks
            on.append(ports)
    if is_wide(block.network for block in blocks):
        message = f"the ipBlocks {shown_blocks(blocks)} together are too wide to let in on {on[0]}"
        yield Finding(path="spec.ingress", message=message)


def _delicate_ports(rule: PolicyRule, *, is_proxies: bool) -> str | None:
    """What is wrong with the ports of `rule`, None if they are ordinary.

    Of a named port nobody knows the number. All ports, or a range of them, are ordinary where no proxy answers.
    """
    if rule.ports is None:
        return "every port" if is_proxies else None
    for span in rule.ports:
        if span.first is None or span.last is None or (span.first != span.last and not is_proxies):
            continue
        for port, who in _DELICATE.items():
            if span.first <= port <= span.last:
                return f"port {port}, {who}"
    return None


RULE = ObjectRule(
    id="EGR306",
    name="network-policy-lets-in",
    severity=Severity.BLOCK,
    applies_to=frozenset({NETWORK_POLICY}),
    lockdown=True,
    summary="A NetworkPolicy lets wide blocks in, or everybody, on no port of a proxy's admin interface or metrics, "
    "and where it may select a proxy only on ports that it names.",
    why="Next to its listeners a proxy's pod has an admin interface, metrics and a shutdown manager: they give away "
    "every destination and secret name, and can be told to quit.",
    remediation="name the ports that are for everybody, and let only the pods that scrape or manage in on the others",
    example="""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: proxies, namespace: envoy-gateway-system}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: proxy}}
  policyTypes: [Ingress]
  ingress:
    - from: [{ipBlock: {cidr: 0.0.0.0/0}}]
      ports: [{protocol: TCP, port: 10443}]
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
      ports: [{protocol: TCP, port: 19001}]
""",
    url="https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors",
    source="envoyproxy/gateway: internal/xds/bootstrap, internal/infrastructure; Istio: ports used by Istio",
    check=_check,
)
