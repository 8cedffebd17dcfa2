"""Asks Envoy Gateway, by `egctl`, about what is planned for backends: is it accepted, and what does Envoy get?"""

import base64
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import trustme

from components.plan.objects import KubeObject
from components.plan.offers.grants import grants
from components.plan.offers.listeners import Listener, gateway_name, gateways_of, listeners_of
from components.plan.offers.routes import routes
from components.plan.offers.targets import targets
from components.settings import Settings
from tests.support import Values, settings_of

_GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
_DOMAIN: Final = "cluster.local"
Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Translated:
    """What Envoy Gateway makes of a declaration's backends."""

    invalid: str
    """What `egctl x validate` says against them; nothing if they are good."""
    objects: Mapping[str, list[Any]]
    """Objects with their status, by kind."""
    xds: Mapping[str, Any]
    """What Envoy is given, by Gateway."""

    @property
    def complaints(self) -> list[str]:
        """Every object that nobody has judged, and every condition that is not true."""
        found: list[str] = []
        for kind, items in self.objects.items():
            for item in items:
                conditions = list(_conditions(item.get("status", {})))
                if not conditions:
                    found.append(f"{kind} {item['metadata']['name']}: nobody has judged it")
                found += [
                    f"{kind} {item['metadata']['name']}: {each['type']}: {each['message']}"
                    for each in conditions
                    if each["status"] != "True" and each["type"] not in _BAD_IF_TRUE
                ]
        return found

    def configs(self, part: str, item: str) -> list[Any]:
        """Envoy's clusters, routes or endpoints."""
        return [
            each[item]
            for gateway in self.xds.values()
            for config in gateway["configs"]
            for each in config.get(part, ())
        ]

    def cluster(self, name: str) -> Any:
        """A cluster whose name ends so."""
        (found,) = [c for c in self.configs("dynamicActiveClusters", "cluster") if c["name"].endswith(name)]
        return found

    def hosts(self) -> dict[str, list[Any]]:
        """Envoy's routes, by the host that a request names."""
        return {
            domain: host["routes"]
            for config in self.configs("dynamicRouteConfigs", "routeConfig")
            for host in config["virtualHosts"]
            for domain in host["domains"]
        }


_BAD_IF_TRUE: Final = ("Conflicted", "OverlappingTLSConfig")


def _conditions(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for holder in (status, *status.get("parents", ()), *status.get("ancestors", ()), *status.get("listeners", ())):
        yield from holder.get("conditions", ())


def translated(egctl: Path, values: Values, folder: Path) -> Translated:
    """Translate a declaration's backends, with everything that they refer to, and a plain Gateway of each name."""
    settings = settings_of(values)
    planned = [*_planned(settings)]
    objects = [*_gateways(settings), *map(_plain, planned), *_referred_to(settings, planned)]
    file = folder / "backends.yaml"
    file.write_text("\n---\n".join(map(json.dumps, objects)) + "\n", encoding="utf-8")
    checked = _run(egctl, "validate", "-f", str(file))
    output = json.loads(_run(egctl, "translate", "-f", str(file), "--to", "gateway-api,xds", "-o", "json"))
    return Translated(
        invalid="" if "OK" in checked and "error" not in checked else checked,
        objects={key: cast("list[Any]", kept) for key, kept in output.items() if isinstance(kept, list)},
        xds=output["xds"],
    )


def _run(egctl: Path, *arguments: str) -> str:
    done = subprocess.run([egctl, "x", *arguments], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"egctl x {arguments[0]} failed:\n{done.stderr}\n{done.stdout}")
    return done.stdout


def _planned(settings: Settings) -> Iterator[KubeObject]:
    yield from grants(settings)
    for name, backend in sorted((settings.backends or {}).items()):
        yield from targets(settings, name, backend)
        yield from routes(settings, name, backend, cluster_domain=_DOMAIN)


def _plain(planned: KubeObject) -> Object:
    return {
        "apiVersion": planned.api_version,
        "kind": planned.kind,
        "metadata": planned.metadata,
        "spec": json.loads(json.dumps(planned.spec)),
    }


def _gateways(settings: Settings) -> Iterator[Object]:
    """Plain Gateways with the listeners that backends need; how the real ones run is tested elsewhere."""
    namespace = settings.install.envoy_gateway.namespace
    gateway_class = {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
    yield {"apiVersion": _GATEWAY_API, "kind": "GatewayClass", "metadata": {"name": "eg"}, "spec": gateway_class}
    for name in gateways_of(settings):
        spec = {"gatewayClassName": "eg", "listeners": [_listener(each) for each in listeners_of(settings, name)]}
        metadata = {"name": gateway_name(name), "namespace": namespace}
        yield {"apiVersion": _GATEWAY_API, "kind": "Gateway", "metadata": metadata, "spec": spec}


def _listener(listener: Listener) -> Object:
    made: Object = {"name": listener.name, "protocol": listener.protocol, "port": listener.port}
    if listener.hostname is not None:
        made["hostname"] = listener.hostname
    if listener.certificate is not None and listener.certificate.secret is not None:
        made["tls"] = {"certificateRefs": [{"name": listener.certificate.secret}]}
    elif listener.protocol == "TLS":
        made["tls"] = {"mode": "Passthrough"}
    return made


def _referred_to(settings: Settings, planned: Iterable[KubeObject]) -> Iterator[Object]:
    """The Namespaces, Services and Secrets that the objects refer to."""
    namespace = settings.install.envoy_gateway.namespace
    authority = trustme.CA()
    certificate = authority.issue_cert("example.net")
    contents = {
        "ca.crt": authority.cert_pem.bytes(),
        "tls.crt": b"".join(each.bytes() for each in certificate.cert_chain_pems),
        "tls.key": certificate.private_key_pem.bytes(),
    }
    data = {key: base64.b64encode(value).decode() for key, value in contents.items()}
    names = {each.tls.secret for each in (settings.backends or {}).values() if each.tls is not None and each.tls.secret}
    for name in sorted(names):
        yield {**_core("Secret", namespace, name), "type": "kubernetes.io/tls", "data": data}
    for each in sorted({namespace, *(grant.namespace or "" for grant in planned if grant.kind == "ReferenceGrant")}):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}}
    services = {each.service.name: each.service for each in (settings.backends or {}).values() if each.service}
    for _, service in sorted(services.items()):
        port = {"name": "port", "port": service.port, "protocol": "TCP"}
        spec = {"clusterIP": "10.96.0.9", "ports": [{**port, "targetPort": service.port}]}
        yield {**_core("Service", service.namespace, service.name), "spec": spec}
        yield {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{service.name}-1",
                "namespace": service.namespace,
                "labels": {"kubernetes.io/service-name": service.name},
            },
            "addressType": "IPv4",
            "ports": [port],
            "endpoints": [{"addresses": ["10.244.0.9"], "conditions": {"ready": True}}],
        }


def _core(kind: str, namespace: str, name: str) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}
