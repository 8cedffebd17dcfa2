"""ReferenceGrants: what backends use of other namespaces, and not one thing more."""

from typing import Any

from components.plan.objects import KubeObject
from components.plan.offers.grants import grants
from tests.every_offer_key_targets import offered, targets_values
from tests.support import Values, changed, dev_values, settings_of

_OWN = "envoy-gateway-system"


def _granted(values: Values) -> list[tuple[str, str, str, str]]:
    """The user's kind, and namespace, kind and name of what it may use."""
    found: list[tuple[str, str, str, str]] = []
    for grant in grants(settings_of(values)):
        ((user,), (thing,)) = grant.spec["from"], grant.spec["to"]
        assert user["namespace"] == _OWN
        found.append((user["kind"], grant.namespace or "", thing["kind"], thing["name"]))
    return found


def _shop(**keys: Any) -> Values:
    values = dev_values()
    values["backends"]["shop"] = offered(hostname="shop.example.com", **keys)
    return values


def test_each_service_is_granted_by_name_to_the_routes_that_use_it() -> None:
    """Routes of ours could have led to every Service of a namespace."""
    assert _granted(changed(targets_values)) == [
        ("GRPCRoute", "monitoring", "Service", "orders"),
        ("HTTPRoute", "monitoring", "Service", "catalogue"),
    ]


def test_one_grant_for_all_who_share_a_service() -> None:
    """Two entries with one Service made two objects of one name; the grant names both."""
    (first,) = [each for each in _grants(changed(targets_values)) if each.spec["from"][0]["kind"] == "HTTPRoute"]
    assert '"catalogue"' in first.annotations["cluster-egress/declaration"]
    assert '"catalogue-next"' in first.annotations["cluster-egress/declaration"]


def _grants(values: Values) -> list[KubeObject]:
    return list(grants(settings_of(values)))


def test_an_authorizer_and_a_certificate_elsewhere_are_granted() -> None:
    """Envoy Gateway refused a policy or a listener whose Service or Secret stands elsewhere."""
    values = _shop(
        endpoints=[{"ip": "93.184.216.40", "port": 80}],
        access={"external": {"service": {"namespace": "monitoring", "service": "opa", "port": 9191}}},
        certificate={"secret": "shop", "namespace": "monitoring"},
    )
    assert _granted(values) == [
        ("SecurityPolicy", "monitoring", "Service", "opa"),
        ("Gateway", "monitoring", "Secret", "shop"),
    ]


def test_what_is_in_our_own_namespace_needs_no_grant() -> None:
    """A grant opened a Secret of ours to others."""
    values = _shop(endpoints=[{"ip": "93.184.216.40", "port": 80}], certificate={"secret": "shop"})
    assert _granted(values) == []


def test_names_are_unique_and_independent_of_others() -> None:
    """Another backend's grant was replaced because one was added."""
    before = {each.name for each in _grants(changed(targets_values))}
    values = changed(targets_values)
    values["backends"]["more"] = offered(
        hostname="more.example.com", service={"namespace": "news", "name": "more", "port": 80}
    )
    after = {each.name for each in _grants(values)}
    assert len(before) == 2
    assert before < after


def test_names_that_read_alike_stay_apart() -> None:
    """The Services `b-c` of `a` and `c` of `a-b` had grants of one name, which no stack can hold."""
    values = dev_values()
    for namespace, name in (("a", "b-c"), ("a-b", "c")):
        values["cluster"]["namespaces"][namespace] = {"role": "platform"}
        service = {"namespace": namespace, "name": name, "port": 80}
        values["backends"][f"to-{name}"] = offered(hostname=f"{name}.example.com", service=service)
    assert len({each.name for each in _grants(values)}) == 2
