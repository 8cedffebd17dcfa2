"""From plain data to subjects: where they are, and what the items of a list are."""

from policy.subjects import in_namespace, subjects_of


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
