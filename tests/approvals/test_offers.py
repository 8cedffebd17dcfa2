"""What backends and their Gateways have only with an approval."""

from typing import Any

import pytest

from policy.approvals import Approvals
from tests.plan.offered import JWT, OIDC, PARTNERS, calling, exposed_values
from tests.support import (
    APPROVALS_FILE,
    Values,
    approval,
    asked,
    changed,
    dev_values,
    just_enough,
    private_range,
    public_range,
    setting,
    settings_of,
)


def _asked(values: Values, approvals: Approvals | None = None, **more: Any) -> list[tuple[str, str, str]]:
    settings = settings_of(values)
    return asked(settings, just_enough(settings, **more) if approvals is None else approvals)


def _named(*zones: str) -> dict[str, Any]:
    return {"offeredNames": {"own": approval(zones=list(zones))}}


def test_an_offered_name_is_in_an_approved_zone() -> None:
    """A stack took over any name at all in every client namespace: of another team, of a bank."""
    values = changed(setting("backends.n9e.hostnames", ["n9e.jiaxzeng.com", "bank.example.com"]))
    assert _asked(values, **_named("jiaxzeng.com", "httpbin.org")) == [
        (
            "backends.n9e.hostnames[1]",
            "bank.example.com is in no zone that this stack may offer names of",
            f"another name, or have a zone that holds it added to offeredNames in {APPROVALS_FILE}",
        )
    ]


@pytest.mark.parametrize(("zone", "holds"), [("jiaxzeng.com", True), ("n9e.jiaxzeng.com", True), ("zeng.com", False)])
def test_a_zone_holds_itself_and_what_is_under_it(zone: str, holds: bool) -> None:
    """A zone held names that only end in the same letters, or not its own name."""
    assert (_asked(dev_values(), **_named(zone, "httpbin.org")) == []) is holds


def test_a_resolver_needs_an_approval_of_its_own_name() -> None:
    """A request could name any host, because somebody had been let have a resolver elsewhere."""

    def change(values: Values) -> None:
        backend = values["backends"]["httpbin"]
        del backend["endpoints"]
        backend |= {"resolver": {"port": 80}}

    elsewhere = {"it": approval(namespace="news", name="httpbin")}
    assert _asked(changed(change)) == []
    assert _asked(changed(change), dynamicResolvers=elsewhere) == [
        (
            "backends.httpbin.resolver",
            "connects to whatever host a request names, and no approval lets it",
            "`endpoints`, or have namespace envoy-gateway-system, name httpbin added to dynamicResolvers "
            f"in {APPROVALS_FILE}",
        )
    ]


def test_a_resolver_s_hosts_need_addresses_or_an_approval() -> None:
    """What a resolver looks up was at any address, approved or not."""

    def change(values: Values) -> None:
        backend = values["backends"]["httpbin"]
        del backend["endpoints"]
        backend |= {"resolver": {"port": 443}, "tls": {"minVersion": "1.3"}, "cidrs": ["172.16.0.0/24"]}

    assert [path for path, _, _ in _asked(changed(change))] == ["backends.httpbin.cidrs[0]"]
    granted = {"it": private_range("172.16.0.0/24")}
    assert _asked(changed(change), privateRanges=granted) == []


def test_nobody_reaches_a_gateway_from_outside_without_an_approval() -> None:
    """A stack put what is offered inside on the internet, and no one was asked."""
    values = exposed_values()
    assert _asked(values) == []
    assert _asked(values, exposedGateways={}) == [
        (
            "backendGateways.partners.exposure",
            "is `intranet`, and no approval lets it be reached from outside the cluster",
            f"`inside`, or have exposedGateways.partners added to {APPROVALS_FILE}",
        )
    ]


def test_the_intranet_is_not_the_internet() -> None:
    """An approval for the VPC was one for everybody; one for everybody is one for the VPC too."""
    values = changed(setting("backendGateways.partners.exposure", "internet"), exposed_values())
    ranges = PARTNERS["sourceRanges"]
    found = _asked(values, exposedGateways={"partners": approval(exposure="intranet", sourceRanges=ranges)})
    assert [(path, wrong) for path, wrong, _ in found] == [
        ("backendGateways.partners.exposure", "is `internet`, and approved is `intranet`")
    ]
    wider = {"partners": approval(exposure="internet", sourceRanges=ranges)}
    assert _asked(exposed_values(), exposedGateways=wider) == []


@pytest.mark.parametrize(
    ("granted", "refused"),
    [
        (["10.0.0.0/8"], []),
        (["10.30.0.0/17"], [0]),
        (["10.30.0.0/17", "10.30.128.0/17"], [0]),
        (["2001:db8::/32"], [0]),
    ],
)
def test_callers_come_from_approved_ranges(granted: list[str], refused: list[int]) -> None:
    """A Gateway that was approved for one range was opened to more."""
    found = _asked(exposed_values(), exposedGateways={"partners": approval(exposure="intranet", sourceRanges=granted)})
    assert [path for path, _, _ in found] == [f"backendGateways.partners.sourceRanges[{index}]" for index in refused]


def test_annotations_of_a_load_balancer_are_approved_each() -> None:
    """A Gateway that was approved for the VPC took over a load balancer that the whole internet reaches."""
    key = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-id"
    values = changed(setting("backendGateways.partners.loadBalancer", {key: "lb-public"}), exposed_values())
    ranges = PARTNERS["sourceRanges"]
    assert _asked(values) == []
    for annotations in ({}, {key: "lb-own"}):
        grant = approval(exposure="intranet", sourceRanges=ranges, annotations=annotations)
        assert _asked(values, exposedGateways={"partners": grant}) == [
            (
                f"backendGateways.partners.loadBalancer.{key}",
                'is not approved with the value "lb-public"; annotations can lead to another load balancer',
                f"leave it out, or have it added to exposedGateways.partners.annotations in {APPROVALS_FILE}",
            )
        ]


@pytest.mark.parametrize(("range_", "refused"), [("10.244.7.0/24", True), ("10.30.1.0/28", False)])
def test_no_pod_claims_to_be_somebody_else(range_: str, refused: bool) -> None:
    """Pods were trusted as proxies, so that any of them could write an address that `clientCidrs` let in."""
    values = changed(setting("backendGateways.partners.trustedProxies", [range_]), exposed_values())
    found = _asked(values)
    assert [path for path, _, _ in found] == (["backendGateways.partners.trustedProxies[0]"] if refused else [])


def test_a_helper_needs_its_image_and_its_socket_approved() -> None:
    """A container that sees every request came from anywhere."""
    values = changed(setting("backendGateways.partners.helpers", {"opa": {"image": "x/opa:1"}}), exposed_values())
    values["backendGateways"]["partners"]["accessLog"] = {"socket": "opa"}
    assert _asked(values) == []
    assert _asked(values, chartSources={}, unixSockets={}) == [
        (
            "backendGateways.partners.helpers.opa.image",
            "x/opa:1 would run beside the proxies, and no approval covers it",
            f"leave the helper out, or have its image added to chartSources in {APPROVALS_FILE}",
        ),
        (
            "backendGateways.partners.helpers.opa",
            "is asked by the socket /var/run/cluster-egress/opa/socket, and no approval lets proxies connect to it",
            f"leave the helper out, or have the path added to unixSockets in {APPROVALS_FILE}",
        ),
    ]


def test_what_is_fetched_is_a_destination_too() -> None:
    """The proxies could fetch from any public address, because nobody asked where keys and tokens come from."""
    jwt = {key: value for key, value in JWT.items() if key != "cidrs"}
    for access, host in (({"jwt": jwt}, "keys.example.com"), ({"oidc": OIDC}, "login.example.com")):
        values = calling("httpbin", access)
        assert _asked(values) == []
        only_endpoints = {
            "edition-cnn": public_range(["edition.cnn.com"], [80, 443]),
            "httpbin": public_range(["httpbin.org"], [80]),
        }
        (key,) = access
        assert [(path, wrong) for path, wrong, _ in _asked(values, publicRanges=only_endpoints)] == [
            (f"backends.httpbin.access.{key}", f"names {host}, which is not approved to be at any public address")
        ]


def test_a_login_without_addresses_needs_an_approval_even_where_endpoints_have_some() -> None:
    """A backend at a fixed address let its proxies reach every public one."""
    values = calling("n9e", {"oidc": OIDC})
    granted = {
        "edition-cnn": public_range(["edition.cnn.com"], [80, 443]),
        "httpbin": public_range(["httpbin.org"], [80]),
    }
    assert [path for path, _, _ in _asked(values, publicRanges=granted)] == ["backends.n9e.access.oidc.cidrs"]


@pytest.mark.parametrize("key", ["jwt", "oidc"])
@pytest.mark.parametrize(
    ("cidr", "wrong"),
    [
        ("10.244.3.0/24", "10.244.3.0/24 is inside this cluster"),
        ("169.254.169.254/32", "169.254.169.254/32 is metadata, which is never a way out"),
        ("172.16.0.0/24", "172.16.0.0/24 is private address space, and no approval covers it"),
    ],
)
def test_addresses_of_what_is_fetched_are_judged_as_well(key: str, cidr: str, wrong: str) -> None:
    """A URL of keys was a way around what destinations are held to."""
    access = {"jwt": JWT, "oidc": OIDC}
    values = calling("n9e", {key: {**access[key], "cidrs": [cidr]}})
    ((path, said, instead),) = _asked(values)
    assert (path, said) == (f"backends.n9e.access.{key}.cidrs[0]", wrong)
    assert instead


@pytest.mark.parametrize(
    ("access", "path"),
    [
        ({"jwt": {**JWT, "jwksUri": "https://keys.default.svc/keys"}}, "jwt.jwksUri"),
        ({"oidc": {**OIDC, "issuer": "https://metadata.google.internal/"}}, "oidc.issuer"),
        (
            {
                "oidc": {
                    **OIDC,
                    "endpoints": {
                        "authorization": "https://login.example.com/auth",
                        "token": "https://127.0.0.1.nip.io/token",
                    },
                }
            },
            "oidc.endpoints.token",
        ),
    ],
)
def test_names_of_what_is_fetched_are_judged_as_well(access: dict[str, Any], path: str) -> None:
    """Envoy Gateway's controller was sent to the API server, or to the metadata of its node."""
    found = _asked(calling("n9e", access))
    assert [path for path, _, _ in found] == [f"backends.n9e.access.{path}"]


def test_standby_endpoints_are_judged_like_endpoints() -> None:
    """What answers when nobody else is well could be anywhere."""
    standby = {"standby": [{"ip": "10.250.1.1", "port": 17000}], "healthCheck": {"path": "/"}}
    values = changed(lambda values: values["backends"]["n9e"].update(standby))
    assert [path for path, _, _ in _asked(values)] == ["backends.n9e.standby[0].ip"]
    named = {**standby, "standby": [{"fqdn": "localhost", "port": 80}]}
    values = changed(lambda values: values["backends"]["httpbin"].update(named))
    assert [path for path, _, _ in _asked(values)] == ["backends.httpbin.standby[0].fqdn"]


def test_a_service_in_the_cluster_needs_no_approval_of_addresses() -> None:
    """A backend without endpoints outside was asked for its addresses there."""

    def change(values: Values) -> None:
        del values["backends"]["httpbin"]["endpoints"]
        values["backends"]["httpbin"]["service"] = {"namespace": "shop", "name": "httpbin", "port": 80}

    granted = {"edition-cnn": public_range(["edition.cnn.com"], [80, 443])}
    assert _asked(changed(change), publicRanges=granted) == []


@pytest.mark.parametrize("has_socket", [False, True])
def test_the_backend_api_is_asked_for_where_it_is_on(has_socket: bool) -> None:
    """Where every backend was a Service, an approval was asked for of what stays off; a helper's socket needs it."""
    values = dev_values()
    for each in values["backends"].values():
        del each["endpoints"]
        each["service"] = {"namespace": "shop", "name": "shop", "port": 80}
    if has_socket:
        helpers = {"judge": {"image": "registry.example.com/judge:1"}}
        values["backendGateways"] = {"default": {"helpers": helpers, "accessLog": {"socket": "judge"}}}
    missing = just_enough(settings_of(values)).model_copy(update={"backend_api": None})
    assert [path for path, _, _ in _asked(values, missing)] == (["backends"] if has_socket else [])
    nobody = missing.model_copy(update={"platform_subjects": {}})
    assert "is declared, but nobody" in _asked(values, nobody)[-1][1]


def test_wide_sources_of_gateways_are_refused() -> None:
    """A firewall team was asked to let half of the internet in, as the addresses of a Gateway."""
    values = changed(setting("backendGateways.partners.addresses.cidrs", ["128.0.0.0/1"]), exposed_values())
    assert [path for path, _, _ in _asked(values)] == ["backendGateways.partners.addresses.cidrs"]
