"""Routes of backends: each lets through what is declared, to where it is declared, and nothing else."""

from typing import Any

from components.plan.mesh.requests import INTERNAL_HEADERS
from components.plan.objects import KubeObject
from components.plan.offers.http_routes import route_filters
from components.plan.offers.routes import route
from components.settings.offers.routing import REMOVED_ANYWAY
from tests.every_offer_key_targets import offered, targets_values
from tests.support import Values, changed, settings_of

_DOMAIN = "cluster.local"


def _route(name: str, values: Values | None = None) -> KubeObject:
    settings = settings_of(changed(targets_values) if values is None else values)
    return route(settings, name, (settings.backends or {})[name], cluster_domain=_DOMAIN)


def _rules(name: str, values: Values | None = None) -> dict[str, Any]:
    """The rules of a backend by their names; the one without is `""`."""
    return {rule.get("name", ""): rule for rule in _route(name, values).spec["rules"]}


def _filters(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule's filters by their types, each of which stands there once."""
    found = {each["type"]: {key: value for key, value in each.items() if key != "type"} for each in rule["filters"]}
    assert len(found) == len(rule["filters"])
    return {kind: next(iter(each.values())) for kind, each in found.items()}


def test_each_protocol_has_its_kind_of_route() -> None:
    """A route of HTTP was written for connections, or one of an API version that nobody serves."""
    found = {name: _route(name) for name in ("chat", "orders", "vault", "database")}
    assert {name: each.kind for name, each in found.items()} == {
        "chat": "HTTPRoute",
        "orders": "GRPCRoute",
        "vault": "TLSRoute",
        "database": "TCPRoute",
    }
    assert {each.api_version for each in found.values()} == {"gateway.networking.k8s.io/v1"}
    assert {name for name, each in found.items() if "hostnames" not in each.spec} == {"database"}
    assert found["database"].spec["parentRefs"] == [{"name": "cluster-egress", "sectionName": "tcp-5432"}]
    assert found["vault"].spec["rules"] == [
        {"backendRefs": [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "vault"}]}
    ]


def test_every_request_is_freed_of_what_proxies_add() -> None:
    """A route with changes of its own told the outside who calls."""
    rules = [*_rules("catalogue").values(), *_rules("orders").values(), *_rules("partners").values()]
    asked = [_filters(rule)["RequestHeaderModifier"] for rule in rules if "backendRefs" in rule]
    assert len(asked) == 5
    assert all(set(INTERNAL_HEADERS) <= set(each["remove"]) for each in asked)
    assert len(INTERNAL_HEADERS) == REMOVED_ANYWAY


def test_a_route_says_everything_that_was_asked() -> None:
    """A key of a route was taken and never used."""
    rule = _rules("catalogue")["items"]
    assert rule["matches"] == [
        {
            "path": {"type": "PathPrefix", "value": "/v1"},
            "method": "GET",
            "headers": [{"name": "x-tenant", "value": "news"}],
        }
    ]
    assert rule["backendRefs"] == [
        {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "catalogue", "weight": 90},
        {"kind": "Service", "namespace": "monitoring", "name": "catalogue", "port": 80, "weight": 10},
    ]
    assert _filters(rule) == {
        "RequestHeaderModifier": {
            "set": [{"name": "x-team", "value": "news"}],
            "remove": [*INTERNAL_HEADERS, "x-debug"],
        },
        "ResponseHeaderModifier": {"set": [{"name": "x-from", "value": "catalogue"}], "remove": ["server"]},
        "URLRewrite": {
            "hostname": "catalogue.example.net",
            "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"},
        },
        "RequestMirror": {
            "backendRef": {"kind": "Service", "namespace": "monitoring", "name": "catalogue", "port": 80},
            "percent": 5,
        },
    }


def test_paths_and_methods_are_each_with_each() -> None:
    """The second path of a route was open to every method."""
    values = changed(targets_values)
    values["backends"]["catalogue"]["routes"] = {"a": {"paths": ["/b", "/a/*"], "methods": ["PUT", "GET"]}}
    assert _rules("catalogue", values)["a"]["matches"] == [
        {"path": path, "method": method}
        for path in ({"type": "PathPrefix", "value": "/a"}, {"type": "Exact", "value": "/b"})
        for method in ("GET", "PUT")
    ]


def test_a_redirect_asks_no_backend() -> None:
    """A redirect with a backend is refused by the API server; one without the scheme of its host led nowhere."""
    rule = _rules("catalogue")["moved"]
    assert rule == {
        "name": "moved",
        "matches": [{"path": {"type": "Exact", "value": "/old"}}],
        "filters": [
            {
                "type": "RequestRedirect",
                "requestRedirect": {
                    "statusCode": 308,
                    "scheme": "http",
                    "hostname": "next.catalogue.example.com",
                    "port": 80,
                    "path": {"type": "ReplaceFullPath", "replaceFullPath": "/new"},
                },
            }
        ],
    }


def test_a_redirect_leads_to_where_its_host_is_offered() -> None:
    """Callers of plain HTTP were sent to the plain port of a host that is offered by TLS."""
    values = changed(targets_values)
    for each in ("catalogue", "catalogue-next"):
        values["backends"][each]["certificate"] = {"secret": "tls"}
    values["backends"]["catalogue"]["routes"]["moved"]["redirect"] = {"host": "next.catalogue.example.com"}
    assert _filters(_rules("catalogue", values)["moved"])["RequestRedirect"] == {
        "statusCode": 302,
        "scheme": "https",
        "hostname": "next.catalogue.example.com",
        "port": 443,
    }


def test_a_path_before_every_path_is_joined_by_a_slash() -> None:
    """Envoy Gateway made `/shopnews` of `/news` and `/shop`."""
    settings = settings_of(changed(targets_values))
    (prefix,) = route_filters(settings, "catalogue", (settings.backends or {})["catalogue"])
    assert (prefix.kind, prefix.name) == ("HTTPRouteFilter", "catalogue.everything")
    replaced = prefix.spec["urlRewrite"]["path"]
    assert replaced == {
        "type": "ReplaceRegexMatch",
        "replaceRegexMatch": {"pattern": "^/", "substitution": "/shop/"},
    }
    asked = _filters(_rules("catalogue")["everything"])
    assert asked["ExtensionRef"]["name"] == prefix.name
    assert "URLRewrite" not in asked


def test_a_service_of_grpc_is_not_the_beginning_of_another() -> None:
    """`/shop.Orders` let requests to `/shop.OrdersAdmin` through."""
    rules = _rules("orders")
    assert rules["all"]["matches"][0]["method"] == {"type": "RegularExpression", "service": r"shop\.Orders"}
    assert rules["one"]["matches"] == [{"method": {"type": "Exact", "service": "shop.Orders", "method": "Get"}}]


def test_a_resolver_looks_up_declared_hosts_on_one_port() -> None:
    """`Host: a.partners.example.net:22` made the proxies connect to port 22."""
    values = changed(targets_values)
    rules = _route("partners", values).spec["rules"]
    assert [_filters(rule)["URLRewrite"] for rule in rules] == [
        {"hostname": "a.partners.example.net"},
        {"hostname": "b.partners.example.net"},
    ]
    assert [[match["headers"] for match in rule["matches"]] for rule in rules] == [
        [[{"name": "host", "value": host}], [{"name": "host", "value": f"{host}:80"}]]
        for host in ("a.partners.example.net", "b.partners.example.net")
    ]


def test_a_service_behind_a_sidecar_is_called_by_its_own_name() -> None:
    """A sidecar was asked for a Service by the callers' name, which none of its hosts has."""
    values = changed(targets_values)
    del values["backends"]["catalogue"]["routes"]["items"]["rewrite"]["host"]
    del values["backends"]["catalogue"]["routes"]["items"]["mirror"], values["backends"]["catalogue"]["healthCheck"]
    del values["backends"]["orders"], values["backends"]["orders-next"]
    values["backendGateways"] = {"default": {"inMesh": True}}
    named = [{"type": "URLRewrite", "urlRewrite": {"hostname": "catalogue.monitoring.svc.cluster.local"}}]
    outside, inside = _rules("catalogue", values)["items"]["backendRefs"]
    assert "filters" not in outside
    assert inside["filters"] == named
    assert _rules("catalogue-next", values)[""]["backendRefs"][0]["filters"] == named


def test_what_leads_to_a_service_says_who_answers_for_it() -> None:
    """A route to a Service was nobody's: it has no Backend of ours that names its owner."""
    declared = {name: _route(name).annotations for name in ("catalogue-next", "chat")}
    assert "team-offers" in declared["catalogue-next"]["cluster-egress/declaration"]
    assert declared["chat"] == {}


def test_what_is_moved_whole_leaves_nothing_behind() -> None:
    """The last step of a move left a share of the requests where they were."""
    values = changed(targets_values)
    values["backends"]["catalogue"]["routes"]["items"]["split"] = {"catalogue-next": 100}
    weights = [each["weight"] for each in _rules("catalogue", values)["items"]["backendRefs"]]
    assert weights == [0, 100]


def test_a_backend_without_routes_takes_every_request() -> None:
    """A backend without routes was not found under some path."""
    values = changed(targets_values)
    values["backends"]["shop"] = offered(hostname="shop.example.com", endpoints=[{"ip": "93.184.216.40", "port": 80}])
    (rule,) = _rules("shop", values).values()
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["backendRefs"] == [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "shop"}]
