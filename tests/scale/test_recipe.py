"""The recipe that `bench/mesh` compares our plan with really is the same declaration."""

from bench.mesh.declared import MORE, declaration
from bench.mesh.recipe import recipe
from components.plan.flows import all_flows
from tests.support import objects, plan_of, settings_of

HOSTS = 60


def test_the_recipe_opens_every_declared_port() -> None:
    """Guards against a comparison with a recipe that does less."""
    settings = settings_of(declaration(HOSTS))
    written = recipe(settings)
    declared = {(flow.host, flow.port) for flow in all_flows(settings.destinations, ())}
    of_kind = {kind: [each["spec"] for each in written if each["kind"] == kind] for kind in ("Gateway", "ServiceEntry")}
    served = [
        (server["hosts"][0], server["port"]["number"]) for each in of_kind["Gateway"] for server in each["servers"]
    ]
    assert len(of_kind["ServiceEntry"]) == HOSTS
    assert sorted(served) == sorted(declared)
    (permission,) = [each for each in written if each["kind"] == "AuthorizationPolicy" and each["spec"]]
    assert set(permission["spec"]["rules"][0]["when"][0]["values"]) == {host for host, _ in declared}


def test_one_host_more_is_one_host_more_in_both() -> None:
    """Guards against a measured addition that adds something else."""
    few, many = declaration(HOSTS), declaration(HOSTS, more=True)
    names = {each["metadata"]["name"] for each in recipe(settings_of(few))}
    added = [each for each in recipe(settings_of(many)) if each["metadata"]["name"] not in names]
    assert sorted(each["kind"] for each in added) == ["DestinationRule", "Gateway", "ServiceEntry", "VirtualService"]
    assert all(MORE in str(each["spec"]) for each in added)
    ours = [{(each.kind, each.namespace, each.name) for each in objects(plan_of(values))} for values in (few, many)]
    assert ours[0] == ours[1]
