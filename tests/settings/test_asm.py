"""The flavour `asm`: what Alibaba's managed mesh cannot honour is refused, with the reason and the alternative."""

from typing import Any

import pytest

from components.settings.reserved import MOST_ASM_PORTS
from tests.support import Values, asked, changed, dev_values, just_enough, problems_of, setting, settings_of, told

_ASM = {"context": "asm", "clusterId": "c0123456789abcdef", "controlPlane": ["10.20.0.15"]}
_EDITION = "destinations.edition-cnn"
_ELSE = "`flavour: istio-api`"


def _values() -> Values:
    return changed(setting("egress.mesh", {"flavour": "asm", "asm": _ASM}))


def test_a_declaration_that_it_can_honour_is_taken() -> None:
    """The flavour refused what it was made for."""
    assert problems_of(_values()) == ()
    port = {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}}
    assert problems_of(changed(setting(f"{_EDITION}.ports", {"web": port}), _values())) == ()


def _https(**more: Any) -> dict[str, Any]:
    return {"web": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}, **more}}


_FIELD = f"leave it out, or {_ELSE}"


@pytest.mark.parametrize(
    ("path", "value", "where", "wrong", "instead"),
    [
        ("egress.mesh.tracing", {"namespace": "traces", "service": "otel"}, "", "configuration", "console"),
        ("egress.mesh.alerts", {"namespace": "monitoring"}, "", "names that our own install gives", "console"),
        (
            "egress.mesh.authorizers",
            {"opa": {"namespace": "opa", "service": "opa", "port": 9191}},
            "",
            "configuration",
            _ELSE,
        ),
        (
            "egress.mesh.issuers",
            {
                "ci": {
                    "issuer": "https://ci.example.com",
                    "audiences": ["egress"],
                    "jwksUri": "https://ci.example.com/keys",
                }
            },
            "",
            "would leave with the request",
            _ELSE,
        ),
        ("egress.mesh.gateway", {"drainSeconds": 60}, ".drainSeconds", "has no field in ASM's IstioGateway", _FIELD),
        ("egress.mesh.gateway", {"namespace": "way-out"}, ".namespace", "is not istio-egress", "leave it out"),
        ("install.istio", {"version": "1.31.1"}, ".version", "ASM installs Istio itself", "leave it out"),
        ("install.istio", {"namespace": "mesh"}, ".namespace", "ASM installs Istio itself", "leave it out"),
        ("cluster.ipFamilies", ["IPv4", "IPv6"], "", "has IPv6", _ELSE),
        (f"{_EDITION}.addresses", ["151.101.3.5"], "", "cannot be told to ASM", f"`cidrs`, or {_ELSE}"),
        (
            f"{_EDITION}.ports",
            {"db": {"port": 5432, "protocol": "TCP"}},
            ".db.protocol",
            "has names only",
            f"`TLS`, where the client starts TLS, or {_ELSE}",
        ),
        (
            f"{_EDITION}.ports",
            {"api": {"port": 443, "protocol": "GRPC", "tls": {"clientPort": 8080}}},
            ".api.tls",
            "documented for HTTP only",
            f"`protocol: TLS`, with TLS that the client starts, or {_ELSE}",
        ),
        (f"{_EDITION}.ports", _https(tls={"clientPort": 80, "secret": "ca"}), ".web.tls.secret", "has no field", _ELSE),
        (
            f"{_EDITION}.ports",
            _https(tls={"clientPort": 80, "serverName": "a.com"}),
            ".web.tls.serverName",
            "has no field",
            _ELSE,
        ),
        (f"{_EDITION}.ports", _https(routing={"timeout": "3s"}), ".web.routing", "has no field", _FIELD),
        (f"{_EDITION}.ports", _https(connections={"maxConnections": 9}), ".web.connections", "has no field", _FIELD),
        (f"{_EDITION}.ports", _https(outliers={"maxPercent": 9}), ".web.outliers", "has no field", _FIELD),
    ],
)
def test_what_it_has_no_field_for_is_refused(path: str, value: Any, where: str, wrong: str, instead: str) -> None:
    """A declaration was accepted, and half of it had no effect."""
    ((at, what, example),) = told(changed(setting(path, value), _values()))
    assert at == f"{path}{where}"
    assert wrong in what
    assert instead in example


@pytest.mark.parametrize("outbound", ["registry-only", "allow-any"])
def test_namespaces_go_through_a_gateway(outbound: str) -> None:
    """A namespace was thought to go without a gateway, and its traffic was dropped."""
    values = changed(setting("cluster.namespaces.monitoring", {"role": "client", "outbound": outbound}), _values())
    assert told(values) == [
        (
            "cluster.namespaces.monitoring.outbound",
            "goes without a gateway, and an egress policy of ASM always leads through one",
            f"`gateway`, or {_ELSE}",
        )
    ]


def test_wildcards_are_refused() -> None:
    """Nobody knew where ASM would lead a wildcard."""
    values = changed(setting(f"{_EDITION}.hosts", ["*.cnn.com"]), _values())
    values["destinations"]["edition-cnn"]["servedBy"] = "edition.cnn.com"
    ((path, wrong, instead),) = told(values)
    assert path == f"{_EDITION}.hosts[0]"
    assert wrong.startswith("is a wildcard")
    assert instead == f"each host by its full name, or {_ELSE}"


def test_tokens_and_authorizers_of_a_destination_are_refused_with_their_definitions() -> None:
    """A token for the gateway went out to the host."""
    values = _values()
    values["egress"]["mesh"] |= {
        "issuers": {
            "ci": {
                "issuer": "https://ci.example.com",
                "audiences": ["egress"],
                "jwksUri": "https://ci.example.com/keys",
            }
        },
        "authorizers": {"opa": {"namespace": "opa", "service": "opa", "port": 9191}},
    }
    values["destinations"]["edition-cnn"] |= {"token": {"issuer": "ci"}, "authorizer": "opa", "ports": _https()}
    assert [path for path, _, _ in told(values)] == [
        f"{_EDITION}.authorizer",
        f"{_EDITION}.token",
        "egress.mesh.authorizers",
        "egress.mesh.issuers",
    ]


def test_a_gateway_that_leads_nowhere_is_refused() -> None:
    """A Service without ports was refused by the API server, in the middle of an update."""
    values = _values()
    values["egress"]["mesh"]["gateways"] = {"partners": {"replicas": 2}}
    ((path, wrong, instead),) = told(values)
    assert path == "egress.mesh.gateways.partners"
    assert wrong == "leads no destination out, and ASM's gateway needs a port of its own for each"
    assert instead == "a destination that leaves through it (`gateway: partners`), or leave it out"
    values["destinations"]["edition-cnn"]["gateway"] = "partners"
    ((path, _, instead),) = told(values)
    assert (path, instead) == ("egress.mesh.gateway", "a destination that leaves through it")


def _hosts(count: int) -> Values:
    edition = dev_values()["destinations"]["edition-cnn"] | {"ports": {"https": {"port": 443, "protocol": "TLS"}}}
    hosts = [f"host{index}.example.com" for index in range(count)]
    entries = {f"some-{start}": {**edition, "hosts": hosts[start : start + 100]} for start in range(0, count, 100)}
    return changed(lambda values: values.update(destinations=entries), _values())


def test_a_gateway_has_so_many_ports_and_no_more() -> None:
    """An object grew past what the API server stores."""
    assert problems_of(_hosts(MOST_ASM_PORTS)) == ()
    ((path, wrong, instead),) = told(_hosts(MOST_ASM_PORTS + 1))
    assert path == f"destinations.some-{MOST_ASM_PORTS}.gateway"
    assert wrong.startswith(f"makes more than {MOST_ASM_PORTS} hosts and ports at one gateway")
    assert wrong.endswith(f"({MOST_ASM_PORTS + 1} in all)")
    assert instead == "a further gateway for some of them, under egress.mesh.gateways"


@pytest.mark.parametrize("section", ["destinations", "backends"])
def test_the_control_planes_approval_is_its_own(section: str) -> None:
    """A destination reached the control plane, because its approval had the same name."""
    values = _values()
    (first, *_) = values[section]
    values[section]["control-plane"] = values[section].pop(first)
    ((path, wrong, instead),) = told(values)
    assert path == f"{section}.control-plane"
    assert wrong.startswith("has the name by which the mesh's control plane is approved")
    assert instead == "another name"


def test_the_control_planes_addresses_are_approved_by_others() -> None:
    """A stack file opened an address in the private network for every client."""
    settings = settings_of(_values())
    ((path, wrong, _),) = asked(settings, just_enough(settings))
    assert path == "egress.mesh.asm.controlPlane[0]"
    assert wrong == "10.20.0.15 is private address space, and no approval covers it"


def test_everything_is_found_also_where_other_values_are_wrong() -> None:
    """A bad ticket hid that half of a declaration had no effect."""
    values = changed(setting(f"{_EDITION}.ticket", ""), _values())
    values["destinations"]["edition-cnn"]["ports"] = _https(routing={"timeout": "3s"})
    values["egress"]["mesh"]["tracing"] = {"namespace": "traces", "service": "otel"}
    paths = [path for path, _, _ in told(values)]
    assert paths == [f"{_EDITION}.ports.web.routing", f"{_EDITION}.ticket", "egress.mesh.tracing"]
