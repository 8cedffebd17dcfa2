"""The adapter to the engine: the real pack process over the Analyzer protocol, and what it makes of properties."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_OBJECT_VALUE, UNKNOWN_STRING_VALUE, unknown_checking_proxy
from stack_environments import APPROVALS, environment_of

from policy.pack import policies_for, subjects_of_registered
from policy.rule import UNKNOWN, Registration
from policy.stack import context_of_environment

ROOT = Path(__file__).parents[2]
BACKEND = "kubernetes:gateway.envoyproxy.io/v1alpha1:Backend"
NAMESPACE_PATCH = "kubernetes:core/v1:NamespacePatch"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


@contextmanager
def _pack(environment: Mapping[str, str], checkout: Path = ROOT) -> Generator[Any]:
    """The pack as the engine runs it: a process in policy/, spoken to over gRPC."""
    process = subprocess.Popen(
        [sys.executable, "-u", str(checkout / "policy" / "__main__.py")],
        cwd=checkout / "policy",
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The pack in a stack of this project that has everything: a checkout in which the stack is approved."""
    checkout = tmp_path_factory.mktemp("checkout")
    for package in ("components", "policy"):
        shutil.copytree(ROOT / package, checkout / package, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "policy" / "approvals" / "tested.yaml").write_text(APPROVALS, encoding="utf-8")
    with _pack(environment_of(), checkout) as stub:
        yield stub


def _properties(props: Mapping[str, Any]) -> struct_pb2.Struct:
    properties = struct_pb2.Struct()
    properties.update(props)
    return properties


def _backend(name: str, **spec: object) -> dict[str, Any]:
    declaration = json.dumps({name: {"owner": "team-a", "ticket": "FW-1", "expires": "2029-12-31"}})
    metadata = {"name": name, "namespace": "apps", "annotations": {"cluster-egress/declaration": declaration}}
    return {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "Backend", "metadata": metadata, "spec": spec}


def _ip(address: object) -> list[object]:
    return [{"ip": {"address": address, "port": 17000}}]


def _analyze(stub: Any, resource_type: str, props: Mapping[str, object]) -> list[tuple[int, str]]:
    request = analyzer_pb2.AnalyzeRequest(
        type=resource_type, urn=f"urn:pulumi:dev::p::{resource_type}::x", name="x", properties=_properties(props)
    )
    return [(d.enforcementLevel, _message(d.message)) for d in stub.Analyze(request).diagnostics]


def _analyze_stack(stub: Any, *resources: tuple[str, Mapping[str, object]]) -> list[tuple[int, str]]:
    request = analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                type=resource_type, urn=f"urn:pulumi:dev::p::{resource_type}::{n}", properties=_properties(props)
            )
            for n, (resource_type, props) in enumerate(resources)
        ]
    )
    return [(d.enforcementLevel, _message(d.message)) for d in stub.AnalyzeStack(request).diagnostics]


def _message(text: str) -> str:
    """The message without the description of the policy, which the SDK puts on a line before it."""
    description, _, message = text.partition("\n")
    assert description in DESCRIPTIONS
    return message


DESCRIPTIONS = ["unsafe object", "unsafe stack", "questionable object", "questionable stack"]
MANDATORY, ADVISORY = analyzer_pb2.MANDATORY, analyzer_pb2.ADVISORY


def test_a_good_object_passes(pack: Any) -> None:
    """Guards against a pack that denies everything, so that the tests below would show nothing."""
    assert _analyze(pack, BACKEND, _backend("n9e", endpoints=_ip("47.96.10.20"))) == []
    assert _analyze(pack, "random:index/randomId:RandomId", {"byteLength": 8}) == []


def test_a_bad_object_is_blocked_with_the_whole_message(pack: Any) -> None:
    """Guards against a violation that reaches the operator as advice, or without its id and remedy."""
    assert _analyze(pack, BACKEND, _backend("evil", endpoints=_ip("127.0.0.1"))) == [
        (
            MANDATORY,
            "EGR101 loopback-address: Backend apps/evil: spec.endpoints[0].ip.address: 127.0.0.1 is loopback. "
            "Instead: give the address of the outside service itself.",
        )
    ]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"endpoints": _ip(UNKNOWN_STRING_VALUE)}, "spec.endpoints[0].ip.address"),
        ({"endpoints": UNKNOWN_OBJECT_VALUE}, "spec.endpoints"),
    ],
)
def test_an_unknown_value_blocks_and_is_no_advice(pack: Any, spec: dict[str, object], path: str) -> None:
    """Guards against the SDK, which turns a rule that meets an unknown value into an advisory diagnostic."""
    [(level, message)] = _analyze(pack, BACKEND, _backend("n9e", **spec))
    assert level == MANDATORY
    assert message.startswith(f"EGR100 unreadable-destination: Backend apps/n9e: {path}: is not known before")


def test_an_unknown_value_that_no_rule_judges_passes(pack: Any) -> None:
    """Guards against a pack that no real preview could pass, where ids are unknown."""
    good = _backend("n9e", endpoints=_ip("47.96.10.20"))
    good["metadata"]["uid"] = UNKNOWN_STRING_VALUE
    assert _analyze(pack, BACKEND, good) == []


def test_secret_values_are_judged_and_approvals_hold(pack: Any) -> None:
    """Guards against a secret that hides an address, and against approvals that never reach the rules."""
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "127.0.0.1"}
    [(_, message)] = _analyze(pack, BACKEND, _backend("n9e", endpoints=_ip(secret)))
    assert message.startswith("EGR101")
    names = [{"fqdn": {"hostname": "legacy.example.com", "port": 443}}]
    skip = {"endpoints": names, "tls": {"insecureSkipVerify": True}}
    assert _analyze(pack, BACKEND, _backend("legacy", **skip)) == []
    assert _analyze(pack, BACKEND, _backend("proxy", type="DynamicResolver")) == []
    assert len(_analyze(pack, BACKEND, _backend("other", **skip))) == 1


def test_declarations_are_required_in_this_projects_stacks(pack: Any) -> None:
    """Guards against a way out that nobody answers for."""
    backend = _backend("n9e", endpoints=_ip("47.96.10.20"))
    del backend["metadata"]["annotations"]
    [(level, message)] = _analyze(pack, BACKEND, backend)
    assert (level, message[:6]) == (MANDATORY, "EGR401")


def test_the_stack_as_a_whole(pack: Any) -> None:
    """Guards against a client namespace without lock-down, and against an exception that nobody uses any more."""
    namespace = {"apiVersion": "v1", "kind": "Namespace"}
    client = {"cluster-egress/role": "client", "istio-injection": "enabled"}
    news = namespace | {"metadata": {"name": "news", "labels": client}}
    shop = namespace | {"metadata": {"name": "shop", "labels": client}}
    lockdown: dict[str, Any] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "lockdown", "namespace": "news"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}]}]},
    }
    found = _analyze_stack(pack, (NAMESPACE_PATCH, news), (NAMESPACE_PATCH, shop), (NETWORK_POLICY, lockdown))
    assert [(level, message.split(":")[0], message.split(":")[1]) for level, message in found] == [
        (MANDATORY, "EGR301 client-namespace-open", " Namespace shop"),
        (ADVISORY, "EGR004 unused-exception", " Backend apps/legacy"),
    ]


NAT_GATEWAY = "alicloud:vpc/natGateway:NatGateway"


def test_protection_of_cloud_resources_reaches_the_rules(pack: Any) -> None:
    """Guards against an option of a resource that the engine tells and no rule hears of."""
    for protect in (True, False):
        request = analyzer_pb2.AnalyzeRequest(
            type=NAT_GATEWAY,
            urn=f"urn:pulumi:dev::p::{NAT_GATEWAY}::nat",
            properties=_properties({"deletionProtection": True, "vpcId": UNKNOWN_STRING_VALUE}),
            options=analyzer_pb2.AnalyzerResourceOptions(protect=protect),
        )
        messages = [_message(each.message).split(":")[0] for each in pack.Analyze(request).diagnostics]
        assert messages == ([] if protect else ["EGR750 address-unprotected"])


def test_ids_that_are_not_known_are_followed_through_the_stack(pack: Any) -> None:
    """Guards against a preview in which nobody sees that an SNAT entry lets out the workers."""

    def resource(token: str, name: str, properties: dict[str, object], **leads_to: str) -> Any:
        return analyzer_pb2.AnalyzerResource(
            urn=name,
            type=f"alicloud:{token}",
            properties=_properties(properties),
            propertyDependencies={
                key: analyzer_pb2.AnalyzerPropertyDependencies(urns=[urn]) for key, urn in leads_to.items()
            },
        )

    def violations(vswitch: str) -> list[str]:
        resources = [
            resource("vpc/switch:Switch", "nodes", {"cidrBlock": "172.16.8.0/24", "zoneId": "h"}),
            resource("vpc/switch:Switch", "workers", {"cidrBlock": "172.16.9.0/24", "zoneId": "i"}),
            resource("cs/nodePool:NodePool", "pool", {"vswitchIds": [UNKNOWN_STRING_VALUE]}, vswitchIds="nodes"),
            resource("vpc/natGateway:NatGateway", "nat", {}),
            # The engine leaves out what is not known at the top.
            resource("vpc/snatEntry:SnatEntry", "snat", {"id": ""}, snatTableId="nat", sourceVswitchId=vswitch),
        ]
        diagnostics = pack.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources)).diagnostics
        return [f"{each.urn} {_message(each.message)}" for each in diagnostics if "EGR716" in each.message]

    assert violations("nodes") == []
    [message] = violations("workers")
    assert message.startswith("snat EGR716 snat-beyond-egress: SnatEntry snat: sourceVswitchId: lets out a vSwitch")


def test_the_settings_name_client_namespaces_too(pack: Any) -> None:
    """Guards against a namespace whose label was forgotten, so that nothing shuts it."""
    messages = [message for _, message in _analyze_stack(pack)]
    assert any(message.startswith("EGR301 client-namespace-open: Namespace news") for message in messages)


def test_missing_approvals_block_the_stack_without_a_crash() -> None:
    """Guards against a stack that nobody approved, and against a pack that dies with a traceback instead."""
    with _pack(environment_of()) as stub:
        found = _analyze_stack(stub)
    assert (MANDATORY, "EGR002") in [(level, message[:6]) for level, message in found]


def test_few_engine_policies_and_advice_only_where_something_warns() -> None:
    """Guards against decoding each object once per rule."""
    policies = policies_for(context_of_environment({}))
    assert [policy.name for policy in policies] == ["objects-block", "stack-block", "objects-warn", "stack-warn"]
    assert [policy.description for policy in policies] == DESCRIPTIONS


def test_the_engine_shows_each_message_behind_a_short_description(pack: Any) -> None:
    """Guards against noise before what a reader of `pulumi preview` has to know."""
    properties = _properties(_backend("evil", endpoints=_ip("127.0.0.1")))
    [diagnostic] = pack.Analyze(analyzer_pb2.AnalyzeRequest(type=BACKEND, properties=properties)).diagnostics
    assert diagnostic.message.startswith("unsafe object\nEGR101 loopback-address: Backend apps/evil: ")
    [*_, diagnostic] = pack.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest()).diagnostics
    assert diagnostic.message.startswith("questionable stack\nEGR004 unused-exception: ")


def _read(resource_type: str, props: dict[str, Any]) -> list[tuple[str, str]]:
    proxy = unknown_checking_proxy(props)
    return [(s.group_kind, s.ref.name) for s in subjects_of_registered(resource_type, proxy, Registration(urn="urn"))]


def test_the_type_of_a_resource_counts_where_its_properties_lie_or_are_silent() -> None:
    """Guards against a Backend that calls itself something else, so that no rule is chosen for it."""
    named = {"metadata": {"name": "x"}}
    backend, config_map = ("gateway.envoyproxy.io/Backend", "x"), ("core/ConfigMap", "x")
    assert _read(BACKEND, named) == [backend]
    assert _read(BACKEND, named | {"kind": UNKNOWN_STRING_VALUE, "apiVersion": "v1"}) == [backend]
    assert _read(BACKEND, named | {"kind": "ConfigMap", "apiVersion": "v1"}) == [config_map, backend]
    assert _read(BACKEND, named | {"kind": "List", "apiVersion": "v1", "items": []}) == [backend]
    inner = {"apiVersion": "gateway.envoyproxy.io/v1", "kind": "Backend", "metadata": {"name": "inner"}}
    hidden = named | {"kind": "List", "apiVersion": "v1", "items": [inner]}
    assert _read(BACKEND, hidden) == [("gateway.envoyproxy.io/Backend", "inner"), backend]
    assert _read(NAMESPACE_PATCH, named) == [("core/Namespace", "x")]
    assert _read("kubernetes:core/v1:List", hidden) == [("gateway.envoyproxy.io/Backend", "inner")]
    assert _read("pulumi:providers:kubernetes", named) == []


def test_properties_become_plain_data() -> None:
    """Guards against proxies that raise inside a rule, and against 80.0 where a port is meant."""
    props = {"spec": {"a": [{"port": 80.0}, UNKNOWN_STRING_VALUE], "b": None, "c": 1.5}}
    [subject] = subjects_of_registered(BACKEND, unknown_checking_proxy(props), Registration(urn="urn"))
    assert subject.whole == {"spec": {"a": [{"port": 80}, UNKNOWN], "b": None, "c": 1.5}}
