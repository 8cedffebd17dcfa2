"""What a cluster would hold: everything planned for backends, and what it refers to, as plain data."""

import base64
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.plain_data import is_list, is_map
from components.plan.objects import KubeObject
from components.plan.offers.listeners import backends_of
from tests.support import Values, objects, plan_of, settings_of

Object = dict[str, Any]
"""A Kubernetes object as plain data."""
_PASSWORD = "reader:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # noqa: S105 - of "secret", for nobody
_NOT_READ = frozenset({"Certificate", "ServiceEntry"})
"""What others than Envoy Gateway read."""


def backend_objects(values: Values, gateway: str = "default") -> list[Object]:
    """Of one Gateway: it, its backends with policies and routes, all grants; Secrets, Services, Namespaces.

    `egctl` translates one GatewayClass, and each Gateway of ours has its own.
    """
    plan = plan_of(values)
    assert plan.envoy_gateway is not None
    assert plan.backends is not None
    gateways = tuple(each for each in plan.envoy_gateway.gateways if each.name == gateway)
    offered = tuple(plan.backends.backends[name] for name in backends_of(settings_of(values), gateway))
    parts = (gateways, plan.backends.grants, offered)
    planned = [_plain(each) for part in parts for each in objects(part) if each.kind not in _NOT_READ]
    namespaces = {namespace for each in planned if (namespace := each["metadata"].get("namespace")) is not None}
    return [
        *planned,
        *(_secret(planned, *each) for each in sorted(_referred_to(planned, "Secret"))),
        *(each for service in sorted(_services(planned)) for each in _service(*service)),
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}} for each in sorted(namespaces)),
    ]


def _plain(planned: KubeObject) -> Object:
    return {
        "apiVersion": planned.api_version,
        "kind": planned.kind,
        "metadata": planned.metadata,
        "spec": json.loads(json.dumps(planned.spec)),
    }


def _references(planned: Iterable[Object]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything with a name in the objects' specs, with the namespace that is meant."""
    for each in planned:
        for found in maps(each["spec"]):
            if each["kind"] != "ReferenceGrant" and "name" in found:
                yield found.get("namespace", each["metadata"].get("namespace", "")), found


def _referred_to(planned: Iterable[Object], kind: str) -> set[tuple[str, str]]:
    """Namespace and name. A SecurityPolicy's Secrets have no `kind`, and stand under keys of their own."""
    found = {(namespace, each["name"]) for namespace, each in _references(planned) if each.get("kind") == kind}
    for each in (each for each in planned if each["kind"] == "SecurityPolicy"):
        for part in maps(each["spec"]):
            held = [*part.get("credentialRefs", ()), *(part[key] for key in ("users", "clientSecret") if key in part)]
            found |= {(each["metadata"]["namespace"], secret["name"]) for secret in held}
    return found


def _services(planned: Iterable[Object]) -> set[tuple[str, str, int]]:
    return {(at, each["name"], each["port"]) for at, each in _references(planned) if each.get("kind") == "Service"}


def _secret(planned: Iterable[Object], namespace: str, name: str) -> Object:
    """A Secret that will do for whatever it is: a certificate for those who listen with it, a password, a key."""
    gateways = [each for each in planned if each["kind"] == "Gateway"]
    listeners = [each for gateway in gateways for each in gateway["spec"]["listeners"] if "hostname" in each]
    hosts = [each["hostname"] for each in listeners if f'"{name}"' in json.dumps(each.get("tls"))]
    certificate, key = certificate_and_key(*(hosts or ["authority.example.com"]))
    held = {
        "tls.crt": certificate,
        "tls.key": key,
        "ca.crt": certificate_and_key("authority.example.com")[0],
        ".htpasswd": _PASSWORD,
        "client-secret": "x",
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in held.items()},
    }


def _service(namespace: str, name: str, port: int) -> list[Object]:
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
            "metadata": {"name": f"{name}-{port}", "namespace": namespace, "labels": labels},
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": ["10.244.0.9"], "conditions": {"ready": True}}],
        },
    ]


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


def maps(value: Any) -> Iterator[dict[str, Any]]:
    """Every map in plain data."""
    if is_map(value):
        yield dict(value)
        for each in value.values():
            yield from maps(each)
    elif is_list(value):
        for each in value:
            yield from maps(each)
