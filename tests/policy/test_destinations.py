"""Every place of every kind, once: what the walk finds, with its path, and what it cannot read."""

from typing import Any

import pytest
import yaml

from policy.destinations import Destinations, destinations_of
from policy.subjects import in_namespace, subjects_of

ROUTES = [f"{protocol}Route" for protocol in ("HTTP", "GRPC", "TLS", "TCP", "UDP")]


def _read(text: str) -> Destinations:
    [subject] = subjects_of(yaml.safe_load(text))
    return destinations_of(subject)


def _said(found: Destinations) -> dict[str, Any]:
    """What was found, as the tests below write it."""
    return {
        "addresses": {
            each.path: (str(each.network), *sorted(each.ports), *(["virtual"] if each.virtual else []))
            for each in found.addresses
        },
        "names": {
            each.path: each.name + (" *" if each.wildcard else "") + (" inside" if each.inside else "")
            for each in found.names
        },
        "ports": sorted((each.path, each.number) for each in found.ports),
        "sockets": {each.path: each.text for each in found.sockets},
        "unreadable": {each.path: each.message for each in found.unreadable},
    }


def _expect(**found: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"addresses": {}, "names": {}, "ports": [], "sockets": {}, "unreadable": {}}
    return nothing | found


CASES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "Backend",
        """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
spec:
  endpoints:
    - {ip: {address: 47.96.10.20, port: 17000}, zone: a}
    - {ip: {address: 47.96.10.21}, hostname: vm.example.com}
    - {ip: {port: 80}}
    - {unix: {path: /run/a.sock}}
    - {zone: b}
    - {srv: {name: x}, ip: null}
""",
        _expect(
            addresses={
                "spec.endpoints[0].ip.address": ("47.96.10.20/32", 17000),
                "spec.endpoints[1].ip.address": ("47.96.10.21/32",),
            },
            names={"spec.endpoints[1].hostname": "vm.example.com"},
            ports=[("spec.endpoints[0].ip.port", 17000), ("spec.endpoints[2].ip.port", 80)],
            sockets={"spec.endpoints[3].unix.path": "/run/a.sock"},
            unreadable={
                "spec.endpoints[1].ip.port": "is missing",
                "spec.endpoints[2].ip.address": "is missing",
                "spec.endpoints[4]": "is none of ip, fqdn or unix",
                "spec.endpoints[5].srv": "is no known kind of endpoint, so nobody can say where it leads",
            },
        ),
    ),
    (
        "Backend by name",
        """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
spec: {type: Endpoints, endpoints: [{fqdn: {hostname: a.example.com, port: 1}}, {fqdn: {}}]}
""",
        _expect(
            names={"spec.endpoints[0].fqdn.hostname": "a.example.com"},
            ports=[("spec.endpoints[0].fqdn.port", 1)],
            unreadable={
                "spec.endpoints[1].fqdn.port": "is missing",
                "spec.endpoints[1].fqdn.hostname": "is missing",
            },
        ),
    ),
    (
        "EnvoyExtensionPolicy",
        """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
spec:
  wasm:
    - {code: {http: {url: "https://wasm.example.com:8443/a.wasm"}}}
    - {code: {image: {url: "registry.example.com:5000/a/b:v1"}}}
    - {code: {image: {url: "team/filter:v1"}}}
""",
        _expect(
            names={
                "spec.wasm[0].code.http.url": "wasm.example.com",
                "spec.wasm[1].code.image.url": "registry.example.com",
                "spec.wasm[2].code.image.url": "docker.io",
            },
            ports=[
                ("spec.wasm[0].code.http.url", 8443),
                ("spec.wasm[1].code.image.url", 5000),
                ("spec.wasm[2].code.image.url", 443),
            ],
        ),
    ),
    (
        "EnvoyProxy",
        """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
spec:
  telemetry:
    accessLog:
      settings:
        - sinks: [{openTelemetry: {host: otel.monitoring.svc, port: 4317}}, {type: File}]
        - sinks: [{openTelemetry: {host: 47.96.10.20, port: 4318}}]
    metrics: {sinks: [{openTelemetry: {host: metrics.example.com, port: 4319}}]}
    tracing: {provider: {host: traces.example.com, port: 4320}}
""",
        _expect(
            addresses={
                "spec.telemetry.accessLog.settings[1].sinks[0].openTelemetry.host": ("47.96.10.20/32", 4318),
            },
            names={
                "spec.telemetry.accessLog.settings[0].sinks[0].openTelemetry.host": "otel.monitoring.svc inside",
                "spec.telemetry.metrics.sinks[0].openTelemetry.host": "metrics.example.com inside",
                "spec.telemetry.tracing.provider.host": "traces.example.com inside",
            },
            ports=[
                ("spec.telemetry.accessLog.settings[0].sinks[0].openTelemetry.port", 4317),
                ("spec.telemetry.accessLog.settings[1].sinks[0].openTelemetry.port", 4318),
                ("spec.telemetry.metrics.sinks[0].openTelemetry.port", 4319),
                ("spec.telemetry.tracing.provider.port", 4320),
            ],
        ),
    ),
    (
        "ServiceEntry",
        """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
spec:
  hosts: ["*.example.com", api.example.org]
  resolution: STATIC
  ports: [{number: 443, name: tls}, {number: 80, targetPort: 8080, name: http}, {name: none}]
  addresses: [240.240.0.1, 47.96.0.0/24]
  endpoints:
    - {address: 47.96.10.20}
    - {address: 47.96.10.21, ports: {tls: 8443, http: 0}}
    - {address: "unix:///run/a.sock"}
    - {network: remote}
    - {labels: {app: a}}
    - {address: b.example.com}
""",
        _expect(
            addresses={
                "spec.addresses[0]": ("240.240.0.1/32", 443, 8080, "virtual"),
                "spec.addresses[1]": ("47.96.0.0/24", 443, 8080, "virtual"),
                "spec.endpoints[0].address": ("47.96.10.20/32", 443, 8080),
                "spec.endpoints[1].address": ("47.96.10.21/32", 8443),
            },
            names={
                "spec.hosts[0]": "example.com *",
                "spec.hosts[1]": "api.example.org",
                "spec.endpoints[5].address": "b.example.com",
            },
            ports=[
                ("spec.endpoints[1].ports.tls", 8443),
                ("spec.ports[0].number", 443),
                ("spec.ports[1].targetPort", 8080),
            ],
            sockets={"spec.endpoints[2].address": "/run/a.sock"},
            unreadable={
                "spec.endpoints[1].ports.http": "0 is no port",
                "spec.endpoints[4].address": "is missing",
                "spec.ports[2].number": "is missing",
            },
        ),
    ),
    (
        "ServiceEntry that keeps the address",
        """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
spec: {hosts: [a.example.com], addresses: [47.96.0.0/24], ports: [{number: 9000, name: tcp}]}
""",
        _expect(
            addresses={"spec.addresses[0]": ("47.96.0.0/24", 9000)},
            names={"spec.hosts[0]": "a.example.com"},
            ports=[("spec.ports[0].number", 9000)],
        ),
    ),
    (
        "WorkloadEntry",
        """
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
spec: {address: 47.96.10.20, ports: {http: 8080, tls: 8443}}
""",
        _expect(
            addresses={"spec.address": ("47.96.10.20/32", 8080, 8443)},
            ports=[("spec.ports.http", 8080), ("spec.ports.tls", 8443)],
        ),
    ),
    (
        "WorkloadGroup",
        """
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
spec: {template: {address: 47.96.10.20, ports: {http: 8080}}}
""",
        _expect(
            addresses={"spec.template.address": ("47.96.10.20/32", 8080)},
            ports=[("spec.template.ports.http", 8080)],
        ),
    ),
    (
        "VirtualService",
        """
apiVersion: networking.istio.io/v1
kind: VirtualService
spec:
  http:
    - route: [{destination: {host: a, port: {number: 1}}}]
      mirror: {host: b, port: {number: 2}}
      mirrors: [{destination: {host: c, port: {number: 3}}}]
  tls: [{route: [{destination: {host: d, port: {number: 4}}}]}]
  tcp: [{route: [{destination: {host: e, port: {number: 5}}}, {destination: {host: f}}]}]
""",
        _expect(
            ports=[
                ("spec.http[0].mirror.port.number", 2),
                ("spec.http[0].mirrors[0].destination.port.number", 3),
                ("spec.http[0].route[0].destination.port.number", 1),
                ("spec.tcp[0].route[0].destination.port.number", 5),
                ("spec.tls[0].route[0].destination.port.number", 4),
            ]
        ),
    ),
    (
        "DestinationRule",
        """
apiVersion: networking.istio.io/v1
kind: DestinationRule
spec:
  trafficPolicy:
    tunnel: {targetHost: a.example.com, targetPort: 1}
    portLevelSettings: [{tunnel: {targetHost: 47.96.10.20, targetPort: 2}}]
  subsets: [{trafficPolicy: {tunnel: {targetHost: c.example.com, targetPort: 3}}}, {name: none}]
""",
        _expect(
            addresses={"spec.trafficPolicy.portLevelSettings[0].tunnel.targetHost": ("47.96.10.20/32", 2)},
            names={
                "spec.trafficPolicy.tunnel.targetHost": "a.example.com",
                "spec.subsets[0].trafficPolicy.tunnel.targetHost": "c.example.com",
            },
            ports=[
                ("spec.subsets[0].trafficPolicy.tunnel.targetPort", 3),
                ("spec.trafficPolicy.portLevelSettings[0].tunnel.targetPort", 2),
                ("spec.trafficPolicy.tunnel.targetPort", 1),
            ],
        ),
    ),
    (
        "Sidecar",
        """
apiVersion: networking.istio.io/v1
kind: Sidecar
spec:
  ingress:
    - {defaultEndpoint: "127.0.0.1:8080"}
    - {defaultEndpoint: "unix:///run/a.sock"}
    - {defaultEndpoint: "unix:/run/b.sock"}
    - {defaultEndpoint: "[::1]:9090"}
    - {defaultEndpoint: "127.0.0.1"}
    - {port: {number: 1}}
  outboundTrafficPolicy: {egressProxy: {host: proxy.egress.svc.cluster.local, port: {number: 3128}}}
""",
        _expect(
            names={"spec.outboundTrafficPolicy.egressProxy.host": "proxy.egress.svc.cluster.local inside"},
            ports=[
                ("spec.ingress[0].defaultEndpoint", 8080),
                ("spec.ingress[3].defaultEndpoint", 9090),
                ("spec.outboundTrafficPolicy.egressProxy.port.number", 3128),
            ],
            sockets={
                "spec.ingress[1].defaultEndpoint": "/run/a.sock",
                "spec.ingress[2].defaultEndpoint": "/run/b.sock",
            },
            unreadable={"spec.ingress[4].defaultEndpoint": "'127.0.0.1' is not an address and a port"},
        ),
    ),
    (
        "WasmPlugin",
        "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, spec: {url: 'oci://registry.example.com/a:v1'}}",
        _expect(names={"spec.url": "registry.example.com"}, ports=[("spec.url", 443)]),
    ),
    (
        "WasmPlugin by URL",
        "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, spec: {url: 'http://47.96.10.20:81/a.wasm'}}",
        _expect(addresses={"spec.url": ("47.96.10.20/32", 81)}, ports=[("spec.url", 81)]),
    ),
    (
        "WasmPlugin in the image",
        "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, spec: {url: 'file:///opt/a.wasm'}}",
        _expect(),
    ),
    (
        "RequestAuthentication",
        """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
spec: {jwtRules: [{jwksUri: "https://a.example.com/k"}, {jwks_uri: "https://b.example.com/k"}]}
""",
        _expect(
            names={"spec.jwtRules[0].jwksUri": "a.example.com", "spec.jwtRules[1].jwks_uri": "b.example.com"},
            ports=[("spec.jwtRules[0].jwksUri", 443), ("spec.jwtRules[1].jwks_uri", 443)],
        ),
    ),
    (
        "Endpoints",
        """
apiVersion: v1
kind: Endpoints
subsets:
  - {addresses: [{ip: 47.96.10.20}], notReadyAddresses: [{ip: 47.96.10.21}], ports: [{port: 80}, {port: 81}]}
  - {addresses: [{hostname: a}]}
""",
        _expect(
            addresses={
                "subsets[0].addresses[0].ip": ("47.96.10.20/32", 80, 81),
                "subsets[0].notReadyAddresses[0].ip": ("47.96.10.21/32", 80, 81),
            },
            ports=[("subsets[0].ports[0].port", 80), ("subsets[0].ports[1].port", 81)],
            unreadable={"subsets[1].addresses[0].ip": "is missing"},
        ),
    ),
    (
        "EndpointSlice",
        """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
ports: [{port: 80}]
endpoints: [{addresses: [47.96.10.20, a.example.com]}, {addresses: []}, {addresses: [null]}]
""",
        _expect(
            addresses={"endpoints[0].addresses[0]": ("47.96.10.20/32", 80)},
            names={"endpoints[0].addresses[1]": "a.example.com"},
            ports=[("ports[0].port", 80)],
            unreadable={
                "endpoints[1].addresses": "names no address",
                "endpoints[2].addresses[0]": "is missing",
            },
        ),
    ),
    (
        "Service",
        "{apiVersion: v1, kind: Service, spec: {type: ExternalName, externalName: a.example.com}}",
        _expect(names={"spec.externalName": "a.example.com"}),
    ),
    (
        "Service without its name",
        "{apiVersion: v1, kind: Service, spec: {type: ExternalName}}",
        _expect(unreadable={"spec.externalName": "is missing"}),
    ),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_everything_is_found_where_it_stands(text: str, expected: dict[str, Any]) -> None:
    """Guards against a place that is passed over, or told at another path."""
    assert _said(_read(text)) == expected


@pytest.mark.parametrize("kind", ROUTES)
def test_hosts_that_routes_take_by_name(kind: str) -> None:
    """Guards against a route whose Hostname reference is not read, or a reference of another kind that is."""
    references = (
        "[{kind: Hostname, group: networking.istio.io, name: a.example.com, port: 443}, {kind: Service, name: b}]"
    )
    mirror = "[{requestMirror: {backendRef: {kind: Hostname, name: c.example.com, port: 80}}}]"
    rules = f"[{{backendRefs: {references}, filters: {mirror}}}, {{backendRefs: [{{kind: Hostname}}]}}]"
    found = _said(_read(f"{{apiVersion: gateway.networking.k8s.io/v1, kind: {kind}, spec: {{rules: {rules}}}}}"))
    assert found["names"] == {
        "spec.rules[0].backendRefs[0].name": "a.example.com",
        "spec.rules[0].filters[0].requestMirror.backendRef.name": "c.example.com",
    }
    assert found["ports"] == [
        ("spec.rules[0].backendRefs[0].port", 443),
        ("spec.rules[0].filters[0].requestMirror.backendRef.port", 80),
    ]
    assert found["unreadable"] == {"spec.rules[1].backendRefs[0].name": "is missing"}


def test_an_object_is_put_where_it_does_not_say_it_is() -> None:
    """Guards against moving an object out of its namespace, and against one that stays nowhere."""
    [homeless] = subjects_of({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"a": "b"}}})
    placed = in_namespace(homeless, "shop")
    assert placed.ref.namespace == "shop"
    assert (placed.ref.kind, placed.ref.name, placed.group, placed.version) == ("Service", "web", "core", "v1")
    assert placed.whole == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"a": "b"}, "namespace": "shop"},
    }
    [bare] = subjects_of({"apiVersion": "v1", "kind": "Service"})
    assert in_namespace(bare, "shop").whole == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop"},
    }
    [empty] = subjects_of({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": ""}})
    assert in_namespace(empty, "shop").ref.namespace == "shop"
    for settled in (
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "other"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": "text"},
        "text",
    ):
        [subject] = subjects_of(settled)
        assert in_namespace(subject, "shop") is subject


def test_items_of_a_typed_list_have_its_type_unless_they_say_their_own() -> None:
    """Guards against an item that no rule judges because its list says what it is."""
    [backend] = subjects_of({"apiVersion": "a.io/v1", "kind": "BackendList", "items": [{"metadata": {"name": "b"}}]})
    assert (backend.group_kind, backend.version, backend.ref.name) == ("a.io/Backend", "v1", "b")
    [other] = subjects_of(
        {"apiVersion": "v1", "kind": "BackendList", "items": [{"apiVersion": "b.io/v2", "kind": "X"}]}
    )
    assert other.group_kind == "b.io/X"
    [untyped] = subjects_of({"apiVersion": "v1", "kind": "List", "items": [{"metadata": {"name": "b"}}]})
    assert (untyped.group, untyped.ref.kind) == ("", "")
    hidden, holder = subjects_of({"apiVersion": "v1", "kind": "Secret", "items": [{"apiVersion": "v1", "kind": "Pod"}]})
    assert (hidden.group_kind, hidden.item, holder.group_kind, holder.item) == (
        "core/Pod",
        "items[0]",
        "core/Secret",
        "",
    )
    [typeless, _] = subjects_of({"apiVersion": "v1", "kind": "Secret", "items": [{"metadata": {"name": "b"}}]})
    assert typeless.ref.kind == "", "an item of no list has no type but its own"
