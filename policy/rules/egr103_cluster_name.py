"""EGR103: names that lead into the cluster, into the pod itself, to the metadata service, or wherever they say."""

from collections.abc import Iterator

from policy.destinations import DESTINATION_KINDS, destinations_of
from policy.facts.names import NameClass, classify_name
from policy.name_findings import NEVER_NAMES
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_INSIDE = frozenset({NameClass.CLUSTER, NameClass.SINGLE_LABEL, NameClass.UNLISTED_TLD})


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    for place in destinations_of(subject).names:
        found = classify_name(place.name, context.grants.cluster_domain, context.namespaces)
        # A wildcard over one label opens a whole registry, which is another rule's matter.
        passes = (place.wildcard and found is NameClass.SINGLE_LABEL) or (place.inside and found in _INSIDE)
        if found in NEVER_NAMES and not passes:
            yield Finding(path=place.path, message=f"{place.text} {NEVER_NAMES[found]}")


RULE = ObjectRule(
    id="EGR103",
    name="cluster-name",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="No destination is a name of the cluster, of the pod itself, of a metadata service, or of a zone whose "
    "names spell their address.",
    why="Such a name reaches Services of every namespace, the API server among them, without the "
    "ReferenceGrant that a reference to the Service would need; Envoy's resolver answers *.localhost "
    "with loopback. A name such as 127.0.0.1.nip.io leads to the address in it, whatever the rules about "
    "addresses say.",
    remediation="give the public host name of the outside service; inside the cluster, refer to the Service itself",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: billing, namespace: apps}
spec:
  endpoints:
    - fqdn: {hostname: billing.example.com, port: 8080}
""",
    url="https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/",
    source="Kubernetes DNS for Services and Pods; CVE-2021-25740; RFC 6761; the zones in policy/facts/names.py",
    exceptable=False,
    check=_check,
)
