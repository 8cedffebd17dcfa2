"""Hosts as Istio's routing names them: full names, short names of Services, and wildcards."""

from policy.facts.names import DEFAULT_CLUSTER_DOMAIN, NameClass, classify_name, is_public_suffix, parse_hostname
from policy.rule import Context

EVERY_HOST = "*"
_WILDCARD = "*."


def is_in_cluster(text: str, context: Context) -> bool:
    """Whether a host of a DestinationRule or of a Gateway's server is, or stands for, a Service of the cluster.

    Raises:
        ValueError: it is no host name, and no wildcard with one behind it.
    """
    if text == EVERY_HOST:
        return True
    name = parse_hostname(text.removeprefix(_WILDCARD))
    if text.startswith(_WILDCARD):
        return is_cluster_wide(name, context) or _class_of(name, context) is NameClass.CLUSTER
    return _class_of(name, context) in (NameClass.CLUSTER, NameClass.SINGLE_LABEL)


def is_cluster_wide(zone: str, context: Context) -> bool:
    """Whether every Service of the cluster lies under `zone`: `local`, `cluster.local`, `svc.cluster.local`."""
    services = {f"svc.{domain}" for domain in (context.grants.cluster_domain.lower(), DEFAULT_CLUSTER_DOMAIN)}
    return any(service == zone or service.endswith(f".{zone}") for service in services)


def too_many(text: str, context: Context) -> str | None:
    """Why nobody answers for all the hosts that a pattern stands for; None for a name and for a narrow pattern.

    Raises:
        ValueError: it is no host name, and no wildcard with one behind it.
    """
    if text == EVERY_HOST:
        return "is every host"
    zone = parse_hostname(text.removeprefix(_WILDCARD))
    if not text.startswith(_WILDCARD):
        return None
    if is_cluster_wide(zone, context):
        return "is every Service of the cluster"
    return "is every host under a public suffix" if is_public_suffix(zone) else None


def _class_of(name: str, context: Context) -> NameClass:
    return classify_name(name, context.grants.cluster_domain, context.namespaces)
