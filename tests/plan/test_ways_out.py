"""Ways out beyond HTTP and TLS that is passed through: TLS that starts here, TCP, wildcards, ways without a gateway."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import KubeObject, Plan
from tests.declarations import answerable, base
from tests.plan.projections import blocks
from tests.support import Values, istio_of, of_kind, plan_of

_KINDS: dict[str, dict[str, Any]] = {
    "http": {"port": 80, "protocol": "HTTP"},
    "originated": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}},
    "originated on 8080": {"port": 8443, "protocol": "GRPC", "tls": {"clientPort": 8080}},
    "own authority": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80, "secret": "ca"}},
    "limited": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}, "connections": {"maxConnections": 5}},
    "passed through": {"port": 443, "protocol": "TLS"},
    "tcp": {"port": 5432, "protocol": "TCP"},
}
_HOSTS = ("a.example.org", "b.example.org", "c.example.net", "d.example.net")
_Place = tuple[str, int, bool]
"""Host, port outside, and whether TLS starts at the last proxy."""


@st.composite
def _declarations(draw: st.DrawFn) -> Values:
    destinations: Values = {}
    for index, host in enumerate(draw(st.lists(st.sampled_from(_HOSTS), min_size=1, unique=True))):
        kinds = draw(st.lists(st.sampled_from(sorted(_KINDS)), min_size=1, max_size=3, unique=True))
        ports = {f"p{number}": dict(_KINDS[kind]) for number, kind in enumerate(kinds)}
        called = [_called(port) for port in ports.values()]
        if len(set(called)) == len(called):
            direct = draw(st.booleans()) and "own authority" not in kinds
            clients: Values = {"batch": {"everyone": True}} if direct else {}
            if not direct or draw(st.booleans()):
                clients["news"] = {"serviceAccounts": [draw(st.sampled_from(("reader", "writer")))]}
            destinations[f"entry-{index}"] = {
                "hosts": [host],
                "ports": ports,
                "clients": clients,
                "cidrs": ["93.184.216.0/24"],
                **answerable(index),
            }
    if not destinations:
        destinations["entry"] = {
            "hosts": ["a.example.org"],
            "ports": {"p": _KINDS["http"]},
            "clients": {"news": {"everyone": True}},
            **answerable(),
        }
    values = base(["news", "batch"], destinations)
    values["cluster"]["namespaces"]["batch"]["outbound"] = "registry-only"
    return values


def _called(port: Mapping[str, Any]) -> int:
    return port.get("tls", {}).get("clientPort", port["port"])


def _declared(values: Values, namespace: str) -> dict[tuple[str, int], _Place]:
    """What a namespace's clients call, and where that is meant to lead."""
    return {
        (host, _called(port)): (host, port["port"], "tls" in port)
        for entry in values["destinations"].values()
        if namespace in entry["clients"]
        for host in entry["hosts"]
        for port in entry["ports"].values()
    }


def _place(plan: Plan, namespace: str, host: str, number: int) -> _Place:
    """Where a proxy of a namespace connects to for one port of a host, by ServiceEntry and DestinationRule."""
    (entry,) = [each for each in of_kind(plan, "ServiceEntry") if host in each.spec["hosts"]]
    assert namespace in entry.spec["exportTo"] or namespace == entry.namespace
    (port,) = [each for each in entry.spec["ports"] if each["number"] == number]
    rules = [each for each in of_kind(plan, "DestinationRule") if each.namespace == namespace]
    own = [each for each in rules if each.spec["host"] == host] or [each for each in rules if each.spec["host"] == "*"]
    modes = [
        level["tls"]["mode"]
        for rule in own
        for level in rule.spec["trafficPolicy"]["portLevelSettings"]
        if level["port"]["number"] == number and "tls" in level
    ]
    return host, port.get("targetPort", number), modes in (["SIMPLE"], ["MUTUAL"])


def _routes(service: KubeObject, gateway: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every match for a gateway (or `mesh`), with its destination."""
    for kind in ("http", "tls", "tcp"):
        for route in service.spec.get(kind, []):
            for match in route["match"]:
                if gateway in match.get("gateways", service.spec["gateways"]):
                    yield match, route["route"][0]["destination"]


def _fits(match: Mapping[str, Any], host: str, port: int) -> bool:
    authority = match.get("authority", {}).get("regex", ".*")
    return match["port"] == port and re.fullmatch(authority, host) is not None and host in match.get("sniHosts", [host])


def _to_gateway(plan: Plan, host: str, port: int) -> tuple[KubeObject, int]:
    """The route of a call from a namespace with a gateway, and the gateway's port to which it leads."""
    services = [each for each in of_kind(plan, "VirtualService") if "news" in each.spec["exportTo"]]
    (service,) = [each for each in services if host in each.spec["hosts"]]
    inside = next(to for match, to in _routes(service, "mesh") if _fits(match, host, port))
    assert inside["host"] == "egress-gateway.istio-egress.svc.cluster.local"
    return service, inside["port"]["number"]


def _by_gateway(plan: Plan, host: str, port: int) -> _Place:
    """Where a call from a namespace with a gateway ends."""
    service, lane = _to_gateway(plan, host, port)
    own = next(name for name in service.spec["gateways"] if name != "mesh")
    outside = next(to for match, to in _routes(service, own) if _fits({**match, "sniHosts": [host]}, host, lane))
    assert outside["host"] == host
    return _place(plan, "istio-egress", host, outside["port"]["number"])


def _directly(plan: Plan, host: str, port: int) -> _Place:
    """Where a call from a namespace without a gateway ends."""
    services = [
        each
        for each in of_kind(plan, "VirtualService")
        if host in each.spec["hosts"] and "batch" in each.spec["exportTo"]
    ]
    for service in services:
        for match, to in _routes(service, "mesh"):
            if _fits(match, host, port):
                return _place(plan, "batch", to["host"], to["port"]["number"])
    return _place(plan, "batch", host, port)


@settings(max_examples=80, deadline=None)
@given(values=_declarations())
def test_every_call_ends_where_it_is_declared_to(values: Values) -> None:
    """Plain text left by a port that was meant to be TLS, or a call ended at another port or host."""
    plan = plan_of(values)
    for (host, port), place in _declared(values, "news").items():
        assert _by_gateway(plan, host, port) == place
    for (host, port), place in _declared(values, "batch").items():
        assert _directly(plan, host, port) == place


@settings(max_examples=60, deadline=None)
@given(values=_declarations())
def test_no_port_of_a_host_leads_around_the_gateway(values: Values) -> None:
    """A port that only proxies should know led a client straight out, past the gateway's permissions."""
    plan = plan_of(values)
    for entry in of_kind(plan.egress_gateway, "ServiceEntry"):
        if "news" in entry.spec["exportTo"]:
            for host in entry.spec["hosts"]:
                for port in entry.spec["ports"]:
                    _to_gateway(plan, host, port["number"])


@settings(max_examples=60, deadline=None)
@given(values=_declarations())
def test_only_a_namespace_without_a_gateway_has_ways_of_its_own(values: Values) -> None:
    """A client's NetworkPolicy opened addresses for those who go through the gateway, or too few for the others."""
    plan = plan_of(values)
    policies = {each.namespace: each for each in plan.client_policies}
    inside = {("192.168.0.10/32", 6443)}
    needed = {("93.184.216.0/24", port) for _, port, _ in _declared(values, "batch").values()}
    assert blocks(policies["batch"]) == needed | inside
    assert blocks(policies["news"]) == inside


def test_a_rule_for_all_hosts_holds_for_the_gateway_only() -> None:
    """In a client's namespace a DestinationRule for every host hides what the owners of other Services say."""
    values = base(["news"], {"a": _entry("a.example.org", "originated"), "b": _entry("b.example.org", "http")})
    rules = {(each.namespace, each.spec["host"]) for each in of_kind(plan_of(values), "DestinationRule")}
    assert rules == {("news", "egress-gateway.istio-egress.svc.cluster.local"), ("istio-egress", "*")}


@pytest.mark.parametrize("count", [1, 300])
def test_hosts_whose_tls_starts_here_need_no_objects_of_their_own(count: int) -> None:
    """Every host took a DestinationRule, so that a thousand hosts were a thousand resources."""
    entry = {**_entry("unused", "originated"), "hosts": [f"host-{number}.example.org" for number in range(count)]}
    plan = plan_of(base(["news"], {"many": entry}))
    assert len(of_kind(plan, "DestinationRule")) == 2


def test_a_tcp_host_has_objects_of_its_own() -> None:
    """Two TCP hosts of one port shared a VirtualService, and the first got the connections of both."""
    entry = {**_entry("unused", "tcp"), "hosts": ["a.example.org", "b.example.org"]}
    plan = plan_of(base(["news"], {"databases": entry}))
    assert sorted(len(each.spec["hosts"]) for each in of_kind(plan, "VirtualService")) == [2, 2]  # itself and its SNI
    entries = of_kind(plan.egress_gateway, "ServiceEntry")
    assert [len(each.spec["hosts"]) for each in entries] == [1, 1]


def test_a_wildcard_is_matched_whole() -> None:
    """`*.example.org` took the requests for `evil-example.org`, or for the zone itself."""
    entry = {**_entry("*.example.org", "http"), "servedBy": "www.example.org"}
    (service,) = of_kind(plan_of(base(["news"], {"pages": entry})), "VirtualService")
    (pattern,) = [match["authority"]["regex"] for match, _ in _routes(service, service.spec["gateways"][1])]
    assert all(re.fullmatch(pattern, host) for host in ("a.example.org", "A.B.Example.org:8080"))
    others = ("example.org", "evil-example.org", "a.example.org.evil.net", "x@a.example.org")
    assert not any(re.fullmatch(pattern, host) for host in others)


def _entry(host: str, kind: str) -> dict[str, Any]:
    return {
        "hosts": [host],
        "ports": {"port": _KINDS[kind]},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **answerable(),
    }


@pytest.mark.parametrize("posture", ["enforce", "observe"])
def test_a_tcp_lane_takes_its_clients_certificates_only(posture: str) -> None:
    """Envoy connects to a TCP host before it judges who asks: what the host says first was heard by everybody."""
    values = base(["news"], {"a": _entry("a.example.org", "tcp"), "b": _entry("b.example.org", "passed through")})
    values["egress"]["posture"] = posture
    (gateway,) = [
        each for each in of_kind(plan_of(values), "Gateway") if each.api_version.startswith("networking.istio.io")
    ]
    names = [
        server["tls"]["subjectAltNames"] for server in gateway.spec["servers"] if "subjectAltNames" in server["tls"]
    ]
    assert names == ([["spiffe://cluster.local/ns/news/sa/reader"]] if posture == "enforce" else [])


@pytest.mark.parametrize(("addresses", "captured"), [(None, True), (["93.184.216.40"], False)])
def test_sidecars_answer_for_dns_where_tcp_is_by_name(addresses: list[str] | None, captured: bool) -> None:
    """Two TCP hosts known by name had no address of their own, and the first got the connections of both."""
    entry = {**_entry("a.example.org", "tcp"), **({} if addresses is None else {"addresses": addresses})}
    mesh = istio_of(plan_of(base(["news"], {"database": entry}))).istiod.values["meshConfig"]
    assert (mesh.get("defaultConfig") == {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}) is captured


def _mixed(through: Values, straight: Values) -> Plan:
    """One host with clients through the gateway (`news`) and without one (`batch`), each by ports of their own."""
    common = {"hosts": ["a.example.org"], "cidrs": ["93.184.216.0/24"], **answerable()}
    destinations = {
        "through": {**common, "ports": {"p": through}, "clients": {"news": {"serviceAccounts": ["reader"]}}},
        "straight": {**common, "ports": {"p": straight}, "clients": {"batch": {"everyone": True}}},
    }
    values = base(["news", "batch"], destinations)
    values["cluster"]["namespaces"]["batch"]["outbound"] = "registry-only"
    return plan_of(values)


def test_a_port_without_clients_has_no_door() -> None:
    """A lane that nobody may use took any certificate, and what the host says first was heard by all."""
    plan = _mixed({"port": 6000, "protocol": "TCP"}, {"port": 7000, "protocol": "TCP"})
    (gateway,) = [each for each in of_kind(plan, "Gateway") if each.api_version.startswith("networking.istio.io")]
    (server,) = gateway.spec["servers"]
    assert server["tls"]["subjectAltNames"] == ["spiffe://cluster.local/ns/news/sa/reader"]


def test_what_one_client_is_given_no_other_has() -> None:
    """A namespace without a gateway got the header, and the certificate, of another one's requests."""
    own = {
        **_KINDS["own authority"],
        "allow": {"methods": ["GET"]},
        "routing": {"requestHeaders": {"set": {"x-api-key": "k"}}},
    }
    plan = _mixed(own, _KINDS["passed through"])
    assert [each for each in of_kind(plan, "DestinationRule") if each.namespace == "batch"] == []
    assert [each for each in of_kind(plan, "VirtualService") if "batch" in each.spec["exportTo"]] == []
