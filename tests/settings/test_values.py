"""Names, hosts, addresses, ports: what is wrong with each kind of value, word for word."""

from typing import Any

import pytest

from tests.support import changed, problems_of, setting, told

_HOST = "destinations.edition-cnn.hosts"
_CIDR = "egress.addresses.cidrs"
_IP = "cluster.nodeLocalDns"
_PORT = "destinations.edition-cnn.ports.http.port"
_ENTRY = "1 to 40 of a-z, 0-9 and `-`, for example `edition-cnn`"
_FULL_NAME = "a full name, for example `edition.cnn.com`"
_NETWORK = "a network with its length, for example `203.0.113.0/24`"
_TEXT = "text, in quotes if it looks like something else"
_WHOLE = "a whole number, without quotes"
_DURATION = "a whole number and ms, s, m or h, for example `30s`"


def _not_host(text: str, why: str) -> tuple[str, str]:
    return f"\"{text}\" is not a host name: '{text}' {why}", _FULL_NAME


_BAD_HOSTS = {
    "": _not_host("", "is not a DNS-1123 host name"),
    "edition_cnn.com": _not_host("edition_cnn.com", "is not a DNS-1123 host name"),
    "edition.cnn.com.": ('"edition.cnn.com." ends in a dot', "`edition.cnn.com`"),
    "edition..com": _not_host("edition..com", "is not a DNS-1123 host name"),
    "-edition.com": _not_host("-edition.com", "is not a DNS-1123 host name"),
    "https://cnn.com": _not_host("https://cnn.com", "is not a DNS-1123 host name"),
    "cnn.com:443": _not_host("cnn.com:443", "is not a DNS-1123 host name"),
    "bücher.de": _not_host("bücher.de", "is not a DNS-1123 host name"),
    "8.8.8.8": _not_host("8.8.8.8", "ends in a number, so resolvers read it as an address"),
    "127.1": _not_host("127.1", "ends in a number, so resolvers read it as an address"),
    "a.0x7f": _not_host("a.0x7f", "ends in a number, so resolvers read it as an address"),
    "Edition.CNN.com": ('"Edition.CNN.com" is not in lower case', "`edition.cnn.com`"),
    "*": ('"*" is no wildcard that anything here can match', "`*.` and a full name"),
    "*.*.cnn.com": ('"*.*.cnn.com" is no wildcard that anything here can match', "`*.` and a full name"),
    "*.com": ('"*.com" is every host under a public suffix', "a wildcard below a registered domain"),
    "*.co.uk": ('"*.co.uk" is every host under a public suffix', "a wildcard below a registered domain"),
    "*.cnn.com": (
        "*.cnn.com is a wildcard, and nothing says where its names are: the gateway would have to connect to whatever "
        "name the client claims",
        "each host by its full name; or `servedBy`, one host that answers for all; or `addresses`",
    ),
}


@pytest.mark.parametrize("host", _BAD_HOSTS)
def test_malformed_hosts_are_refused(host: str) -> None:
    """A name that two readers read differently, or that nobody can resolve, came into the mesh."""
    assert told(changed(setting(_HOST, [host]))) == [(f"{_HOST}[0]", *_BAD_HOSTS[host])]


@pytest.mark.parametrize("host", ["a.b", "xn--bcher-kva.de", "1.example.com", f"{'a' * 63}.com", "edition.cnn.com"])
def test_good_hosts_are_taken(host: str) -> None:
    """An ordinary name was refused."""
    assert problems_of(changed(setting(_HOST, [host]))) == ()


_BAD_CIDRS = {
    "203.0.113.10": ('"203.0.113.10" has no prefix length', "`203.0.113.10/32`"),
    "203.0.113.10/24": (
        '"203.0.113.10/24" is not the ordinary form of a network, or has host bits',
        "`203.0.113.0/24`",
    ),
    "0.0.0.0/0": ('"0.0.0.0/0" is every address there is', "the ranges that are really meant"),
    "::/0": ('"::/0" is every address there is', "the ranges that are really meant"),
    "2001:DB8::/32": (
        '"2001:DB8::/32" is not the ordinary form of a network, or has host bits',
        "`2001:db8::/32`",
    ),
    "203.0.113.0/255.255.255.0": (
        "\"203.0.113.0/255.255.255.0\" is not a CIDR: '203.0.113.0/255.255.255.0' does not end in a prefix length",
        _NETWORK,
    ),
    "203.0.113.0/33": ("\"203.0.113.0/33\" is not a CIDR: '33' is not a valid netmask", _NETWORK),
    "010.0.0.0/8": (
        "\"010.0.0.0/8\" is not a CIDR: Octet '010' in '010.0.0.0' not permitted to have leading zeros. "
        "Leading zeros are not permitted",
        _NETWORK,
    ),
    "edition.cnn.com/32": (
        "\"edition.cnn.com/32\" is not a CIDR: 'edition.cnn.com' is not a plain IPv4 or IPv6 address",
        _NETWORK,
    ),
}


@pytest.mark.parametrize("cidr", _BAD_CIDRS)
def test_malformed_networks_are_refused(cidr: str) -> None:
    """A network in an odd form reached the API server, which refuses it, or a firewall, which reads it otherwise."""
    ((path, wrong, instead),) = told(changed(setting(_CIDR, [cidr])))
    expected, example = _BAD_CIDRS[cidr]
    assert (path, instead) == (f"{_CIDR}[0]", example)
    assert wrong == expected or wrong.startswith(expected.partition(": ")[0])


@pytest.mark.parametrize("cidr", ["203.0.113.0/24", "203.0.113.10/32", "2001:db8::/32", "::1/128"])
def test_good_networks_are_taken(cidr: str) -> None:
    """An ordinary network was refused: whether it may be reached is judged elsewhere."""
    assert problems_of(changed(setting(_CIDR, [cidr]))) == ()


_BAD_ADDRESSES = {
    **{
        text: (f"\"{text}\" is not an IP address: '{text}' is not a plain IPv4 or IPv6 address", "`172.139.20.181`")
        for text in ("169.254.20.10/32", "[::1]", "fe80::1%eth0", "localhost", "0x7f.1", "")
    },
    "fd00:0::1": ('"fd00:0::1" is not the ordinary form of this address', "`fd00::1`"),
    "FD00::1": ('"FD00::1" is not the ordinary form of this address', "`fd00::1`"),
}


@pytest.mark.parametrize("text", _BAD_ADDRESSES)
def test_malformed_addresses_are_refused(text: str) -> None:
    """An address in one of many forms passed a check that compares text."""
    ((path, wrong, instead),) = told(changed(setting(_IP, text)))
    assert (path, wrong) == (_IP, _BAD_ADDRESSES[text][0])
    assert instead.removeprefix("for example ") == _BAD_ADDRESSES[text][1]


@pytest.mark.parametrize("text", ["127.1", "169.254.020.10", "1.2.3.4.5", "256.1.1.1"])
def test_legacy_addresses_are_refused(text: str) -> None:
    """`127.1` is 127.0.0.1 to whoever connects, and no address to whoever checks."""
    ((path, wrong, _),) = told(changed(setting(_IP, text)))
    assert (path, wrong.startswith(f'"{text}" is not an IP address')) == (_IP, True)


@pytest.mark.parametrize("number", [0, -1, 65536, 10**30])
def test_numbers_that_are_no_ports_are_refused(number: int) -> None:
    """Port 0 means `any` to some readers."""
    shown = str(number)
    assert told(changed(setting(_PORT, number))) == [
        (_PORT, f"{shown} is not a port", "a whole number from 1 to 65535, for example 443")
    ]


@pytest.mark.parametrize("number", [1, 65535, 8080])
def test_ports_are_taken(number: int) -> None:
    """A boundary was off by one."""
    assert problems_of(changed(setting(_PORT, number))) == ()


@pytest.mark.parametrize(
    ("path", "value", "wrong", "instead"),
    [
        (_PORT, "80", '"80" is of the wrong type', _WHOLE),
        (_PORT, 80.0, "80.0 is of the wrong type", _WHOLE),
        (_PORT, True, "true is of the wrong type", _WHOLE),
        (_PORT, None, "nothing is written here", _WHOLE),
        ("cluster.name", 3, "3 is of the wrong type", _TEXT),
        ("cluster.name", None, "nothing is written here", _TEXT),
        ("cluster.name", "Dev", '"Dev" is not an entry\'s name', _ENTRY),
        ("cluster.name", "d" * 41, f'"{"d" * 41}" is not an entry\'s name', _ENTRY),
        (_HOST, "cnn.com", '"cnn.com" is of the wrong type', "a list: [a, b], or lines that begin with `- `"),
        ("destinations", [], "[] is of the wrong type", "a map: `name: value` lines, indented"),
        ("cluster", "dev", '"dev" is of the wrong type', "a map: `name: value` lines, indented"),
        ("destinations.edition-cnn.owner", "", "is empty", "a few words that a colleague understands"),
        (
            "destinations.edition-cnn.owner",
            "a\nb",
            '"a\\nb" has a line break, or blanks around it',
            '"a b"',
        ),
        ("destinations.edition-cnn.hosts", [], "is empty", "at least one entry; empty never means `anything`"),
        ("destinations.edition-cnn.ports", {}, "is empty", "at least one entry; empty never means `anything`"),
        ("destinations.edition-cnn.hosts", ["a.b", "a.b"], '"a.b" is there twice', "each once"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(path: str, value: Any, wrong: str, instead: str) -> None:
    """The operator was told that something is wrong, and neither what nor what to write."""
    assert told(changed(setting(path, value))) == [(path, wrong, instead)]


@pytest.mark.parametrize("key", ["routing.timeout", "routing.retries.perTryTimeout", "outliers.interval"])
@pytest.mark.parametrize(
    ("value", "said"), [(5, "5"), (0.5, "0.5"), (True, "true"), ("5", '"5"'), ("0s", '"0s"'), (["5s"], '["5s"]')]
)
def test_durations_have_a_unit(key: str, value: Any, said: str) -> None:
    """A bare number was told to be text in quotes, and as such was refused again."""
    ports = {"web": {"port": 80, "protocol": "HTTP", "routing": {"retries": {"attempts": 1}}}}
    values = changed(setting("destinations.edition-cnn.ports", ports))
    assert told(changed(setting(f"destinations.edition-cnn.ports.web.{key}", value), values)) == [
        (f"destinations.edition-cnn.ports.web.{key}", f"{said} is not a duration", _DURATION)
    ]


def test_a_duration_that_nobody_wrote_is_told_as_such() -> None:
    """A report called nothing at all a bad value."""
    values = changed(setting("destinations.edition-cnn.ports.http.outliers", {"interval": None}))
    assert told(values) == [
        ("destinations.edition-cnn.ports.http.outliers.interval", "nothing is written here", _DURATION)
    ]


def test_a_long_value_is_shortened() -> None:
    """A pasted file filled the report."""
    ((_, wrong, _),) = told(changed(setting("cluster.name", "x" * 5000)))
    assert len(wrong) < 100


@pytest.mark.parametrize("name", ["Edition", "a_b", "-a", "a-", "a" * 41, ""])
def test_names_of_entries_are_checked_where_they_stand(name: str) -> None:
    """An entry's name that is no Kubernetes name was found out by the API server."""

    def rename(values: dict[str, Any]) -> None:
        values["destinations"][name] = values["destinations"].pop("edition-cnn")

    assert told(changed(rename)) == [(f"destinations.{name}", f'"{name}" is not an entry\'s name', _ENTRY)]


@pytest.mark.parametrize("name", ["News", "n" * 64, "a.b"])
def test_namespaces_are_kubernetes_names(name: str) -> None:
    """A principal that no certificate ever has let nobody through."""
    namespaces = {**_roles(), name: {"role": "client"}}
    ((path, wrong, instead),) = told(changed(setting("cluster.namespaces", namespaces)))
    assert path == f"cluster.namespaces.{name}"
    assert wrong.endswith("is not a Kubernetes name")
    assert instead == "1 to 63 of a-z, 0-9 and `-`, for example `news`"


def _roles() -> dict[str, Any]:
    return {"news": {"role": "client"}, "shop": {"role": "client"}}


@pytest.mark.parametrize("name", ["Reader", "a..b", ".a", "a-", "a.-b", "a" * 254, "a/b", "a,b"])
def test_service_accounts_are_kubernetes_names(name: str) -> None:
    """A service account with a slash or comma in its name widened a policy."""
    path = "destinations.edition-cnn.clients.news.serviceAccounts"
    ((where, wrong, instead),) = told(changed(setting(path, [name])))
    assert where == f"{path}[0]"
    assert wrong.endswith("is not a Kubernetes name")
    assert instead == "a-z, 0-9, `-` and `.`, for example `reader`"
