"""What the real Envoy Gateway makes of a plan, without a cluster: conditions, and a configuration for Envoy.

`egctl x validate` judges schemas, `egctl x translate` the rest; their output is read, because they end well whatever
they find. The configuration comes as one that Envoy takes from a file, so that `envoy --mode validate` reads it all.
"""

import base64
import datetime as dt
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.plain_data import is_list, is_map
from components.plan.objects import KubeObject
from tests.cluster.bed.envoy import envoy_program

Object = dict[str, Any]
"""A Kubernetes object as plain data."""


@dataclass(frozen=True, kw_only=True)
class Translated:
    """What became of objects."""

    refused: tuple[str, ...]
    """What the schemas of the CRDs refuse."""
    false: tuple[str, ...]
    """Conditions that say no: kind, name, type and why."""
    accepted: frozenset[tuple[str, str]]
    """Kind and name of what has a condition `Accepted` that says yes."""
    config: Mapping[str, Any]
    """A bootstrap for Envoy in which everything is static."""

    def routes(self, name: str) -> list[dict[str, Any]]:
        """The HTTP routes of a route of Gateway API, by its name."""
        found = (each for part in _maps(self.config) for each in part.get("routes", ()) if "match" in each)
        return [each for each in found if each.get("name", "").split("/")[2:3] == [name]]

    def chains(self, name: str) -> list[list[dict[str, Any]]]:
        """The network filters of each filter chain that leads to what has this name."""
        chains = (part for found in _maps(self.config) for part in found.get("filterChains", ()))
        return [each["filters"] for each in chains if f"/{name}/" in json.dumps(each)]

    def cluster(self, name: str) -> dict[str, Any]:
        """The first cluster of a route of Gateway API, by its name."""
        clusters = self.config["static_resources"]["clusters"]
        return next(each for each in clusters if each["name"].split("/")[2:3] == [name])


def as_object(planned: KubeObject) -> Object:
    """A planned object as Kubernetes has it."""
    return {
        "apiVersion": planned.api_version,
        "kind": planned.kind,
        "metadata": planned.metadata,
        "spec": dict(planned.spec),
    }


def secret(name: str, namespace: str, **data: str) -> Object:
    """A Secret; `__` in a key stands for a dot, `_` for a dash."""
    keys = {key.replace("__", ".").replace("_", "-"): value for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in keys.items()},
    }


def service(name: str, namespace: str, port: int) -> list[Object]:
    """A Service with one endpoint."""
    metadata = {"name": name, "namespace": namespace}
    ports = [{"name": "p", "port": port, "protocol": "TCP"}]
    labels = {"kubernetes.io/service-name": name}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"clusterIP": "10.96.0.9", "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": labels},
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": ["10.244.0.9"], "conditions": {"ready": True}}],
        },
    ]


def translate(egctl: Path, objects: Sequence[Object], gateway: str, folder: Path) -> Translated:
    """Ask Envoy Gateway.

    Args:
        egctl: the program.
        objects: all that it would find in the cluster.
        gateway: the Gateway whose proxies are meant, as `namespace/name`.
        folder: where files may be written.

    Raises:
        RuntimeError: `egctl` does not end well.
    """
    file = folder / "objects.yaml"
    file.write_text("\n---\n".join(json.dumps(each) for each in objects) + "\n", encoding="utf-8")
    refused = _run(egctl, "validate", "-f", file)
    output = _run(egctl, "translate", "-f", file, "--to", "gateway-api,xds", "-o", "yaml")
    translated = yaml.safe_load(output)
    return Translated(
        refused=tuple(line.strip() for line in refused.splitlines() if line.strip() and "OK" not in line),
        false=tuple(_conditions(translated, "False")),
        accepted=frozenset(_accepted(translated)),
        config=_static(translated["xds"][gateway]["configs"]),
    )


def validate(config: Mapping[str, Any], folder: Path) -> str:
    """What Envoy says against a configuration: nothing, if it would start with it."""
    file = folder / "envoy.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    command = [envoy_program(), "--mode", "validate", "-c", file, "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _run(egctl: Path, command: str, *options: str | Path) -> str:
    done = subprocess.run([egctl, "x", command, *options], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"egctl x {command} failed:\n{done.stderr}\n{done.stdout}")
    return done.stdout


def _all(translated: Mapping[str, Any]) -> Iterator[tuple[Object, Mapping[str, Any]]]:
    for kept in translated.values():
        for item in kept if is_list(kept) else [kept]:
            if is_map(item) and "status" in item:
                status = item["status"]
                holders = [status, *(status.get("parents") or ()), *(status.get("ancestors") or ())]
                holders += status.get("listeners") or ()
                for condition in (found for holder in holders for found in holder.get("conditions") or ()):
                    yield dict(item), condition


def _conditions(translated: Mapping[str, Any], status: str) -> Iterator[str]:
    for item, condition in _all(translated):
        # Nobody runs the proxies here, so no Gateway is programmed.
        if condition["status"] == status and condition["type"] not in {
            "Programmed",
            "Conflicted",
            "OverlappingTLSConfig",
        }:
            name = item["metadata"]["name"]
            yield f"{item['kind']} {name}: {condition['type']}: {condition['message']}"


def _accepted(translated: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for item, condition in _all(translated):
        if condition["status"] == "True" and condition["type"] == "Accepted":
            yield item["kind"], item["metadata"]["name"]


def _static(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    listeners = [each["activeState"]["listener"] for part in configs for each in part.get("dynamicListeners", ())]
    clusters = [each["cluster"] for part in configs for each in part.get("dynamicActiveClusters", ())]
    routes = {
        each["routeConfig"]["name"]: each["routeConfig"]
        for part in configs
        for each in part.get("dynamicRouteConfigs", ())
    }
    endpoints = {
        each["endpointConfig"]["clusterName"]: each["endpointConfig"]
        for part in configs
        for each in part.get("dynamicEndpointConfigs", ())
    }
    found = {
        "listeners": [_inlined(_bare(each), routes) for each in listeners],
        "clusters": [_with_endpoints(_inlined(_bare(each), routes), endpoints) for each in clusters],
    }
    return {"static_resources": {**found, "secrets": _secrets(found)}}


def _secrets(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Stand-ins for Secrets, which `egctl` leaves out."""
    certificate, key = certificate_and_key("stand-in.example.com")
    kinds = {
        "tlsCertificateSdsSecretConfigs": {
            "tlsCertificate": {"certificateChain": {"inlineString": certificate}, "privateKey": {"inlineString": key}}
        },
        "validationContextSdsSecretConfig": {"validationContext": {"trustedCa": {"inlineString": certificate}}},
    }
    named = {
        each["name"]: holds
        for found in _maps(config)
        for key, holds in kinds.items()
        if key in found
        for each in (found[key] if is_list(found[key]) else [found[key]])
    }
    return [{"name": name, **holds} for name, holds in sorted(named.items())]


def certificate_and_key(*hosts: str) -> tuple[str, str]:
    """A certificate for hosts that vouches for itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kind = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return (
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(serialization.Encoding.PEM, *kind).decode(),
    )


def _bare(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "@type"}


def _inlined(value: Any, routes: Mapping[str, Any]) -> Any:
    """With routes in place of where they would be fetched, and Secrets by their names alone."""
    if is_map(value):
        inlined = {key: _inlined(each, routes) for key, each in value.items() if key != "sdsConfig"}
        if "rds" in inlined:
            name = inlined.pop("rds")["routeConfigName"]
            inlined["routeConfig"] = _bare(routes[name])
        return inlined
    return [_inlined(each, routes) for each in value] if is_list(value) else value


def _with_endpoints(cluster: dict[str, Any], endpoints: Mapping[str, Any]) -> dict[str, Any]:
    if cluster.get("type") != "EDS":
        return cluster
    fixed = {key: value for key, value in cluster.items() if key not in {"edsClusterConfig", "type"}}
    return {**fixed, "type": "STATIC", "loadAssignment": _bare(endpoints[cluster["name"]])}


def _maps(value: Any) -> Iterator[dict[str, Any]]:
    if is_map(value):
        yield dict(value)
        for each in value.values():
            yield from _maps(each)
    elif is_list(value):
        for each in value:
            yield from _maps(each)
