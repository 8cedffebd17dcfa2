"""The RAM policy: what the components' resources need, and no more."""

import json
import re

from components.plan.cloud.ram import ACTIONS, LONGEST, as_text, policy_document
from tests.components.clouds import CLOUDS, stack
from tests.engine.alibaba.cloud import AlibabaCloud
from tests.support import ROOT


def test_every_kind_that_is_registered_has_its_rights_and_no_other_has() -> None:
    """A run ended in NoPermission, half-way; or the policy granted what nothing uses."""
    types = {each.type for name in CLOUDS for each in stack(name).all if each.type.startswith("alicloud:")}
    assert {f"{each.split(':')[1].partition('/')[0]}.{each.rpartition(':')[2]}" for each in types} == {*ACTIONS}


def test_the_document_is_as_short_as_the_cloud_takes() -> None:
    """RAM refused the policy as it stands on the page."""
    longest = policy_document(region="ap-southeast-1-some-longer-name", account="1" * 20, cluster="c" * 33)
    assert len(as_text(longest)) <= LONGEST


def test_every_right_is_granted_once_and_within_its_account() -> None:
    """A right was missing from the document, or held in every account and region."""
    document = policy_document(region="cn-hangzhou", account="1234567890123456", cluster="c0")
    granted = [(action, each["Resource"]) for each in document["Statement"] for action in each["Action"]]
    assert sorted(action for action, _ in granted) == sorted({each for actions in ACTIONS.values() for each in actions})
    for action, resource in granted:
        service = action.partition(":")[0]
        if service == "yundun-cloudfirewall" or action == "cs:DescribeTaskInfo":
            assert resource == "*"
        elif service == "cs":
            assert resource == "acs:cs:cn-hangzhou:1234567890123456:cluster/c0"
        else:
            assert resource == f"acs:{service}:cn-hangzhou:1234567890123456:*"


def test_no_right_is_a_wildcard() -> None:
    """The policy granted what its page does not say."""
    for action in {each for actions in ACTIONS.values() for each in actions}:
        assert re.fullmatch(r"(vpc|ecs|cs|yundun-cloudfirewall):[A-Z][A-Za-z]+", action)


def test_the_page_shows_the_document() -> None:
    """Whoever copied the policy from the page got another one."""
    page = (ROOT / "docs/reference/ram-policy.md").read_text(encoding="utf-8")
    shown = json.loads(page.partition("```json")[2].partition("```")[0])
    assert shown == policy_document(region="REGION", account="ACCOUNT", cluster="CLUSTER")
    assert all(f"`{kind}`" in page for kind in ACTIONS)


def test_what_the_real_provider_calls_is_granted() -> None:
    """A run with the policy's rights ended at a read that nobody had thought of; or a right was left over.

    The stand-in answers what the real provider asks of it; what it does not know, its tests would show.
    """
    cloud = AlibabaCloud(region="cn-hangzhou", vpc="vpc-1", ranges=("10.0.0.0/8",), cluster="c0")
    asked = {*cloud.vpc.actions(), *cloud.ecs.actions(), *cloud.firewall.actions(), "ListTagResources"}
    granted = {action.partition(":")[2] for actions in ACTIONS.values() for action in actions if action[:3] != "cs:"}
    # Which its own tests ask for, as something that components must not do.
    besides = {"DescribePolicyAdvancedConfig", "ModifyPolicyAdvancedConfig"}
    assert asked - granted == besides
    assert granted - asked == set()
