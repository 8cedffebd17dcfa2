"""EGR608: a pod whose names lead to an address that no outside service has: by its hosts file, or its DNS servers."""

from collections.abc import Iterator

from policy.address_findings import NEVER_CLASSES, PRIVATE_CLASSES, cluster_range_of, in_approved_range, said
from policy.destinations import AddressPlace
from policy.destinations.walk import Walk
from policy.facts.addresses import AddressClass
from policy.readers.pods import POD_KINDS, pod_templates_of
from policy.rule import Context, Finding, Grants, ObjectRule, Severity, Subject

_NODE_LOCAL_DNS = "169.254.20.10"
"""Where the DNS cache of each node answers (Kubernetes: NodeLocal DNSCache)."""
_NO_SERVERS = frozenset(
    {AddressClass.LINK_LOCAL, AddressClass.LOOPBACK, AddressClass.METADATA, AddressClass.UNSPECIFIED}
)


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    walk = Walk()
    for template in pod_templates_of(subject):
        for alias in walk.reader.items(walk.reader.field(template.spec, "hostAliases")):
            walk.address(walk.reader.field(alias, "ip"), required=True)
    aliases = walk.destinations()
    yield from aliases.unreadable
    yield from _nameservers(subject)
    for place in aliases.addresses:
        wrong = _wrong_with(place, context.grants)
        if wrong != "":
            yield Finding(path=place.path, message=f"{said(place)} {wrong}")


def _nameservers(subject: Subject) -> Iterator[Finding]:
    """Whom a pod asks for names, except DNS servers that run in private networks or the cluster."""
    walk = Walk()
    for template in pod_templates_of(subject):
        for server in walk.reader.items(walk.reader.field(template.spec, "dnsConfig", "nameservers")):
            walk.address(server, required=True)
    servers = walk.destinations()
    yield from servers.unreadable
    for place in servers.addresses:
        wrong = place.classes & _NO_SERVERS
        if wrong and place.text != _NODE_LOCAL_DNS:
            yield Finding(path=place.path, message=f"{said(place)} {' and '.join(sorted(wrong))}")


def _wrong_with(place: AddressPlace, grants: Grants) -> str:
    known = cluster_range_of(place, grants)
    if known is not None:
        return f"one of the addresses of {known.what}, {known.network}"
    if place.classes & NEVER_CLASSES:
        return " and ".join(sorted(place.classes & NEVER_CLASSES))
    # A hosts file knows no ports: the range alone counts.
    if place.classes & PRIVATE_CLASSES and not in_approved_range(place, grants):
        return f"{' and '.join(sorted(place.classes & PRIVATE_CLASSES))}, and no approval holds it"
    return ""


RULE = ObjectRule(
    id="EGR608",
    name="host-alias",
    severity=Severity.BLOCK,
    applies_to=POD_KINDS,
    summary="A pod's hosts file gives names to public or approved addresses only, and its DNS servers are neither "
    "itself nor the node.",
    why="The hosts file comes before DNS. A declared, public name then leads to the pod itself, to the metadata "
    "service or into the private network, and no rule about names sees it.",
    remediation="leave the alias out and let DNS answer, or give the address of the outside service; what is blocked "
    "on purpose by an alias to loopback needs an exception",
    example="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: apps}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "registry.example.com/web:1"}]
      hostAliases: [{ip: 47.96.10.20, hostnames: [vm.example.com]}]
""",
    url="https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/",
    source="Kubernetes: adding entries to Pod /etc/hosts; envoyproxy/gateway#5058",
    check=_check,
)
