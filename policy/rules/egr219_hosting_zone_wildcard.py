"""EGR219: a wildcard over a zone in which anybody can rent a name. A warning: some clients need all of one."""

from collections.abc import Iterator

from policy.destinations import EGRESS_TRAFFIC_POLICY, SERVICE_ENTRY, destinations_of
from policy.facts.names import is_hosting_zone
from policy.readers.cloud.kinds import ADDRESS_BOOK, FIREWALL_POLICIES
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    for place in destinations_of(subject).names:
        if place.wildcard and is_hosting_zone(place.name):
            yield Finding(path=place.path, message=f"{place.text} is every name in a zone where anybody can rent one")


RULE = ObjectRule(
    id="EGR219",
    name="hosting-zone-wildcard",
    severity=Severity.WARN,
    applies_to=FIREWALL_POLICIES | {ADDRESS_BOOK, EGRESS_TRAFFIC_POLICY, SERVICE_ENTRY},
    summary="A wildcard is over the names of one owner, not over those of all customers of a host.",
    why="The zone has one owner, but a bucket, a page or a tunnel in it is anybody's for a few minutes' work: what a "
    "client sends to such a name may go to whoever rented it.",
    remediation="name each bucket, page or tunnel that is needed, or one in the host's zone of your own",
    example="""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: backups, namespace: shop}
spec:
  hosts: [shop-backups.s3.amazonaws.com]
  location: MESH_EXTERNAL
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: DNS
  exportTo: ["."]
""",
    url="https://publicsuffix.org/learn/",
    source="the Public Suffix List, its private section",
    check=_check,
)
