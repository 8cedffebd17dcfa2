"""Ways out: what a destination asks for and its way cannot do, and references that lead nowhere."""

from typing import Any

import pytest

from tests.every_key import rich_values
from tests.support import Change, Values, changed, dev_values, problems_of, setting, told

_EDITION = "destinations.edition-cnn"


def _direct(outbound: str = "registry-only", **destination: Any) -> Values:
    """The `dev` stack whose namespace `shop` goes without a gateway, with changes to its destination."""
    values = changed(setting("cluster.namespaces.shop.outbound", outbound))
    entry = values["destinations"]["edition-cnn"]
    entry["clients"]["shop"] = {"everyone": True}
    entry["cidrs"] = ["151.101.0.0/22"]
    entry |= destination
    return values


def test_a_namespace_may_go_without_a_gateway() -> None:
    """A migration could not begin, because every client had to go through the gateway at once."""
    assert problems_of(_direct()) == ()
    assert problems_of(_direct("allow-any")) == ()


def test_without_a_gateway_nobody_checks_service_accounts() -> None:
    """A service account was named where no proxy looks at one, so that every pod could use it."""
    values = _direct(clients={"shop": {"serviceAccounts": ["storefront"]}})
    assert told(values) == [
        (
            f"{_EDITION}.clients.shop.serviceAccounts",
            "namespace `shop` goes without a gateway, and only a gateway checks service accounts",
            "`everyone: true` or `labels`; or `outbound: gateway` for the namespace",
        )
    ]


def test_a_gateway_sees_no_labels() -> None:
    """Labels were taken for a permission by a layer that does not see them."""
    assert told(changed(setting(f"{_EDITION}.clients.shop", {"labels": {"app": "storefront"}}))) == [
        (
            f"{_EDITION}.clients.shop.labels",
            "the egress gateway sees certificates, and no labels",
            "`serviceAccounts`; or `outbound: registry-only` at cluster.namespaces.shop",
        )
    ]


def test_without_a_gateway_addresses_must_be_known() -> None:
    """A namespace without a gateway could reach every public address, and only its own proxy stood in the way."""
    values = _direct()
    del values["destinations"]["edition-cnn"]["cidrs"]
    ((path, wrong, instead),) = told(values)
    assert path == f"{_EDITION}.cidrs"
    assert wrong.startswith("is missing, and clients in `shop` go without a gateway")
    assert "`cidrs` or `addresses`" in instead
    values["cluster"]["namespaces"]["shop"]["outbound"] = "allow-any"
    assert problems_of(values) == ()


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("allow", {"methods": ["GET"]}, "ports.http.allow"),
        ("tls", {"clientPort": 8080, "secret": "billing"}, "ports.http.tls.secret"),
    ],
)
def test_what_needs_a_gateway_is_refused_without_one(key: str, value: Any, path: str) -> None:
    """A condition that only the gateway checks was left unchecked for those who go past it."""
    ((where, wrong, _),) = told(_direct(ports={"http": {"port": 8443, "protocol": "HTTP", key: value}}))
    assert where == f"{_EDITION}.{path}"
    assert "`shop`" in wrong


def test_labels_of_one_namespace_have_the_same_keys() -> None:
    """A pod was two clients at once, and Istio took the Sidecar of one."""
    second = {**dev_values()["destinations"]["edition-cnn"], "hosts": ["www.cnn.com"], "cidrs": ["151.101.0.0/22"]}
    second["clients"] = {"shop": {"labels": {"team": "a"}}}
    values = changed(setting("destinations.second", second), _direct(clients={"shop": {"labels": {"app": "a"}}}))
    assert told(values) == [
        (
            "destinations.second.clients.shop.labels",
            "has other keys than destinations.edition-cnn, so a pod could be both, and Istio would take one",
            "the same keys, with other values",
        )
    ]
    values["destinations"]["second"]["clients"]["shop"]["labels"] = {"app": "b"}
    assert problems_of(values) == ()


@pytest.mark.parametrize(
    ("key", "where"), [("gateway", "egress.mesh.gateways"), ("authorizer", "egress.mesh.authorizers")]
)
def test_names_must_be_there(key: str, where: str) -> None:
    """A misspelt gateway or authorizer left the destination without one."""
    values = changed(setting(f"destinations.billing-spare.{key}", "opaa"), rich_values())
    assert (f"destinations.billing-spare.{key}", f"there is no `opaa` under {where}") in [
        (path, wrong) for path, wrong, _ in told(values)
    ]


@pytest.mark.parametrize("key", ["gateway", "authorizer", "token.issuer"])
def test_names_are_told_together_with_other_mistakes(key: str) -> None:
    """One bad value in a destination hid its misspelt gateway until the next run."""
    values = changed(setting(f"destinations.billing.{key}", "nowhere"), rich_values())
    values["destinations"]["billing"]["ports"]["api"]["port"] = "https"
    paths = {path for path, _, _ in told(values)}
    assert paths == {f"destinations.billing.{key}", "destinations.billing.ports.api.port"}


@pytest.mark.parametrize("key", ["gateway", "authorizer", "token.issuer"])
@pytest.mark.parametrize("value", ["No Name", 5, {}])
def test_what_is_no_name_is_told_once(key: str, value: Any) -> None:
    """A report said of one slip that it is no name, and that nothing has this name."""
    values = changed(setting(f"destinations.billing.{key}", value), rich_values())
    assert [path for path, _, _ in told(values)] == [f"destinations.billing.{key}"]


def test_an_issuer_must_be_there_and_have_a_name_of_its_own() -> None:
    """A token of nobody was asked for; or an approval for a destination let istiod fetch keys from anywhere."""
    values = changed(setting("destinations.billing.token.issuer", "corpp"), rich_values())
    assert told(values) == [
        ("destinations.billing.token.issuer", "there is no `corpp` under egress.mesh.issuers", "did you mean `corp`?")
    ]
    issuers = rich_values()["egress"]["mesh"]["issuers"]
    values = changed(
        setting("egress.mesh.issuers", {**issuers, "pages": {**issuers["lab"], "issuer": "pages"}}), rich_values()
    )
    assert [path for path, _, _ in told(values)] == ["egress.mesh.issuers.pages"]


def test_the_first_gateway_has_its_name() -> None:
    """A further gateway had the name by which everybody calls the first."""
    assert told(changed(setting("egress.mesh.gateways", {"default": {"drainSeconds": 9}}))) == [
        ("egress.mesh.gateways.default", "`default` is what egress.mesh.gateway is called", "another name")
    ]


def test_tokens_are_about_requests() -> None:
    """A token was asked for in TLS that is passed through, where nobody can see one."""
    https = {"port": 443, "protocol": "TLS"}
    values = changed(setting("destinations.billing.ports.https", https), rich_values())
    assert told(values) == [
        (
            "destinations.billing.token",
            "is about requests, and the gateway sees none in the port `https` (TLS)",
            "`protocol: HTTP` with `tls` for that port, or another destination for it",
        )
    ]


_SPLIT = "destinations.billing.ports.api.routing.split"


def _spare(key: str, value: Any) -> Change:
    return setting(f"destinations.billing-spare.{key}", value)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (setting(_SPLIT, {"bilingspare": 10}), "there is no `bilingspare` under destinations"),
        (setting(_SPLIT, {"billing-spare": 60, "pages": 50}), "adds up to 110 in a hundred"),
        (_spare("hosts", ["a.example.net", "b.example.net"]), "has not exactly one host by its full name"),
        (_spare("clients", {"shop": {"everyone": True}}), "these clients would reach it uninvited"),
        (_spare("ports.api.allow", {"methods": ["GET"]}), "asks for more than a service account"),
    ],
)
def test_requests_go_only_to_destinations_that_fit(change: Change, wrong: str) -> None:
    """Requests were sent where their clients may not go, or to a host that nobody could name."""
    assert any(wrong in said for _, said, _ in told(changed(change, rich_values())))


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("ports.https.tls", {"clientPort": 80}, "`tls` is about requests"),
        ("ports.https.allow", {"methods": ["GET"]}, "`allow` is about requests"),
        ("ports.http.tls", {"clientPort": 8080, "clientCertificate": True}, "`clientCertificate` needs a Secret"),
        ("ports.http.allow.paths", ["v1"], '"v1" is not a path'),
        ("ports.http.allow.paths", ["/a/../b"], '"/a/../b" is not a path'),
        ("ports.http.allow.paths", ["/a*b"], '"/a*b" is not a path'),
        ("ports.http.routing.timeout", "0s", '"0s" is not a duration'),
        ("ports.http.routing.requestHeaders.set", {"host": "a"}, "host decides where a request goes"),
        ("ports.http.routing.requestHeaders.set", {"x-a": "%REQ(x)%"}, "is not plain text"),
        ("clients.news", {"serviceAccounts": ["reader"], "everyone": True}, "says in no way, or in several"),
    ],
)
def test_what_means_nothing_is_refused(path: str, value: Any, wrong: str) -> None:
    """A key was taken that the layer which should honour it cannot read."""
    assert any(wrong in said for _, said, _ in told(changed(setting(f"{_EDITION}.{path}", value))))


@pytest.mark.parametrize("tls", [{}, {"serverName": "www.cnn.com"}])
def test_tls_that_starts_here_says_where_clients_call(tls: Values) -> None:
    """A port was called in plain text on a number that nobody had written; and `tls: {}` was refused as blank."""
    ports = {"api": {"port": 443, "protocol": "HTTP", "tls": tls}}
    ((path, wrong, instead),) = told(changed(setting(f"{_EDITION}.ports", ports)))
    assert (path, wrong) == (f"{_EDITION}.ports.api.tls.clientPort", "is missing")
    assert instead.startswith("add `clientPort:`")


def test_tcp_clients_are_known_by_their_whole_name() -> None:
    """A TCP host that speaks first was heard by namespaces that may not use it."""
    values = changed(setting(f"{_EDITION}.clients.news", {"everyone": True}))
    values["destinations"]["edition-cnn"]["ports"] = {"db": {"port": 5432, "protocol": "TCP"}}
    ((path, wrong, _),) = told(values)
    assert path == f"{_EDITION}.clients.news.everyone"
    assert "would be heard by other namespaces" in wrong


def test_a_wildcard_is_no_way_around_what_a_host_asks() -> None:
    """A client used the wildcard for a host that asks for a token, and nobody asked for it."""
    pages = rich_values()["destinations"]["pages"]
    values = changed(setting("destinations.pages", {**pages, "hosts": ["*.example.net"]}), rich_values())
    ((path, wrong, _),) = told(values)
    assert path == "destinations.pages.hosts[0]"
    assert wrong.startswith("covers billing.example.net, for which destinations.billing asks more")


def test_a_copy_is_verified_by_a_name_of_its_own() -> None:
    """A copy kept the name of its original, so the certificate of the host that it went to was refused."""
    values = changed(setting("destinations.billing-spare.ports.api.tls", {"clientPort": 80}), rich_values())
    ((path, _, instead),) = told(values)
    assert (path, instead) == (
        "destinations.billing.ports.api.routing.mirror.to",
        "`serverName` in the `tls` of destinations.billing-spare",
    )


@pytest.mark.parametrize(("length", "fits"), [(38, True), (39, False)])
def test_a_gateway_s_name_fits_its_release(length: int, fits: bool) -> None:
    """Helm refused the release in the middle of a run."""
    values = changed(setting("egress.mesh.gateways", {"g" * length: {"drainSeconds": 9}}))
    assert (problems_of(values) == ()) is fits


def test_an_authorizer_is_nobody_s_own() -> None:
    """A client's team decided about the requests of others, and read them."""
    values = changed(setting("egress.mesh.authorizers.opa.namespace", "shop"), rich_values())
    assert [path for path, _, _ in told(values)] == ["egress.mesh.authorizers.opa.namespace"]


def test_labels_mean_nothing_where_everything_passes() -> None:
    """Labels were taken for a permission in a namespace that lets everything through."""
    values = _direct("allow-any", clients={"shop": {"labels": {"app": "storefront"}}})
    assert [path for path, _, _ in told(values)] == [f"{_EDITION}.clients.shop.labels"]


@pytest.mark.parametrize(("key", "value"), [("maxPendingRequests", 5), ("idleTimeout", "5m")])
def test_limits_on_requests_are_for_requests(key: str, value: Any) -> None:
    """A limit was taken, and left out of the object without a word."""
    https = {"port": 443, "protocol": "TLS", "connections": {key: value}}
    ((path, wrong, _),) = told(changed(setting(f"{_EDITION}.ports.https", https)))
    assert (path, f"`connections.{key}` is about requests" in wrong) == (f"{_EDITION}.ports.https", True)
