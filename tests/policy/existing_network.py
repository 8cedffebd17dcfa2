"""The answers and lists of a VPC that exists already, as tests/policy/vpc has them, and how a test changes them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from rule_fixtures import TODAY

from policy.registry import judge
from policy.rule import Context, Taint
from policy.subjects import subjects_of

FOLDER = Path(__file__).parent / "vpc"
NETWORK = "vpc-bp1example0prod0000000"
CONTEXT = Context(
    today=TODAY,
    client_namespaces=frozenset({"checkout"}),
    gateway_namespaces=frozenset({"istio-egress", "envoy-gateway-system"}),
    egress_taints=(Taint(key="cluster-egress/egress", value="true", effect="NoSchedule"),),
    egress_labels=frozenset({("cluster-egress/egress", "true")}),
    firewall_expected=True,
    require_declarations=True,
)
SCALARS = (str, int, bool)
Files = dict[str, Any]
"""What each file holds, by its name without the suffix."""


@cache
def _texts() -> Mapping[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}


def files() -> Files:
    """A copy of every file, for a test to change."""
    return {name: json.loads(text) for name, text in _texts().items()}


def told(given: Files, context: Context = CONTEXT) -> list[str]:
    """What the pack says of all files together: rule, object and message, sorted."""
    subjects = [subject for name, whole in given.items() for subject in subjects_of(whole, name)]
    return sorted(f"{each.rule.id} {each.ref}: {each.message}" for each in judge(subjects, context))


def listed(given: Files, name: str) -> list[Any]:
    """The list in one file, wherever the API puts it."""
    found: Any = next(each for key, each in given[name].items() if key != "metadata" and not isinstance(each, SCALARS))
    return cast("list[Any]", found) if isinstance(found, list) else next(iter(found.values()))


def add(given: Files, name: str, item: Any) -> None:
    """Add an item to one file, and count it."""
    items = listed(given, name)
    items.append(item)
    if "TotalCount" in given[name]:
        given[name]["TotalCount"] = len(items)
