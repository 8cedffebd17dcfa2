"""Asks a policy pack about a recorded run, in the engine's order and with the engine's data.

Per run (pulumi pkg, engine/update.go and resource/deploy/step_generator.go): ConfigureStack, GetAnalyzerInfo,
Configure, Analyze for every resource with its inputs, AnalyzeStack once with all resources and their outputs. The
engine asks about a resource while the program runs; here the pack starts meanwhile, and is asked afterwards.

Nothing here passes silently: no answer in time, an error, or a level that is not known is a `PolicyPackError`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2 as protocol
from pulumi.runtime.proto import analyzer_pb2_grpc

from cli.offline.monitor import stack_urn
from cli.offline.pack_process import PackProcess, pack_version
from cli.offline.program import ORGANIZATION
from cli.offline.project import Project
from cli.offline.records import Recording, Registration, Wire, masked
from cli.offline.stack_file import StackConfig

CALL_TIMEOUT_S: Final = 120.0
"""Time for one answer of the pack. A whole stack of 1,000 resources takes seconds."""
_CHANNEL: Final = (
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
)
"""The engine's limits (rpcutil.GrpcChannelOptions), and never a proxy to one's own machine."""
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing that a policy reports.

    `message` is the policy's own text, as the engine shows it; `urn` is the resource, or the stack where a stack
    policy names none. `blocking` violations stop `pulumi up`, the others are advice.
    """

    policy: str
    pack: str
    pack_version: str
    blocking: bool
    severity: str
    message: str
    description: str
    urn: str


@dataclass(frozen=True, kw_only=True)
class PolicyResult:
    """What a pack says about a run: its name, its policies, and every violation in the order of the resources."""

    pack: str
    version: str
    policies: tuple[str, ...]
    violations: tuple[Violation, ...]


def analyze(
    pack: PackProcess,
    project: Project,
    config: StackConfig,
    recording: Recording,
    *,
    analyzed: Callable[[int], None] | None = None,
    call_timeout_s: float = CALL_TIMEOUT_S,
) -> PolicyResult:
    """Ask a started pack about every resource, and about the stack as a whole.

    Args:
        pack: the process; whoever started it stops it.
        project: the project that the pack belongs to.
        config: the stack's configuration.
        recording: the run to judge.
        analyzed: called with the number of resources judged so far.
        call_timeout_s: seconds until a call without an answer counts as hung.

    Raises:
        PolicyPackError: the pack crashed, hung, or answered what cannot be understood.
    """
    with grpc.insecure_channel(pack.address(), options=list(_CHANNEL)) as channel:
        calls = _Calls(pack, analyzer_pb2_grpc.AnalyzerStub(channel), call_timeout_s)
        calls.configure_stack(project, config)
        info = calls.info()
        calls.configure(info)
        version = pack_version(project.policy_directory) or info.version
        judge = _Judge(pack, info, version, recording)
        requests = [_analyze_request(registration, recording) for registration in recording.registrations]
        violations: list[Violation] = []
        for count, (registration, response) in enumerate(
            zip(recording.registrations, calls.analyze(requests), strict=True), start=1
        ):
            violations += judge.violations(response, lambda _, urn=registration.urn: urn)
            if analyzed is not None:
                analyzed(count)
        resources = [_stack_resource(registration, recording) for registration in recording.registrations]
        response = calls.analyze_stack(protocol.AnalyzeStackRequest(resources=resources))
        violations += judge.violations(response, judge.urn_in_stack)
    return PolicyResult(
        pack=info.name,
        version=version,
        policies=tuple(sorted(policy.name for policy in info.policies)),
        violations=tuple(violations),
    )


class _Calls:
    """The protocol's calls, with a deadline each and errors as `PolicyPackError`."""

    def __init__(self, pack: PackProcess, stub: Any, timeout_s: float) -> None:
        self._pack = pack
        self._stub = stub
        self._timeout_s = timeout_s

    def configure_stack(self, project: Project, config: StackConfig) -> None:
        request = protocol.AnalyzerStackConfigureRequest(
            stack=config.stack,
            project=project.name,
            organization=ORGANIZATION,
            dry_run=True,
            config=dict(config.config),
            config_secret_keys=sorted(config.secret_keys),
        )
        self._answer(self._stub.ConfigureStack.future(request, timeout=self._timeout_s), "its configuration")

    def info(self) -> Any:
        call = self._stub.GetAnalyzerInfo.future(empty_pb2.Empty(), timeout=self._timeout_s)
        info = self._answer(call, "what it is")
        if not info.policies:
            raise self._pack.error("has no policies")
        if any(policy.enforcementLevel == protocol.REMEDIATE for policy in info.policies):
            # A remedy changes a resource before the program sees it; offline the program has ended by then.
            raise self._pack.error("wants to change resources (enforcement level `remediate`): only the engine can")
        return info

    def configure(self, info: Any) -> None:
        """Give every policy its level and the pack's own initial settings, as the engine does by default."""
        settings: dict[str, Any] = {}
        for policy in info.policies:
            given = info.initialConfig.get(policy.name)
            settings[policy.name] = protocol.PolicyConfig(
                enforcementLevel=policy.enforcementLevel if given is None else given.enforcementLevel,
                properties=None if given is None else given.properties,
            )
        call = self._stub.Configure.future(
            protocol.ConfigureAnalyzerRequest(policyConfig=settings), timeout=self._timeout_s
        )
        self._answer(call, "its settings")

    def analyze(self, requests: Iterable[Any]) -> Iterable[Any]:
        """The answers in the order of the requests, which are all sent at once."""
        calls = [(request, self._stub.Analyze.future(request, timeout=self._timeout_s)) for request in requests]
        for request, call in calls:
            yield self._answer(call, request.urn)

    def analyze_stack(self, request: Any) -> Any:
        return self._answer(self._stub.AnalyzeStack.future(request, timeout=self._timeout_s), "the whole stack")

    def _answer(self, call: Any, about: str) -> Any:
        try:
            return call.result()
        except grpc.RpcError as error:
            status: Any = error
            if status.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self._pack.error(f"gave no answer within {self._timeout_s:g} s on {about}") from error
            raise self._pack.error(f"failed on {about}: {status.details()}") from error


class _Judge:
    """Turns the pack's diagnostics into violations."""

    def __init__(self, pack: PackProcess, info: Any, version: str, recording: Recording) -> None:
        self._pack = pack
        self._version = version
        self._severity = {policy.name: policy.severity for policy in info.policies}
        self._secrets = recording.secrets
        self._urns = {registration.urn for registration in recording.registrations}
        self._stack = stack_urn(recording.project, recording.stack)

    def urn_in_stack(self, urn: str) -> str:
        """Stack policies may name a resource; anything else is put down to the stack."""
        return urn if urn in self._urns else self._stack

    def violations(self, response: Any, urn: Callable[[str], str]) -> list[Violation]:
        return [self._violation(diagnostic, urn(diagnostic.urn)) for diagnostic in response.diagnostics]

    def _violation(self, diagnostic: Any, urn: str) -> Violation:
        level = diagnostic.enforcementLevel
        if level not in {protocol.ADVISORY, protocol.MANDATORY, protocol.REMEDIATE}:
            raise self._pack.error(f"answered with an unknown enforcement level ({level}) on {urn}")
        severity = diagnostic.severity or self._severity.get(diagnostic.policyName, 0)
        name = protocol.PolicySeverity.Name(severity).removeprefix("POLICY_SEVERITY_").lower()
        return Violation(
            policy=diagnostic.policyName,
            pack=diagnostic.policyPackName,
            pack_version=self._version,
            blocking=level != protocol.ADVISORY,
            severity="" if name == "unspecified" else name,
            message=masked(diagnostic.message, self._secrets),
            description=diagnostic.description,
            urn=urn,
        )


def _analyze_request(registration: Registration, recording: Recording) -> Any:
    return protocol.AnalyzeRequest(
        urn=registration.urn,
        type=registration.type,
        name=registration.name,
        properties=recording.wire[registration.urn].inputs,
        options=_options(registration),
        provider=_provider(registration, recording),
    )


def _stack_resource(registration: Registration, recording: Recording) -> Any:
    return protocol.AnalyzerResource(
        urn=registration.urn,
        type=registration.type,
        name=registration.name,
        properties=recording.wire[registration.urn].outputs,
        options=_options(registration),
        provider=_provider(registration, recording),
        parent=registration.parent or "",
        dependencies=registration.dependencies,
        propertyDependencies={
            key: protocol.AnalyzerPropertyDependencies(urns=urns)
            for key, urns in registration.property_dependencies.items()
        },
    )


def _options(registration: Registration) -> Any:
    """The options without aliases: in a first preview the engine gives a pack none either (tried with 3.259.0)."""
    timeouts = registration.custom_timeouts
    return protocol.AnalyzerResourceOptions(
        protect=registration.protect,
        ignoreChanges=registration.ignore_changes,
        deleteBeforeReplace=registration.delete_before_replace or False,
        deleteBeforeReplaceDefined=registration.delete_before_replace is not None,
        additionalSecretOutputs=registration.additional_secret_outputs,
        customTimeouts=protocol.AnalyzerResourceOptions.CustomTimeouts(
            create=_seconds(timeouts, "create"),
            update=_seconds(timeouts, "update"),
            delete=_seconds(timeouts, "delete"),
        ),
        parent=registration.parent or "",
    )


def _provider(registration: Registration, recording: Recording) -> Any:
    if registration.provider is None:
        return None
    provider = next((r for r in recording.registrations if r.urn == registration.provider), None)
    if provider is None:
        return None
    wire: Wire = recording.wire[provider.urn]
    return protocol.AnalyzerProviderResource(
        urn=provider.urn, type=provider.type, name=provider.name, properties=wire.inputs
    )


def _seconds(timeouts: Mapping[str, str], action: str) -> float:
    """A Go duration (`1h30m`) in seconds; 0 for none."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(timeouts.get(action, "")))
