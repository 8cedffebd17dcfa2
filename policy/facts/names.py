"""Host names: strict reading, and one class for each name, decided by whole labels."""

import re
from collections.abc import Collection
from enum import StrEnum
from functools import cache

import idna
from publicsuffixlist import PublicSuffixList

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123, as Kubernetes and Envoy Gateway read it
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # WHATWG URL, "ends in a number": such names are read as IPv4
_MAX_NAME = 253  # RFC 1035, without the root's dot

_LOCALHOST_NAMES = frozenset(
    {"localhost", "localhost6", "loopback", "ip6-localhost", "ip6-loopback"}
)  # Debian hosts(5)
_LOCALHOST_ZONES = (
    "localhost",
    "localdomain",
    "localdomain4",
    "localdomain6",
)  # RFC 6761; Red Hat's hosts file

_METADATA_NAMES = frozenset(
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
_METADATA_HOSTS = frozenset({"metadata", "instance-data"})  # as the first label of a name under .internal

# RFC 2606, RFC 6761, RFC 6762 (mDNS and its appendix G), RFC 7686, RFC 8375, RFC 9476, ICANN's .internal
# reservation and its name-collision list: never delegated in the public DNS, or never to a host.
_SPECIAL_TLDS = frozenset(
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
_WILDCARD_DNS_ZONES = frozenset(
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
        "rbndr.us",  # rebinds between two addresses
        "1u.ms",  # rebinds between two addresses
    }
)

_CLUSTER_TLDS = frozenset({"svc", "pod"})  # completed by the pods' search path
_DEFAULT_CLUSTER_DOMAIN = "cluster.local"
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
    """Read a host name in its one unambiguous form, and give it in lower case.

    DNS-1123 labels of at most 63 characters, 253 in all; internationalised labels only as valid punycode.

    Raises:
        ValueError: anything else: a trailing dot, a wildcard, an underscore, Unicode, and names that end in a
            number, which resolvers read as an IPv4 address.
    """
    name = text.lower() if text.isascii() else text
    labels = name.split(".")
    if len(name) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is not a DNS-1123 host name")
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{text!r} ends in a number, so resolvers read it as an address")
    for label in labels:
        if label.startswith("xn--"):
            _check_punycode(label)
    return name


def classify_name(
    name: str, cluster_domain: str = _DEFAULT_CLUSTER_DOMAIN, namespaces: Collection[str] = frozenset()
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
        (NameClass.LOCALHOST, name in _LOCALHOST_NAMES or last in _LOCALHOST_ZONES),
        (
            NameClass.METADATA,
            name in _METADATA_NAMES or (last == "internal" and labels[0] in _METADATA_HOSTS),
        ),
        (NameClass.CLUSTER, _is_cluster_name(labels, zones, cluster_domain, namespaces)),
        (NameClass.SINGLE_LABEL, len(labels) == 1),
        (NameClass.WILDCARD_DNS, not zones.isdisjoint(_WILDCARD_DNS_ZONES)),
        (NameClass.SPECIAL_TLD, last in _SPECIAL_TLDS),
        (NameClass.UNLISTED_TLD, _icann_suffixes().publicsuffix(name) is None),
    )
    return next((name_class for name_class, holds in tests if holds), NameClass.PUBLIC)


def is_public_suffix(name: str) -> bool:
    """Whether names under `name` have different owners: a registry's suffix (`co.uk`), or a bare label."""
    return "." not in name or _icann_suffixes().publicsuffix(name) == name


def _is_cluster_name(labels: list[str], zones: set[str], cluster_domain: str, namespaces: Collection[str]) -> bool:
    return (
        not zones.isdisjoint({cluster_domain.lower().strip("."), _DEFAULT_CLUSTER_DOMAIN})
        or labels[-1] in _CLUSTER_TLDS
        or labels[-2:] == ["kubernetes", "default"]
        or (len(labels) == _SERVICE_AND_NAMESPACE and labels[1] in namespaces)
    )


def _check_punycode(label: str) -> None:
    try:
        idna.ulabel(label)
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise ValueError(f"{label!r} is not valid punycode: {error}") from error


@cache
def _icann_suffixes() -> PublicSuffixList:
    # Without the list's private section: its hosting zones (googleapis.com) have one owner who answers.
    return PublicSuffixList(only_icann=True, accept_unknown=False)
