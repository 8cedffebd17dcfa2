"""A mesh without sidecars: what it cannot honour is refused, with the reason and the alternative."""

from typing import Any

import pytest

from tests.support import Values, asked, changed, dev_values, just_enough, problems_of, setting, settings_of, told

_EDITION = "destinations.edition-cnn"
_ELSE = "`dataPlane: sidecar`"


def _values() -> Values:
    return changed(setting("egress.mesh.dataPlane", "ambient"))


def test_a_declaration_that_it_can_honour_is_taken() -> None:
    """Waypoints were refused what they can do."""
    assert problems_of(_values()) == ()
    port = {
        "port": 443,
        "protocol": "HTTP",
        "tls": {"clientPort": 80, "serverName": "a.com"},
        "allow": {"methods": ["GET"]},
        "routing": {"timeout": "3s"},
        "connections": {"maxConnections": 9},
        "outliers": {"maxPercent": 9},
    }
    assert problems_of(changed(setting(f"{_EDITION}.ports", {"web": port}), _values())) == ()


def test_sidecars_are_the_default() -> None:
    """A stack that says nothing about it lost its sidecars."""
    assert settings_of(dev_values()).egress.mesh.data_plane == "sidecar"


@pytest.mark.parametrize("value", ["ambiant", "", True, ["ambient"], {"ambient": True}])
def test_anything_else_is_refused_in_its_place(value: Any) -> None:
    """A slip of the pen was taken for the default, and the stack stayed with sidecars."""
    ((path, _, instead),) = told(changed(setting("egress.mesh.dataPlane", value)))
    assert path == "egress.mesh.dataPlane"
    assert instead


_ISSUER = {"issuer": "https://ci.example.com", "audiences": ["egress"], "jwksUri": "https://ci.example.com/keys"}


@pytest.mark.parametrize(
    ("path", "value", "where", "wrong"),
    [
        ("egress.mesh.issuers", {"ci": _ISSUER}, "", "are for tokens"),
        ("egress.mesh.authorizers", {"opa": {"namespace": "opa", "service": "opa", "port": 9191}}, "", "asked by"),
        ("egress.mesh.alerts", {"namespace": "monitoring"}, "", "what sidecars count"),
        ("egress.mesh.gateway", {"hostNetwork": True}, ".hostNetwork", "template of waypoints"),
        ("install.istio", {"canary": {"version": "1.32.0"}}, ".canary", "a node has one ztunnel"),
        (
            "cluster.namespaces.monitoring",
            {"role": "client", "outbound": "registry-only"},
            ".outbound",
            "is a setting of sidecars",
        ),
        (
            "cluster.namespaces.monitoring",
            {"role": "client", "outbound": "allow-any"},
            ".outbound",
            "is a setting of sidecars",
        ),
        (f"{_EDITION}.ports", {"db": {"port": 5432, "protocol": "TCP"}}, ".db.protocol", "speaks first"),
        (
            f"{_EDITION}.ports",
            {"web": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80, "secret": "ca"}}},
            ".web.tls.secret",
            "no right to read Secrets",
        ),
    ],
)
def test_what_waypoints_cannot_honour_is_refused(path: str, value: Any, where: str, wrong: str) -> None:
    """A declaration was accepted, and half of it had no effect."""
    ((at, what, instead),) = told(changed(setting(path, value), _values()))
    assert at == f"{path}{where}"
    assert wrong in what
    assert _ELSE in instead


def test_wildcards_are_refused() -> None:
    """A wildcard's hosts went straight to the network, past the waypoint."""
    values = changed(setting(f"{_EDITION}.hosts", ["*.cnn.com"]), _values())
    values["destinations"]["edition-cnn"] |= {
        "servedBy": "edition.cnn.com",
        "ports": {"https": {"port": 443, "protocol": "TLS"}},
    }
    ((path, wrong, instead),) = told(values)
    assert path == f"{_EDITION}.hosts[0]"
    assert wrong.startswith("is a wildcard")
    assert instead == f"each host by its full name, or {_ELSE}"


def test_tokens_and_authorizers_of_a_destination_are_refused_with_their_definitions() -> None:
    """A token was asked for, and nobody looked at it."""
    values = changed(setting(f"{_EDITION}.ports", {"web": {"port": 80, "protocol": "HTTP"}}), _values())
    values["egress"]["mesh"] |= {
        "issuers": {"ci": _ISSUER},
        "authorizers": {"opa": {"namespace": "opa", "service": "opa", "port": 9191}},
    }
    values["destinations"]["edition-cnn"] |= {"token": {"issuer": "ci"}, "authorizer": "opa"}
    assert [path for path, _, _ in told(values)] == [
        f"{_EDITION}.authorizer",
        f"{_EDITION}.token",
        "egress.mesh.authorizers",
        "egress.mesh.issuers",
    ]


def test_other_flavours_have_no_waypoints() -> None:
    """Sidecars were taken away, and the gateways that they lead to stayed."""
    values = changed(setting("egress.mesh.flavour", "gateway-api"), _values())
    ((path, wrong, instead),) = told(values)
    assert path == "egress.mesh.dataPlane"
    assert "`gateway-api` leads sidecars" in wrong
    assert instead == f"`flavour: istio-api`, or {_ELSE}"


def test_waypoints_need_the_crds_of_gateway_api() -> None:
    """The first Gateway was of a kind that the API server did not know."""
    values = changed(lambda all_values: all_values.pop("backends"), _values())
    ((path, wrong, instead),) = told(values)
    assert path == "egress.mesh.dataPlane"
    assert wrong.startswith("needs the CRDs of Gateway API")
    assert "install.gatewayApi" in instead
    assert problems_of(changed(setting("install.gatewayApi", "standard"), values)) == ()


@pytest.mark.parametrize("chart", ["cni", "ztunnel"])
def test_charts_from_elsewhere_need_an_approval(chart: str) -> None:
    """A chart that runs as root on every node came from anywhere."""
    settings = settings_of(changed(setting(f"install.istio.{chart}", "/charts/other"), _values()))
    assert asked(settings, just_enough(settings)) == []
    ((path, wrong, _),) = asked(settings, just_enough(settings, chartSources={}))
    assert path == f"install.istio.{chart}"
    assert wrong.startswith("/charts/other is not where its publisher puts it")
