"""What a flavour cannot honour is refused, with the reason and the alternative: at the limit plus one."""

from typing import Any

import pytest

from components.plan.mesh.requests import INTERNAL_HEADERS
from components.settings.flavours import MOST_HEADERS, REMOVED_ANYWAY
from components.settings.reserved import MOST_SHARED, MOST_SINGLE
from tests.declarations import answerable
from tests.support import Values, changed, dev_values, setting, told

_HTTP = {"port": 80, "protocol": "HTTP"}
_TLS = {"port": 443, "protocol": "TLS"}


def _declared(destinations: Values, flavour: str = "gateway-api") -> Values:
    values = changed(setting("egress.mesh.flavour", flavour))
    values["destinations"] = {name: {**_entry(), **more} for name, more in destinations.items()}
    return values


def _entry() -> Values:
    return {
        "hosts": ["a.com"],
        "ports": {"http": _HTTP},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **answerable(),
    }


def _routed(**routing: Any) -> Values:
    return _declared({"only": {"ports": {"http": {**_HTTP, "routing": routing}}}})


def test_gateway_api_needs_its_crds() -> None:
    """The first `up` ended half-way, at kinds that no chart had brought."""
    values = _declared({"only": {}})
    assert told(values) == []
    del values["backends"]
    ((path, wrong, instead),) = told(values)
    assert path == "egress.mesh.flavour"
    assert (
        wrong == "needs the CRDs of Gateway API, which come with Envoy Gateway, and it is installed for backends only"
    )
    assert instead == "`install.gatewayApi: standard` (or `experimental`), if the cluster has them from elsewhere"
    assert told(changed(setting("install.gatewayApi", "standard"), values)) == []


@pytest.mark.parametrize(
    ("ports", "refused"),
    [({"http": _HTTP}, True), ({"grpc": {**_HTTP, "protocol": "GRPC"}}, True), ({"tls": _TLS}, False)],
)
def test_wildcards_by_http_are_refused(ports: Values, refused: bool) -> None:
    """Requests for a wildcard's names went around the gateway."""
    entry = {"hosts": ["*.example.com"], "servedBy": "edge.example.com", "ports": ports}
    found = told(_declared({"only": entry}))
    assert [path for path, _, _ in found] == (["destinations.only.hosts[0]"] if refused else [])
    assert told(_declared({"only": entry}, "istio-api")) == []


def test_clients_with_and_without_a_gateway_share_no_host() -> None:
    """A client without a gateway was sent to one whose Service it does not see."""
    values = _declared({"one": {}, "two": {"clients": {"shop": {"everyone": True}}}})
    assert told(values) == []
    values["cluster"]["namespaces"]["shop"]["outbound"] = "allow-any"
    ((path, wrong, instead),) = told(values)
    assert path == "destinations.two.hosts[0]"
    assert wrong == (
        "a.com has clients with and without a gateway (`news` in destinations.one, `shop` here), "
        "and a route of Gateway API is the same for all of them"
    )
    assert instead == "the same `outbound` for these namespaces, or `flavour: istio-api`"
    assert told(changed(setting("egress.mesh.flavour", "istio-api"), values)) == []


def test_the_headers_that_are_removed_anyway_are_counted_right() -> None:
    """Settings took one header more than the route's CRD."""
    assert len(INTERNAL_HEADERS) == REMOVED_ANYWAY


@pytest.mark.parametrize(
    ("key", "most"),
    [
        ("requestHeaders.set", MOST_HEADERS),
        ("requestHeaders.remove", MOST_HEADERS - REMOVED_ANYWAY),
        ("responseHeaders.set", MOST_HEADERS),
        ("responseHeaders.remove", MOST_HEADERS),
    ],
)
def test_headers_are_refused_over_the_limit_of_the_crd(key: str, most: int) -> None:
    """The API server refused a route half-way through an update."""
    side, kind = key.split(".")
    names = [f"x-{number}" for number in range(most + 1)]
    for count, refused in ((most, False), (most + 1, True)):
        value = dict.fromkeys(names[:count], "a") if kind == "set" else names[:count]
        found = told(_routed(**{side: {kind: value}}))
        assert [path for path, _, _ in found] == ([f"destinations.only.ports.http.routing.{key}"] if refused else [])


def test_headers_of_tokens_count_among_the_removed() -> None:
    """With an issuer declared, the removed headers were one more than the CRD takes."""
    names = [f"x-{number}" for number in range(MOST_HEADERS - REMOVED_ANYWAY)]
    values = _routed(requestHeaders={"remove": names})
    assert told(values) == []
    issuer = {"issuer": "https://sso.example.com", "audiences": ["egress"], "jwksUri": "https://sso.example.com/keys"}
    values["egress"]["mesh"]["issuers"] = {"sso": issuer}
    ((path, _, instead),) = told(values)
    assert path == "destinations.only.ports.http.routing.requestHeaders.remove"
    assert instead == f"at most {len(names) - 1}, or `flavour: istio-api`"


@pytest.mark.parametrize(("others", "refused"), [(15, False), (16, True)])
def test_shares_are_refused_over_the_limit_of_the_crd(others: int, refused: bool) -> None:
    """A rule had seventeen backends, and the API server takes sixteen."""
    names = [f"other-{number}" for number in range(others)]
    routing = {"split": dict.fromkeys(names, 1)}
    values = _declared(
        {
            "only": {"ports": {"http": {**_HTTP, "routing": routing}}},
            **{name: {"hosts": [f"{name}.example.com"]} for name in names},
        }
    )
    found = told(values)
    assert [path for path, _, _ in found] == (["destinations.only.ports.http.routing.split"] if refused else [])


@pytest.mark.parametrize(
    ("routing", "path"),
    [
        ({"timeout": "99999ms"}, None),
        ({"timeout": "100000ms"}, "timeout"),
        ({"retries": {"attempts": 1, "perTryTimeout": "100000ms"}}, "retries.perTryTimeout"),
        ({"timeout": "3s", "retries": {"attempts": 1, "perTryTimeout": "3000ms"}}, None),
        ({"timeout": "3s", "retries": {"attempts": 1, "perTryTimeout": "3001ms"}}, "retries.perTryTimeout"),
    ],
)
def test_durations_are_refused_that_the_crd_refuses(routing: Values, path: str | None) -> None:
    """The API server refused a route half-way through an update."""
    found = told(_routed(**routing))
    assert [where for where, _, _ in found] == (
        [] if path is None else [f"destinations.only.ports.http.routing.{path}"]
    )


def test_retries_need_the_experimental_channel() -> None:
    """The API server dropped a field that its CRD does not know, and nobody asked again."""
    values = _routed(retries={"attempts": 1})
    assert told(values) == []
    ((path, _, instead),) = told(changed(setting("install.gatewayApi", "standard"), values))
    assert path == "destinations.only.ports.http.routing.retries"
    assert instead == "leave it out (Istio's default asks again twice), or install that channel's CRDs"
    assert told(changed(setting("install.gatewayApi", "experimental"), values)) == []


@pytest.mark.parametrize(("count", "refused"), [(MOST_SINGLE, False), (MOST_SINGLE + 1, True)])
def test_tls_hosts_are_refused_over_the_gateway_s_ports(count: int, refused: bool) -> None:
    """A gateway had more listeners than anybody had tried."""
    hosts = [f"host-{number}.example.org" for number in range(count)]
    found = told(_declared({"only": {"hosts": hosts, "ports": {"https": _TLS}}}))
    assert [path for path, _, _ in found] == (["destinations.only.ports"] if refused else [])


@pytest.mark.parametrize(("count", "refused"), [(MOST_SHARED, False), (MOST_SHARED + 1, True)])
def test_client_groups_are_refused_over_the_gateway_s_ports(count: int, refused: bool) -> None:
    """As above, for HTTP: hosts with the same clients share a port, others do not."""
    entries: Values = {
        f"entry-{number}": {
            "hosts": [f"host-{number}.example.org", f"other-{number}.example.org"],
            "clients": {"news": {"serviceAccounts": [f"account-{number}"]}},
        }
        for number in range(count)
    }
    found = told(_declared(entries))
    assert [path for path, _, _ in found] == ([f"destinations.entry-{count - 1}.ports"] if refused else [])


def test_a_second_gateway_has_ports_of_its_own() -> None:
    """Destinations of another gateway were counted among those of the first."""
    hosts = [f"host-{number}.example.org" for number in range(MOST_SINGLE)]
    more = {"hosts": ["more.example.org"], "ports": {"https": _TLS}, "gateway": "second"}
    values = _declared({"many": {"hosts": hosts, "ports": {"https": _TLS}}, "more": more})
    values["egress"]["mesh"]["gateways"] = {"second": {"replicas": 2}}
    assert told(values) == []


@pytest.mark.parametrize("gateway", ["gateway", "gateways.second"])
def test_host_network_is_refused_where_the_chart_cannot_give_it(gateway: str) -> None:
    """The chart dropped the value, and the gateway's source address was another one than the firewall knew."""
    values = changed(setting(f"egress.mesh.{gateway}.hostNetwork", True), dev_values())
    ((path, wrong, instead),) = told(values)
    assert path == f"egress.mesh.{gateway}.hostNetwork"
    assert wrong == (
        "Istio's gateway chart has no such value, and adding it keeps istiod from filling in the proxy's image"
    )
    assert instead == "`flavour: gateway-api`, whose gateways istiod deploys itself; or leave it out"
    assert told(changed(setting("egress.mesh.flavour", "gateway-api"), values)) == []


def test_gateways_on_the_network_of_the_same_nodes_are_refused() -> None:
    """The second gateway found no node whose ports were free."""
    values = changed(setting("egress.mesh.flavour", "gateway-api"))
    values["egress"]["mesh"]["gateways"] = {name: {"hostNetwork": True} for name in ("a", "b")}
    assert [path for path, _, _ in told(values)] == ["egress.mesh.gateways.b.hostNetwork"]
    nodes = {"mode": "existing", "labels": {"pool": "b"}, "taints": {"pool": {"effect": "NoSchedule"}}}
    values["egress"]["mesh"]["gateways"]["b"]["nodes"] = nodes
    assert told(values) == []
