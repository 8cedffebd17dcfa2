"""What is denied is denied in every place, in every spelling of a name, and in however many pieces."""

import datetime as dt
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts.names import (
    LOCALHOST_ZONES,
    METADATA_NAMES,
    SPECIAL_TLDS,
    WILDCARD_DNS_ZONES,
)
from policy.facts.special_ranges import SPECIAL_RANGES, AddressClass
from policy.registry import judge
from policy.rule import Context, Severity
from policy.subjects import subjects_of

CONTEXT = Context(today=dt.date(2026, 11, 23))
NEVER = [
    row.network
    for row in SPECIAL_RANGES
    if row.address_class in {AddressClass.LOOPBACK, AddressClass.METADATA, AddressClass.LINK_LOCAL}
]


def _object(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it", "namespace": "apps"}, **fields}


def _backend(endpoint: dict[str, Any]) -> dict[str, Any]:
    return _object("gateway.envoyproxy.io/v1alpha1", "Backend", spec={"endpoints": [endpoint]})


def _service_entry(**spec: Any) -> dict[str, Any]:
    ports = [{"number": 8443, "name": "tls", "protocol": "TLS"}]
    return _object("networking.istio.io/v1", "ServiceEntry", spec={"ports": ports, "exportTo": ["."], **spec})


def _url(host: str) -> str:
    return f"https://[{host}]/keys" if ":" in host else f"https://{host}/keys"


def _pod(address: str) -> dict[str, Any]:
    pod = {"containers": [], "hostAliases": [{"ip": address, "hostnames": ["vm.example.com"]}]}
    return _object("apps/v1", "Deployment", spec={"template": {"spec": pod}})


ADDRESS_PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "Backend": lambda a: _backend({"ip": {"address": a, "port": 8443}}),
    "ServiceEntry endpoint": lambda a: _service_entry(
        hosts=["vm.example.com"], resolution="STATIC", endpoints=[{"address": a}]
    ),
    "ServiceEntry address": lambda a: _service_entry(hosts=["vm.example.com"], resolution="NONE", addresses=[a]),
    "WorkloadEntry": lambda a: _object("networking.istio.io/v1", "WorkloadEntry", spec={"address": a}),
    "Endpoints": lambda a: _object("v1", "Endpoints", subsets=[{"addresses": [{"ip": a}], "ports": [{"port": 8443}]}]),
    "EndpointSlice": lambda a: _object("discovery.k8s.io/v1", "EndpointSlice", endpoints=[{"addresses": [a]}]),
    "JWKS": lambda a: _object(
        "gateway.envoyproxy.io/v1alpha1",
        "SecurityPolicy",
        spec={"jwt": {"providers": [{"name": "i", "remoteJWKS": {"uri": _url(a)}}]}},
    ),
    "RequestAuthentication": lambda a: _object(
        "security.istio.io/v1", "RequestAuthentication", spec={"jwtRules": [{"issuer": "i", "jwksUri": _url(a)}]}
    ),
    "host alias": _pod,
}
NAME_PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "Backend": lambda n: _backend({"fqdn": {"hostname": n, "port": 8443}}),
    "ServiceEntry host": lambda n: _service_entry(hosts=[n], resolution="DNS"),
    "ServiceEntry endpoint": lambda n: _service_entry(
        hosts=["vm.example.com"], resolution="DNS", endpoints=[{"address": n}]
    ),
    "ASMEgressTrafficPolicy host": lambda n: _object(
        "istio.alibabacloud.com/v1beta1",
        "ASMEgressTrafficPolicy",
        spec={"egressRules": [{"to": [{"hosts": [n], "port": {"number": 8443}}]}]},
    ),
    "ExternalName": lambda n: _object("v1", "Service", spec={"type": "ExternalName", "externalName": n}),
    "JWKS": ADDRESS_PLACES["JWKS"],
}


def _blocks(whole: dict[str, Any]) -> bool:
    return any(v.severity is Severity.BLOCK for v in judge(subjects_of(whole), CONTEXT))


@pytest.mark.parametrize("place", ADDRESS_PLACES)
def test_a_public_address_passes_in_every_place(place: str) -> None:
    """Guards against the property below holding because everything is denied."""
    assert not _blocks(ADDRESS_PLACES[place]("47.96.10.20"))


@pytest.mark.parametrize("place", ADDRESS_PLACES)
@given(data=st.data())
def test_a_denied_address_is_denied_in_every_place(place: str, data: st.DataObject) -> None:
    """Guards against a kind of object whose addresses a rule forgets."""
    network = data.draw(st.sampled_from(NEVER))
    address: IPv4Address | IPv6Address = network[data.draw(st.integers(0, network.num_addresses - 1))]
    assert _blocks(ADDRESS_PLACES[place](str(address)))


labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True).filter(lambda label: label[:4] != "xn--")
zones = st.sampled_from(
    sorted({*LOCALHOST_ZONES, *WILDCARD_DNS_ZONES, *SPECIAL_TLDS, "cluster.local", "svc", "clusterset.local"})
)


@st.composite
def denied_names(draw: st.DrawFn) -> str:
    """A name that nothing approves here, in any case, with or without the dot at the end."""
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(METADATA_NAMES)))
    else:
        name = ".".join([*draw(st.lists(labels, min_size=1, max_size=3)), draw(zones)])
    cased = "".join(draw(st.sampled_from([c.lower(), c.upper()])) for c in name)
    return cased + draw(st.sampled_from(["", "."]))


@pytest.mark.parametrize("place", NAME_PLACES)
def test_a_public_name_passes_in_every_place(place: str) -> None:
    """Guards against the property below holding because everything is denied."""
    for name in ("api.example.com", "Api.Example.com", "api.example.com."):
        assert not _blocks(NAME_PLACES[place](name))


@pytest.mark.parametrize("place", NAME_PLACES)
@given(name=denied_names())
def test_a_denied_name_is_denied_in_every_place(place: str, name: str) -> None:
    """Guards against a kind of object whose names a rule forgets, and against a spelling that changes the class."""
    assert _blocks(NAME_PLACES[place](name))


@st.composite
def pieces(draw: st.DrawFn) -> list[IPv4Network]:
    """A wide block, cut into pieces in any order, some of them in more than one."""
    wide = draw(st.sampled_from(["0.0.0.0/0", "32.0.0.0/3", "64.0.0.0/8", "96.64.0.0/12"]))
    found = [IPv4Network(wide)]
    for _ in range(draw(st.integers(0, 6))):
        cut = found.pop(draw(st.integers(0, len(found) - 1)))
        found += list(cut.subnets()) if cut.prefixlen < 20 else [cut]
    return draw(st.permutations(found + found[:1]))


@given(pieces(), st.integers(1, 4))
def test_a_wide_block_is_wide_in_however_many_pieces(networks: list[IPv4Network], rules: int) -> None:
    """Guards against comparing blocks one by one: two halves of everything are everything."""
    peers = [{"ipBlock": {"cidr": str(network)}} for network in networks]
    egress = [{"to": peers[start::rules]} for start in range(rules) if peers[start::rules]]
    spec: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress}
    assert _blocks(_object("networking.k8s.io/v1", "NetworkPolicy", spec=spec))
