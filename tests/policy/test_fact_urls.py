"""URLs: which are plain, and where they lead."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts.urls import Url, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://login.example.com", Url(scheme="https", host="login.example.com", port=443)),
        ("http://login.example.com/keys?x=1#y", Url(scheme="http", host="login.example.com", port=80)),
        ("HTTPS://Login.example.com:8443/", Url(scheme="https", host="Login.example.com", port=8443)),
        ("https://[::1]:19000/keys", Url(scheme="https", host="::1", port=19000)),
        ("https://X.example.comX", Url(scheme="https", host="X.example.comX", port=443)),
        ("https://127.0.0.1?x", Url(scheme="https", host="127.0.0.1", port=443)),
    ],
)
def test_plain_urls(text: str, url: Url) -> None:
    """Guards against reading the host or the port from the wrong place."""
    assert parse_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "login.example.com",
        "//login.example.com",
        "ftp://login.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///keys",
        "https://user@login.example.com",
        "https://user:word@login.example.com",
        "https://login.example.com\\@evil.example.com",
        "https://login.example.com/\\evil",
        "https://login.example.com /keys",
        "https://login.example.com\n",
        "https://login.example.com:",
        "https://login.example.com:123456",
        "https://login.example.com:\uff18\uff10",
        "https://l\u00f6we.example.com",
        "https://[::1",
        "https://[::1]x",
        "https://[fe80::1%25eth0]/",
    ],
)
def test_what_two_parsers_read_differently_is_refused(text: str) -> None:
    """Guards against userinfo, backslashes, white space and other schemes in what is fetched."""
    with pytest.raises(ValueError, match="not a plain http or https URL"):
        parse_url(text)


@given(st.from_regex(r"https?://[a-z0-9.@:/\\\[\]#?-]{1,24}", fullmatch=True))
def test_what_passes_is_what_the_standard_library_reads(text: str) -> None:
    """Guards against a reading of our own, where everybody else reads another host."""
    try:
        url = parse_url(text)
    except ValueError:
        return
    split = urlsplit(text)
    assert (split.scheme, split.hostname) == (url.scheme, url.host.lower())
