"""What the real Envoy Gateway makes of a plan, without a cluster: conditions, and a configuration for Envoy.

`egctl x validate` judges schemas, `egctl x translate` the rest; their output is read, because they end well whatever
they find. The configuration comes as one that Envoy takes from a file, so that `envoy --mode validate` reads it all.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.plain_data import is_list, is_map
from tests.offline_objects import Object, certificate_and_key, maps


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
        found = (each for part in maps(self.config) for each in part.get("routes", ()) if "match" in each)
        return [each for each in found if each.get("name", "").split("/")[2:3] == [name]]

    def chains(self, name: str) -> list[list[dict[str, Any]]]:
        """The network filters of each filter chain that leads to what has this name."""
        chains = (part for found in maps(self.config) for part in found.get("filterChains", ()))
        return [each["filters"] for each in chains if f"/{name}/" in json.dumps(each)]

    def hosts(self) -> dict[str, list[Any]]:
        """The HTTP routes, by the host that a request names."""
        hosts = [host for part in maps(self.config) for host in part.get("virtualHosts", ())]
        return {domain: host["routes"] for host in hosts for domain in host["domains"]}

    def cluster(self, name: str, rule: int = 0) -> dict[str, Any]:
        """The first cluster of a rule of a route of Gateway API, by the route's name."""
        clusters = self.config["static_resources"]["clusters"]
        return next(each for each in clusters if each["name"].split("/")[2:5] == [name, "rule", f"{rule}"])


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
    refused = ask(egctl, "validate", objects, folder)
    translated = json.loads(ask(egctl, "translate", objects, folder, "--to", "gateway-api,xds", "-o", "json"))
    return Translated(
        refused=tuple(line.strip() for line in refused.splitlines() if line.strip() and "OK" not in line),
        false=tuple(_conditions(translated, "False")),
        accepted=frozenset(_accepted(translated)),
        config=_static(translated["xds"][gateway]["configs"]),
    )


def ask(egctl: Path, command: str, objects: Sequence[Object], folder: Path, *options: str) -> str:
    """What `egctl x` prints about objects.

    Raises:
        RuntimeError: it does not end well.
    """
    file = folder / f"{command}.yaml"
    file.write_text("\n---\n".join(json.dumps(each) for each in objects) + "\n", encoding="utf-8")
    program = [egctl, "x", command, "-f", file, *options]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"egctl x {command} failed:\n{done.stderr}\n{done.stdout}")
    return done.stdout


def validate(envoy: Path, config: Mapping[str, Any], folder: Path) -> str:
    """What Envoy says against a configuration: nothing, if it would start with it."""
    file = folder / "envoy.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    command = [envoy, "--mode", "validate", "-c", file, "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


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
        for found in maps(config)
        for key, holds in kinds.items()
        if key in found
        for each in (found[key] if is_list(found[key]) else [found[key]])
    }
    return [{"name": name, **holds} for name, holds in sorted(named.items())]


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
