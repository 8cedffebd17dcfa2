"""What kind of name a name is: the strict reading, and classes by whole labels."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts.names import NameClass, classify_name, is_hosting_zone, is_public_suffix, parse_hostname

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(lambda s: not s.startswith("xn--"))
NAME = st.lists(LABEL, min_size=1, max_size=5).map(".".join)


@given(st.text())
def test_anything_is_read_or_refused(text: str) -> None:
    """Guards against a crash on hostile text, and against letting anything through but plain ASCII names."""
    try:
        name = parse_hostname(text)
    except ValueError:
        return
    assert name == text.lower().removesuffix(".")
    assert name.isascii()
    assert not name.endswith(".")


@given(NAME, st.sampled_from([str.upper, str.title, str.swapcase, str.lower]))
def test_reading_is_idempotent_and_ignores_case(name: str, spelling: type[str]) -> None:
    """Guards against METADATA.google.internal."""
    try:
        read = parse_hostname(name)
    except ValueError:
        with pytest.raises(ValueError, match=r".*"):
            parse_hostname(spelling(name))
        return
    assert parse_hostname(spelling(name)) == read == parse_hostname(read)


@given(
    NAME,
    st.sampled_from(
        [
            ("localhost", NameClass.LOCALHOST),
            ("svc.cluster.local", NameClass.CLUSTER),
            ("svc", NameClass.CLUSTER),
            ("pod", NameClass.CLUSTER),
            ("k8s.corp.example.com", NameClass.CLUSTER),
            ("nip.io", NameClass.WILDCARD_DNS),
            ("test", NameClass.SPECIAL_TLD),
        ]
    ),
)
def test_a_zone_holds_every_name_below_it_and_no_name_that_only_ends_like_it(
    name: str, zone: tuple[str, NameClass]
) -> None:
    """Guards against comparing by text: snip.io is not nip.io, and evil.example.com is not cluster.local."""
    suffix, expected = zone
    assert classify_name(f"{name}.{suffix}", "k8s.corp.example.com") is expected
    assert classify_name(f"{name}.{suffix}.example.net", "k8s.corp.example.com") is NameClass.PUBLIC
    glued = classify_name(f"{name}x{suffix}".replace(".", "-") + ".example.net", "k8s.corp.example.com")
    assert glued is NameClass.PUBLIC


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "localhost..", ".a.com", "a..b", "-a.com", "a-.com", "*.example.com", "a_b.com", "a b.com",
     "example.com:80",
     "http://a.com", "user@a.com", "\uff4cocalhost.com", "\u212aubernetes.default",
     "bücher.example", "127。0。0。1", "exam\u200bple.com",
     "a.com\x00", "127.1", "0x7f.1", "1.2.3.4", "a.0x7f", "2130706433", "xn--a.example.com",
     "xn--.com", "a" * 64 + ".com",
     ".".join(["a" * 60] * 5), "example.com\n"],
)  # fmt: skip
def test_ambiguous_forms_are_refused(text: str) -> None:
    """Guards against a name that resolvers, or a Unicode library, read as another one."""
    with pytest.raises(ValueError, match=r".*"):
        parse_hostname(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("edition.cnn.com", NameClass.PUBLIC),
        ("0x0.st", NameClass.PUBLIC),
        ("www.xn--wgv71a119e.jp", NameClass.PUBLIC),
        ("r3---sn-4g5e6nez.googlevideo.com", NameClass.PUBLIC),
        ("snip.io", NameClass.PUBLIC),
        ("localtest.media", NameClass.PUBLIC),
        ("ip6-loopback", NameClass.LOCALHOST),
        ("localhost.localdomain", NameClass.LOCALHOST),
        ("metadata", NameClass.METADATA),
        ("metadata.google.internal", NameClass.METADATA),
        ("instance-data.eu.internal", NameClass.METADATA),
        ("kubernetes.default", NameClass.CLUSTER),
        ("www.kubernetes.default", NameClass.CLUSTER),
        ("anything.cluster.local", NameClass.CLUSTER),
        ("postgres", NameClass.SINGLE_LABEL),
        ("printer.local", NameClass.SPECIAL_TLD),
        ("1.0.0.127.in-addr.arpa", NameClass.SPECIAL_TLD),
        ("envoy-gateway.envoy-gateway-system", NameClass.UNLISTED_TLD),
        ("127.0.0.1", NameClass.NUMERIC),
    ],
)
def test_classes(name: str, expected: NameClass) -> None:
    """Guards against a class that an earlier one shadows."""
    assert classify_name(name) is expected


def test_a_name_has_at_most_253_characters() -> None:
    """Guards against refusing the longest name there is, and against a longer one."""
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 57, "com"])
    assert parse_hostname(longest) == longest
    with pytest.raises(ValueError, match="is not a DNS-1123 host name"):
        parse_hostname(longest.replace("d.com", "dd.com"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a_b.com", "'a_b.com' is not a DNS-1123 host name"),
        ("127.1", "'127.1' ends in a number, so resolvers read it as an address"),
        ("xn--a.example.com", "'xn--a' is not valid punycode: "),
    ],
)
def test_a_refusal_says_why(text: str, message: str) -> None:
    """Guards against a finding that does not help."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        parse_hostname(text)


@pytest.mark.parametrize("domain", ["k8s.corp.example.com", "K8s.Corp.example.com", ".k8s.corp.example.com."])
def test_the_clusters_domain_has_one_meaning_in_every_spelling(domain: str) -> None:
    """Guards against approvals that write the domain as resolv.conf does."""
    assert classify_name("api.k8s.corp.example.com", domain) is NameClass.CLUSTER


def test_known_namespaces_win_over_public_domains() -> None:
    """Guards against ndots:5, by which `redis.dev` is first asked of the cluster."""
    assert classify_name("redis.dev", namespaces=frozenset({"dev"})) is NameClass.CLUSTER
    assert classify_name("redis.dev", namespaces=frozenset({"prod"})) is NameClass.PUBLIC
    assert classify_name("www.google.dev", namespaces=frozenset({"dev"})) is NameClass.PUBLIC


def test_public_suffixes() -> None:
    """Guards against opening a whole registry, and against refusing one company's zone."""
    assert all(is_public_suffix(name) for name in ("com", "co.uk", "local", "xn--p1ai"))
    assert not any(is_public_suffix(name) for name in ("wikipedia.org", "googleapis.com", "bbc.co.uk"))


@pytest.mark.parametrize(
    "name", ["s3.amazonaws.com", "github.io", "ngrok.io", "herokuapp.com", "blob.core.windows.net"]
)
def test_hosting_zones(name: str) -> None:
    """Guards against taking the names of all customers of one host for those of one owner."""
    assert is_hosting_zone(name)
    assert not is_public_suffix(name)


@pytest.mark.parametrize("name", ["com", "co.uk", "wikipedia.org", "shop.github.io", "github.com", "svc.cluster.local"])
def test_other_zones(name: str) -> None:
    """Guards against calling a registry, or one customer's name, a hosting zone."""
    assert not is_hosting_zone(name)
