"""EGR535 where a rule about the policy itself speaks as well, so that no fixture can show it alone."""

import datetime as dt
from typing import Any

import pytest

from policy.registry import RULES, judge
from policy.rule import UNKNOWN, Context
from policy.subjects import subjects_of

_RULE = tuple(rule for rule in RULES if rule.id == "EGR535")
_REFERENCE = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "n9e"}


def _told(places: Any, *removed: str) -> list[str]:
    """The headers that EGR535 says are left, where tokens are taken from `places`."""
    provider = {"name": "idp", "remoteJWKS": {"uri": "https://login.example.com/jwks.json"}, "extractFrom": places}
    modifier = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(removed)}}
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "n9e"}
    meta = {"name": "n9e", "namespace": "apps"}
    objects = [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": meta,
            "spec": {"rules": [{"filters": [modifier], "backendRefs": [_REFERENCE]}]},
        },
        {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "SecurityPolicy",
            "metadata": meta,
            "spec": {"targetRefs": [target], "jwt": {"providers": [provider]}},
        },
    ]
    subjects = [subject for whole in objects for subject in subjects_of(whole)]
    return [each.message.split()[1] for each in judge(subjects, Context(today=dt.date(2026, 11, 23)), _RULE)]


@pytest.mark.parametrize("places", [None, {}, {"headers": []}, {"headers": [], "cookies": [], "params": []}, UNKNOWN])
def test_without_a_place_tokens_are_in_authorization(places: Any) -> None:
    """Guards against a token that is passed on because nobody wrote where it stands."""
    assert _told(places) == ["authorization"]
    assert _told(places, "Authorization") == []


def test_a_token_in_the_url_is_in_no_header() -> None:
    """Guards against advice to remove a header in which nothing is."""
    assert _told({"params": ["token"]}) == []


@pytest.mark.parametrize("name", [None, "", UNKNOWN])
def test_a_header_without_a_name_is_none(name: Any) -> None:
    """Guards against a finding about a header that nobody can remove."""
    assert _told({"headers": [{"name": name}]}) == []
