"""Asks Envoy Gateway, by `egctl`: are these objects accepted, and what do they make Envoy connect to?"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from tests.differential.cases import Case, Object
from tests.offline_gateway import ask as ask_egctl

_GATEWAY_API = "gateway.networking.k8s.io"
_ROUTE_KINDS = frozenset({"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"})
_SHARED = "shared"
"""The namespace of the Gateway that serves every case without a route of its own."""
_LISTENERS = (("http", "HTTP", 80), ("tcp", "TCP", 81), ("udp", "UDP", 82))


class Verdict(StrEnum):
    """What Envoy Gateway does with a case."""

    SCHEMA = "refused by its schema"
    REFUSED = "refused"
    NOTHING = "accepted without effect"
    THROUGH = "let through"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a case."""

    verdict: Verdict
    detail: str
    """Why it is refused, or where Envoy connects to."""


def ask(egctl: Path, cases: Sequence[Case], folder: Path) -> dict[str, Outcome]:
    """What Envoy Gateway does with each case, by its id; `folder` takes the files that `egctl` reads."""
    objects = {case.id: _objects(case) for case in cases}
    outcomes = _refused_by_schema(egctl, objects, folder)
    left = [case for case in cases if case.id not in outcomes]
    for batch in [[case for case in left if not case.alone], *([case] for case in left if case.alone)]:
        stack = [_gateway(_SHARED), *(found for case in batch for found in _stack(case, objects[case.id]))]
        translated = _translate(egctl, stack, folder)
        outcomes |= {case.id: _outcome(case, translated) for case in batch}
    return outcomes


def _objects(case: Case) -> list[Object]:
    """The objects of a case, in a namespace of its own."""
    home = case.objects[0]["metadata"].get("namespace", "")
    return [_moved(found, home, case.id) for found in case.objects]


def _stack(case: Case, objects: list[Object]) -> list[Object]:
    """The objects of a case with what they need to show: its own Gateway if it brings a route, else a route."""
    return [_gateway(case.id) if _has_route(case) else _route(case.id, objects[0]), *objects]


def _has_route(case: Case) -> bool:
    return any(found["kind"] in _ROUTE_KINDS for found in case.objects)


def _gateway(namespace: str) -> Object:
    listeners = [
        {"name": name, "protocol": protocol, "port": port, "allowedRoutes": {"namespaces": {"from": "All"}}}
        for name, protocol, port in _LISTENERS
    ]
    spec = {"gatewayClassName": "eg", "listeners": listeners}
    return _object(f"{_GATEWAY_API}/v1", "Gateway", namespace, "gateway") | {"spec": spec}


def _moved(found: Object, home: str, to: str) -> Object:
    """`found` with every namespace that is `home` replaced; others get the same prefix, so that cases never meet."""

    def moved(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: moved(item, name) for name, item in cast("Object", value).items()}
        if isinstance(value, list):
            return [moved(item) for item in cast("list[Any]", value)]
        if key == "namespace":
            return to if value == home else f"{to}-{value}"
        return value

    result = moved(copy.deepcopy(found))
    result["metadata"].setdefault("namespace", to)
    return result


def _object(api_version: str, kind: str, namespace: str, name: str) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


def _route(namespace: str, backend: Object) -> Object:
    reference = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": backend["metadata"]["name"]}
    spec = {
        "parentRefs": [{"name": "gateway", "namespace": _SHARED, "sectionName": "http"}],
        "hostnames": [f"{namespace}.example.com"],
        "rules": [{"backendRefs": [reference]}],
    }
    return _object(f"{_GATEWAY_API}/v1", "HTTPRoute", namespace, "route") | {"spec": spec}


def _refused_by_schema(egctl: Path, objects: Mapping[str, list[Object]], folder: Path) -> dict[str, Outcome]:
    every = [found for of_case in objects.values() for found in of_case]
    refused: dict[str, Outcome] = {}
    case = ""
    # For each refused object: the object, which stands on one line as we wrote it, then why.
    for line in ask_egctl(egctl, "validate", every, folder).splitlines():
        if line.startswith("{"):
            case = json.loads(line)["metadata"]["namespace"]
        elif case != "" and line.strip() != "":
            whole = refused[case].detail + " " if case in refused else ""
            refused[case] = Outcome(verdict=Verdict.SCHEMA, detail=f"{whole}{line.strip()}")
    return refused


def _translate(egctl: Path, stack: list[Object], folder: Path) -> Mapping[str, Any]:
    controller = {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
    gateway_class = {"apiVersion": f"{_GATEWAY_API}/v1", "kind": "GatewayClass", "metadata": {"name": "eg"}}
    whole = [gateway_class | {"spec": controller}, *stack]
    return json.loads(ask_egctl(egctl, "translate", whole, folder, "--to", "gateway-api,xds", "-o", "json"))


def _outcome(case: Case, translated: Mapping[str, Any]) -> Outcome:
    gateway = case.id if _has_route(case) else _SHARED
    # The bootstrap is the same for everybody, and names the admin port of the proxy.
    dump = [part for part in translated["xds"][f"{gateway}/gateway"]["configs"] if "bootstrap" not in part]
    clusters = [part for part in _clusters(dump) if f"/{case.id}/" in part.get("name", part.get("clusterName", ""))]
    endpoints = sorted(set(_endpoints(clusters)))
    if any(case.proof in text for text in _texts(dump)) if case.proof != "" else endpoints:
        return Outcome(verdict=Verdict.THROUGH, detail=case.proof or ", ".join(endpoints))
    complaints = _complaints(case, translated)
    return Outcome(verdict=Verdict.REFUSED if complaints else Verdict.NOTHING, detail=" ".join(complaints))


def _clusters(dump: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for part in dump:
        for item in part.get("dynamicActiveClusters", []):
            yield item["cluster"]
        for item in part.get("dynamicEndpointConfigs", []):
            yield item["endpointConfig"]


def _endpoints(value: object) -> Iterator[str]:
    """Where clusters connect to."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        address = fields.get("endpoint", {}).get("address") if isinstance(fields.get("endpoint"), dict) else None
        if address is not None and "socketAddress" in address:
            socket = address["socketAddress"]
            host = f"[{socket['address']}]" if ":" in socket["address"] else socket["address"]
            yield f"{host}:{socket.get('portValue', 0)}"
        elif address is not None and "pipe" in address:
            yield address["pipe"]["path"]
        if fields.get("name") == "envoy.clusters.dynamic_forward_proxy":
            yield "whatever the client names"
        for item in fields.values():
            yield from _endpoints(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _endpoints(item)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _complaints(case: Case, translated: Mapping[str, Any]) -> list[str]:
    """The messages of every condition that is false, of all objects of the case."""
    found: dict[str, None] = {}
    for kept in translated.values():
        for item in cast("list[Any]", kept) if isinstance(kept, list) else []:
            if item.get("metadata", {}).get("namespace") == case.id:
                status = item.get("status", {})
                holders = [status, *status.get("parents", []), *status.get("ancestors", [])]
                for condition in (condition for holder in holders for condition in holder.get("conditions", [])):
                    if condition["status"] == "False":
                        found[condition["message"]] = None
    return list(found)
