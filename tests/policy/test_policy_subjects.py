"""From plain data to subjects: where they are, and what the items of a list are."""

from typing import Any

from policy.rule import ObjectRef, Registration
from policy.subjects import in_namespace, subjects_of, subjects_of_resource


def test_an_object_is_put_where_it_does_not_say_it_is() -> None:
    """Guards against moving an object out of its namespace, and against one that stays nowhere."""
    [homeless] = subjects_of({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"a": "b"}}})
    placed = in_namespace(homeless, "shop")
    assert placed.ref.namespace == "shop"
    assert (placed.ref.kind, placed.ref.name, placed.group, placed.version) == ("Service", "web", "core", "v1")
    assert placed.whole == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"a": "b"}, "namespace": "shop"},
    }
    [bare] = subjects_of({"apiVersion": "v1", "kind": "Service"})
    assert in_namespace(bare, "shop").whole == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop"},
    }
    [empty] = subjects_of({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": ""}})
    assert in_namespace(empty, "shop").ref.namespace == "shop"
    for settled in (
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "other"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": "text"},
        "text",
    ):
        [subject] = subjects_of(settled)
        assert in_namespace(subject, "shop") is subject


def test_items_of_a_typed_list_have_its_type_unless_they_say_their_own() -> None:
    """Guards against an item that no rule judges because its list says what it is."""
    [backend] = subjects_of({"apiVersion": "a.io/v1", "kind": "BackendList", "items": [{"metadata": {"name": "b"}}]})
    assert (backend.group_kind, backend.version, backend.ref.name) == ("a.io/Backend", "v1", "b")
    [other] = subjects_of(
        {"apiVersion": "v1", "kind": "BackendList", "items": [{"apiVersion": "b.io/v2", "kind": "X"}]}
    )
    assert other.group_kind == "b.io/X"
    [untyped] = subjects_of({"apiVersion": "v1", "kind": "List", "items": [{"metadata": {"name": "b"}}]})
    assert (untyped.group, untyped.ref.kind) == ("", "")
    hidden, holder = subjects_of({"apiVersion": "v1", "kind": "Secret", "items": [{"apiVersion": "v1", "kind": "Pod"}]})
    assert (hidden.group_kind, hidden.item, holder.group_kind, holder.item) == (
        "core/Pod",
        "items[0]",
        "core/Secret",
        "",
    )
    [typeless, _] = subjects_of({"apiVersion": "v1", "kind": "Secret", "items": [{"metadata": {"name": "b"}}]})
    assert typeless.ref.kind == "", "an item of no list has no type but its own"


def test_a_resource_of_alibaba_cloud_is_of_the_kind_that_its_type_says() -> None:
    """Guards against a resource that no rule is chosen for, and against one of another cloud's that is judged."""
    registration = Registration(urn="urn:pulumi:prod::p::EgressAddresses$alicloud:vpc/natGateway:NatGateway::egress")
    [subject] = subjects_of_resource("alicloud:vpc/natGateway:NatGateway", {"a": 1}, registration, "file")
    assert (subject.group_kind, subject.ref) == (
        "alicloud:vpc/NatGateway",
        ObjectRef(kind="NatGateway", name="egress"),
    )
    assert (subject.whole, subject.origin, subject.registration) == ({"a": 1}, "file", registration)
    for token in ("aws:ec2/natGateway:NatGateway", "pulumi:pulumi:Stack", "alicloud:NatGateway", "a:alicloud:vpc:X"):
        assert subjects_of_resource(token, {}, registration) == ()


def test_a_resource_as_it_is_exported() -> None:
    """Guards against dependencies and protection that are lost on the way from a file."""
    exported: dict[str, Any] = {
        "urn": "urn:pulumi:prod::p::alicloud:vpc/snatEntry:SnatEntry::snat-1",
        "custom": True,
        "id": "stb-1:snat-1",
        "type": "alicloud:vpc/snatEntry:SnatEntry",
        "inputs": {"snatIp": "47.96.10.1"},
        "outputs": {"snatIp": "47.96.10.9"},
        "protect": True,
        "propertyDependencies": {"snatTableId": ["nat"], "snatIp": None},
    }
    [subject] = subjects_of(exported, "stack.json")
    assert (subject.group_kind, subject.ref.name, subject.item) == ("alicloud:vpc/SnatEntry", "snat-1", "inputs")
    assert subject.whole == {"snatIp": "47.96.10.1"}
    assert subject.registration == Registration(
        urn=exported["urn"], leads_to={"snatTableId": ("nat",), "snatIp": ()}, protected=True
    )
    [listed] = subjects_of({"items": [{"type": exported["type"], "urn": "x"}]})[:1]
    assert (listed.group_kind, listed.item, listed.registration) == (
        "alicloud:vpc/SnatEntry",
        "items[0].inputs",
        Registration(urn="x", protected=False),
    )


def test_a_kubernetes_object_as_it_is_exported() -> None:
    """Guards against a PodNetworking whose vSwitches nobody can follow, and against a type that hides the kind."""
    pod_networking: dict[str, Any] = {
        "apiVersion": "network.alibabacloud.com/v1beta1",
        "kind": "PodNetworking",
        "spec": {},
    }
    [subject] = subjects_of(
        {
            "type": "kubernetes:network.alibabacloud.com/v1beta1:PodNetworking",
            "urn": "x",
            "inputs": pod_networking,
            "propertyDependencies": {"spec": ["vsw"]},
        }
    )
    assert subject.whole == pod_networking
    assert subject.registration == Registration(urn="x", leads_to={"spec": ("vsw",)}, protected=False)
    both = subjects_of({"type": "kubernetes:core/v1:Secret", "urn": "x", "inputs": pod_networking})
    assert [each.group_kind for each in both] == ["network.alibabacloud.com/PodNetworking", "core/Secret"]


def test_what_only_looks_like_an_exported_resource() -> None:
    """Guards against an object that hides what it is behind a type and a URN."""
    backend = {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "Backend", "metadata": {"name": "b"}}
    [subject] = subjects_of(backend | {"type": "alicloud:vpc/switch:Switch", "urn": "x"})
    assert (subject.group_kind, subject.registration) == ("gateway.envoyproxy.io/Backend", None)
    [other] = subjects_of({"type": "aws:ec2/vpc:Vpc", "urn": "x", "inputs": {}})
    assert (other.group, other.ref.kind) == ("", "")
