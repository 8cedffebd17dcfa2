"""Host names: strict reading, and one class for each name, decided by whole labels."""

import re
from collections.abc import Collection
from enum import StrEnum
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123, as Kubernetes and Envoy Gateway read it
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # WHATWG URL, "ends in a number": such names are read as IPv4
_MAX_NAME = 253  # RFC 1035, without the root's dot

LOCALHOST_NAMES = frozenset({"localhost", "localhost6", "loopback", "ip6-localhost", "ip6-loopback"})  # Debian hosts(5)
LOCALHOST_ZONES = frozenset(
    {
        "localhost",  # RFC 6761
        "localdomain",  # Red Hat's hosts file, with the next two
        "localdomain4",
        "localdomain6",
        "docker.internal",  # Docker Desktop: host.docker.internal is the node
        "containers.internal",  # Podman: host.containers.internal is the node
        "minikube.internal",  # minikube: host.minikube.internal is the node
    }
)

METADATA_NAMES = frozenset(
    {
        "metadata",  # Google Cloud
        "metadata.goog",  # Google Cloud
        "metadata.google.internal",  # Google Cloud
        "instance-data",  # AWS
        "instance-data.ec2.internal",  # AWS
        "metadata.amazonaws.com",  # OWASP SSRF prevention cheat sheet
        "metadata.azure.internal",  # Azure
        "metadata.tencentyun.com",  # Tencent Cloud
        "metadata.platformequinix.com",  # Equinix Metal
        "metadata.packet.net",  # Equinix Metal, formerly Packet
        "api.metadata.cloud.ibm.com",  # IBM Cloud
        "rancher-metadata",  # Rancher
    }
)
METADATA_HOSTS = frozenset({"metadata", "instance-data"})  # as the first label of a name under .internal

# RFC 2606, RFC 6761, RFC 6762 (mDNS and its appendix G), RFC 7686, RFC 8375, RFC 9476, ICANN's .internal
# reservation and its name-collision list: never delegated in the public DNS, or never to a host.
SPECIAL_TLDS = frozenset(
    {
        "alt",
        "arpa",
        "belkin",
        "corp",
        "domain",
        "example",
        "home",
        "intranet",
        "invalid",
        "internal",
        "lan",
        "local",
        "localdomain",
        "mail",
        "onion",
        "private",
        "test",
        "workgroup",
    }
)

# Public zones whose names spell the address that they answer with, or that always answer with loopback.
WILDCARD_DNS_ZONES = frozenset(
    {
        "nip.io",
        "sslip.io",
        "xip.io",
        "traefik.me",
        "backname.io",
        "ip6.name",
        "plex.direct",
        "localtest.me",
        "lvh.me",
        "vcap.me",
        "lacolhost.com",
        "local.gd",
        "localho.st",
        "localh.st",
        "localdev.me",
        "localhost.direct",
        "lcl.host",
        "lndo.site",
        "ddev.site",
        "fuf.me",
        "smackaho.st",
        "127-0-0-1.org.uk",
        "xip.name",
        "local-ip.co",
        "local-ip.sh",
        "local-ip.medicmobile.org",
        "bugbounty.dod.network",
        "rbndr.us",  # this one and those below rebind between two addresses
        "1u.ms",
        "rebind.it",
        "rebind.network",
        "rbnd.gl0.eu",
    }
)

CLUSTER_TLDS = frozenset({"svc", "pod"})  # completed by the pods' search path
DEFAULT_CLUSTER_DOMAIN = "cluster.local"
CLUSTER_SET_DOMAIN = "clusterset.local"  # Kubernetes Multi-Cluster Services (KEP-1645)
_SERVICE_AND_NAMESPACE = 2


class NameClass(StrEnum):
    """Where a host name leads. Every name has exactly one class."""

    NUMERIC = "numeric"
    LOCALHOST = "localhost"
    METADATA = "metadata"
    CLUSTER = "cluster"
    SINGLE_LABEL = "single-label"
    WILDCARD_DNS = "wildcard-dns"
    SPECIAL_TLD = "special-tld"
    UNLISTED_TLD = "unlisted-tld"
    PUBLIC = "public"


def parse_hostname(text: str) -> str:
    """Read a host name in its one unambiguous form, and give it in lower case and without the root's dot.

    DNS-1123 labels of at most 63 characters, 253 in all; internationalised labels only as valid punycode. One dot at
    the end says that the name is whole (RFC 1034), and changes nothing about where it leads.

    Raises:
        ValueError: anything else: a wildcard, an underscore, Unicode, and names that end in a number, which resolvers
            read as an IPv4 address.
    """
    name = text.lower().removesuffix(".") if text.isascii() else text
    labels = name.split(".")
    if len(name) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is not a DNS-1123 host name")
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{text!r} ends in a number, so resolvers read it as an address")
    for label in labels:
        if label.startswith("xn--"):
            _check_punycode(label)
    return name


@lru_cache(maxsize=8192)
def classify_name(
    name: str, cluster_domain: str = DEFAULT_CLUSTER_DOMAIN, namespaces: frozenset[str] = frozenset()
) -> NameClass:
    """The class of a host name as `parse_hostname` gives it.

    Args:
        name: the name, in lower case, without a trailing dot.
        cluster_domain: the cluster's DNS domain; the default one always counts as well.
        namespaces: the cluster's known namespaces: `redis.dev` is a Service where `dev` is one of them,
            because pods try their search path first.
    """
    labels = name.split(".")
    last = labels[-1]
    zones = {".".join(labels[start:]) for start in range(len(labels))}
    # In the order of precedence; the first that holds is the class.
    tests = (
        (NameClass.NUMERIC, _NUMBER.fullmatch(last) is not None),
        (NameClass.LOCALHOST, name in LOCALHOST_NAMES or not zones.isdisjoint(LOCALHOST_ZONES)),
        (
            NameClass.METADATA,
            name in METADATA_NAMES or (last == "internal" and labels[0] in METADATA_HOSTS),
        ),
        (NameClass.CLUSTER, _is_cluster_name(labels, zones, cluster_domain, namespaces)),
        (NameClass.SINGLE_LABEL, len(labels) == 1),
        (NameClass.WILDCARD_DNS, not zones.isdisjoint(WILDCARD_DNS_ZONES)),
        (NameClass.SPECIAL_TLD, last in SPECIAL_TLDS),
        (NameClass.UNLISTED_TLD, not _is_listed(last)),
    )
    return next((name_class for name_class, holds in tests if holds), NameClass.PUBLIC)


def is_public_suffix(name: str) -> bool:
    """Whether names under `name` have different owners: a registry's suffix (`co.uk`), or a bare label."""
    return "." not in name or _icann_suffixes().publicsuffix(name) == name


def is_hosting_zone(name: str) -> bool:
    """Whether anybody can rent a name directly under `name` (`github.io`): one company's zone, by the list's word."""
    return not is_public_suffix(name) and _all_suffixes().publicsuffix(name) == name


def _is_cluster_name(labels: list[str], zones: set[str], cluster_domain: str, namespaces: Collection[str]) -> bool:
    return (
        not zones.isdisjoint({cluster_domain.lower().strip("."), DEFAULT_CLUSTER_DOMAIN, CLUSTER_SET_DOMAIN})
        or labels[-1] in CLUSTER_TLDS
        or labels[-2:] == ["kubernetes", "default"]
        or (len(labels) == _SERVICE_AND_NAMESPACE and labels[1] in namespaces)
    )


def _check_punycode(label: str) -> None:
    try:
        idna.ulabel(label)
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise ValueError(f"{label!r} is not valid punycode: {error}") from error


@lru_cache(maxsize=8192)
def _is_listed(top_level_domain: str) -> bool:
    # A name under it, because some domains are listed by a wildcard only (`*.ck`).
    return _icann_suffixes().publicsuffix(f"name.{top_level_domain}") is not None


@cache
def _icann_suffixes() -> PublicSuffixList:
    # Without the list's private section: its hosting zones (googleapis.com) have one owner who answers.
    return PublicSuffixList(only_icann=True, accept_unknown=False)


@cache
def _all_suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
