"""Gateways of backends: which backends fit which, and what Envoy Gateway would refuse or misread."""

from typing import Any

import pytest

from tests.every_offer_key_gateways import gateway_values
from tests.support import Values, changed, dev_values, problems_of, setting, told

_N9E = "backends.n9e"
_TWO = {"replicas": 2}
_TLS = {"certificate": {"secret": "n9e-tls"}}


def _n9e(**more: Any) -> Values:
    values = dev_values()
    values["backends"]["n9e"] |= more
    return values


def _both(n9e: dict[str, Any], httpbin: dict[str, Any]) -> Values:
    values = _n9e(**n9e)
    values["backends"]["httpbin"] |= httpbin
    for backend in values["backends"].values():
        if backend.get("protocol") == "TCP":
            del backend["hostnames"]
    return values


def test_every_key_fits() -> None:
    """Guards against a declaration with every key that the checks refuse."""
    assert problems_of(gateway_values(dev_values())) == ()


@pytest.mark.parametrize("protocol", ["HTTP", "GRPC", "TLS"])
def test_what_has_names_needs_them(protocol: str) -> None:
    """Guards against a backend without hostnames, which takes every request of its port."""
    values = _n9e(protocol=protocol)
    del values["backends"]["n9e"]["hostnames"]
    assert told(values) == [
        (
            f"{_N9E}.hostnames",
            "is missing: without names every request would be taken for this backend",
            "the names under which callers ask for it",
        )
    ]


def test_tcp_has_a_port_and_no_names() -> None:
    """Guards against hostnames that TCP cannot see, and against a port that nobody chose."""
    assert told(_n9e(protocol="TCP")) == [
        (
            f"{_N9E}.hostnames",
            "are names, of which TCP says none: whoever connects to the port is led to the backend",
            "leave them out, or another `protocol`",
        ),
        (
            f"{_N9E}.port",
            "is missing, and TCP is recognised by it alone",
            "a port that no other backend has",
        ),
    ]


def test_tcp_has_no_certificate() -> None:
    """Guards against a certificate that would never be shown."""
    values = _both({"protocol": "TCP", "port": 5432, **_TLS}, {})
    assert [path for path, _, _ in told(values)] == [f"{_N9E}.certificate"]


def test_a_certificate_s_namespace_is_declared() -> None:
    """Guards against a Secret in a namespace of which this declaration knows nothing."""
    values = _n9e(certificate={"secret": "n9e-tls", "namespace": "monitorin"})
    assert told(values) == [
        (
            f"{_N9E}.certificate.namespace",
            "namespace `monitorin` is not under cluster.namespaces",
            "did you mean `monitoring`?",
        )
    ]


@pytest.mark.parametrize("more", [{}, {"protocol": "GRPC", **_TLS}, {"protocol": "TLS", **_TLS}])
def test_only_https_is_redirected_to(more: dict[str, Any]) -> None:
    """Guards against a redirect to where nobody listens, or nobody speaks HTTP."""
    assert [path for path, _, _ in told(_n9e(httpsRedirect=True, **more))] == [f"{_N9E}.httpsRedirect"]


def test_a_redirect_needs_the_port_of_plain_text() -> None:
    """Guards against one port with TLS and without."""
    found = told(_n9e(httpsRedirect=True, port=80, **_TLS))
    assert (f"{_N9E}.httpsRedirect", "another `port`, or leave it out") in [(path, do) for path, _, do in found]


def test_an_unknown_gateway_is_named() -> None:
    """Guards against a backend that no Gateway offers."""
    values = changed(setting("backendGateways", {"default": _TWO, "edge": _TWO}), _n9e(gateway="egde"))
    values["backends"]["other"] = {**values["backends"]["httpbin"], "gateway": "edge", "hostnames": ["o.example.com"]}
    assert told(values) == [
        (f"{_N9E}.gateway", "there is no `egde` under backendGateways", "did you mean `edge`?"),
    ]


def test_a_backend_says_its_gateway_where_there_is_no_default() -> None:
    """Guards against a default that is not among the declared Gateways."""
    values = changed(setting("backendGateways", {"edge": _TWO}), _n9e(gateway="edge"))
    assert told(values) == [
        ("backends.httpbin.gateway", "is missing, and there is no `default` under backendGateways", "one of: edge")
    ]


def test_a_gateway_without_backends_is_refused() -> None:
    """Guards against a Gateway without listeners, which the API server refuses half-way through a run."""
    values = changed(setting("backendGateways", {"default": _TWO, "edge": _TWO}))
    assert told(values) == [
        (
            "backendGateways.edge",
            "offers no backend, and a Gateway must listen to something",
            "`gateway: edge` at a backend, or leave it out",
        )
    ]


def test_gateways_without_any_backends_are_refused() -> None:
    """Guards against Gateways of which nothing comes, because Envoy Gateway is not even installed."""
    values = changed(setting("backendGateways", {"default": _TWO}))
    del values["backends"]
    assert [path for path, _, _ in told(values)] == ["backendGateways.default"]


def test_a_gateway_whose_backend_cannot_be_read_is_not_called_idle() -> None:
    """Guards against a second error that goes away with the first."""
    values = changed(setting("backendGateways", {"default": _TWO, "edge": _TWO}), _n9e(gateway="edge", port=0))
    assert [path for path, _, _ in told(values)] == [f"{_N9E}.port"]


@pytest.mark.parametrize(
    ("n9e", "httpbin"),
    [
        ({"port": 8443, **_TLS}, {"port": 8443}),
        ({"protocol": "TCP", "port": 9000}, {"port": 9000}),
        ({"protocol": "TCP", "port": 9000}, {"protocol": "TCP", "port": 9000}),
        ({"protocol": "TLS", "port": 80}, {}),
        ({"protocol": "TCP", "port": 80}, {"httpsRedirect": True, **_TLS}),
    ],
)
def test_what_cannot_share_a_port_is_refused(n9e: dict[str, Any], httpbin: dict[str, Any]) -> None:
    """Guards against listeners of which Envoy Gateway takes none, and says so in a status that nobody reads."""
    found = told(_both(n9e, httpbin))
    assert len(found) == 1
    assert "of the Gateway is taken: backends.n9e has" in found[0][1]
    assert found[0][0].startswith("backends.httpbin")


@pytest.mark.parametrize(
    ("n9e", "httpbin"),
    [
        ({}, {}),
        ({"protocol": "TLS"}, {"protocol": "GRPC", "certificate": {"secret": "httpbin-tls"}}),
        ({"httpsRedirect": True, **_TLS}, {}),
        ({"protocol": "TCP", "port": 9000}, {"port": 9001}),
    ],
)
def test_what_can_share_a_port_may(n9e: dict[str, Any], httpbin: dict[str, Any]) -> None:
    """Guards against a check that is stricter than Envoy Gateway."""
    assert problems_of(_both(n9e, httpbin)) == ()


def test_ports_collide_inside_the_pods() -> None:
    """Guards against two ports of a Service that are one in the pods, of which one backend would get nothing."""
    assert told(_both({}, {"port": 10080})) == [
        (
            "backends.httpbin.port",
            "port 10080 and port 80 of backends.n9e are both 10080 in the proxies' pods: ports below 1024 are 10000 "
            "higher there",
            "another `port`",
        )
    ]


@pytest.mark.parametrize(
    ("port", "in_mesh", "bad"), [(19001, False, True), (15020, True, True), (6443, False, True), (8443, False, False)]
)
def test_ports_of_the_proxies_are_theirs(port: int, in_mesh: bool, bad: bool) -> None:
    """Guards against a listener that cannot bind, or that takes the place of readiness."""
    values = changed(setting("backendGateways", {"default": {"inMesh": in_mesh}}), _n9e(port=port))
    assert ([path for path, _, _ in told(values)] == [f"{_N9E}.port"]) is bad


def test_a_gateway_has_64_listeners() -> None:
    """Guards against a Gateway that the API server refuses."""
    values = dev_values()
    httpbin = values["backends"].pop("httpbin")
    n9e = {**values["backends"].pop("n9e"), **_TLS}
    for each in range(4):
        names = [f"host-{number}.shop-{each}.example.com" for number in range(16)]
        values["backends"][f"shop-{each}"] = {**n9e, "hostnames": names}
    values["backends"]["web"] = httpbin
    assert told(values) == [
        (
            "backends.web.gateway",
            "has 65 listeners, of which a Gateway may have 64: one for each hostname with TLS and for each TCP port",
            "another Gateway for some of its backends",
        )
    ]
    del values["backends"]["web"]
    assert problems_of(values) == ()


@pytest.mark.parametrize("prefix", ["alibaba-cloud", "alicloud"])
def test_exposure_alone_says_who_reaches_a_load_balancer(prefix: str) -> None:
    """Guards against an annotation that makes an internal load balancer public, past its approval."""
    key = f"service.beta.kubernetes.io/{prefix}-loadbalancer-address-type"
    gateway = {"exposure": "intranet", "sourceRanges": ["10.60.0.0/16"], "loadBalancer": {key: "internet"}}
    ((path, _, instead),) = told(changed(setting("backendGateways", {"default": gateway})))
    assert path == f"backendGateways.default.loadBalancer.{key}"
    assert instead == "leave it out, and `exposure: intranet` or `internet`"


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0"])
def test_not_everybody_is_a_trusted_proxy(cidr: str) -> None:
    """Guards against `X-Forwarded-For` of anybody, which passes every list of addresses."""
    values = changed(setting("backendGateways", {"default": {"trustedProxies": [cidr]}}))
    assert [path for path, _, _ in told(values)] == ["backendGateways.default.trustedProxies[0]"]


def test_a_mesh_without_our_sidecars_gives_none() -> None:
    """Guards against a label to which nobody answers."""
    values = changed(setting("backendGateways", {"default": {"inMesh": True}}))
    assert problems_of(values) == ()
    values["egress"]["mesh"]["dataPlane"] = "ambient"
    assert "backendGateways.default.inMesh" in [path for path, _, _ in told(values)]
    values["egress"]["mesh"] = {"flavour": "asm", "asm": {"context": "mesh"}}
    assert "backendGateways.default.inMesh" in [path for path, _, _ in told(values)]


def test_nodes_that_are_described_wrongly_are_told_of_once() -> None:
    """A slip in a label was told twice: in words of pydantic's own, and as an unknown word."""
    nodes = {"mode": "existing", "labels": {"pool": "?!"}, "taints": {"edge": {"effect": "NoSchedule"}}}
    addresses = {"mode": "existing", "cidrs": ["203.0.113.30/32"]}
    values = changed(setting("backendGateways", {"default": {"nodes": nodes, "addresses": addresses}}))
    assert [path for path, _, _ in told(values)] == ["backendGateways.default.nodes.labels.pool"]
    values["backendGateways"]["default"]["nodes"] = "anywhere"
    assert [path for path, _, _ in told(values)] == ["backendGateways.default.nodes"]
