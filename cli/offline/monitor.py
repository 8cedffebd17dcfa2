"""Plays the engine's resource monitor: records what the program registers, refuses what needs a real engine.

As in a real preview, identifiers of custom resources stay unknown and inputs come back as outputs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import engine_pb2, resource_pb2

from cli.offline.records import STACK_TYPE, LogMessage, Recording, Registration, Wire, masked
from cli.offline.urns import alias_urn, urn_of
from cli.offline.wire import plain, with_text, without_internal

_PROVIDER: Final = re.compile(r"pulumi:providers:[^:]+")
_INSTEAD: Final = (
    "the offline preview has nothing to ask: preview with `pulumi preview`, or give the value in the settings"
)


class RefusedError(Exception):
    """The program asked for something that only an engine with its providers can give."""


class _NoMocks(Mocks):
    """The base class wants mocks; every call that would reach them is answered by `RecordingMonitor` itself."""

    def call(self, args: MockCallArgs) -> NoReturn:
        raise RefusedError(args.token)

    def new_resource(self, args: MockResourceArgs) -> NoReturn:
        raise RefusedError(args.typ)


class RecordingMonitor(MockMonitor):
    """Records every registration of one run.

    Args:
        project: the Pulumi project's name.
        stack: the stack's name.
        registered: called with the number of registrations after each of them.
    """

    def __init__(self, *, project: str, stack: str, registered: Callable[[int], None] | None = None) -> None:
        super().__init__(_NoMocks())
        self._project = project
        self._stack = stack
        self._registered = registered
        self._registrations: dict[str, Registration] = {}
        self._wire: dict[str, Wire] = {}
        self._outputs: Mapping[str, Any] = {}
        self._secrets: set[str] = set()
        self.failure: RefusedError | None = None
        """The first thing refused: the SDK wraps what the monitor raises, or reports a consequence of it."""

    def recording(self, messages: tuple[LogMessage, ...]) -> Recording:
        """Everything recorded up to now."""
        secrets = frozenset(self._secrets)
        return Recording(
            project=self._project,
            stack=self._stack,
            registrations=tuple(self._registrations.values()),
            outputs=self._outputs,
            messages=tuple(replace(message, text=masked(message.text, secrets)) for message in messages),
            wire=dict(self._wire),
            secrets=secrets,
        )

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the protocol's name
        """Record one resource and answer as a preview does."""
        urn = urn_of(
            project=self._project,
            stack=self._stack,
            parent=request.parent or None,
            type_=request.type,
            name=request.name,
        )
        self._check(request, urn)
        self._registrations[urn] = self._registration(request, urn)
        if self._registered is not None:
            self._registered(len(self._registrations))
        return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 the protocol's name
        """Record the outputs of a component or of the stack."""
        outputs = plain(request.outputs, self._secrets)
        before = self._registrations[request.urn]
        self._registrations[request.urn] = replace(before, outputs=outputs)
        wire = self._wire[request.urn]
        self._wire[request.urn] = replace(wire, outputs=without_internal(request.outputs))
        if before.is_stack:
            self._outputs = outputs
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> NoReturn:  # noqa: N802 the protocol's name
        """Refuse a provider function."""
        self._refuse(f"the program calls the function `{request.tok}`: {_INSTEAD}")

    def Call(self, request: Any) -> NoReturn:  # noqa: N802 the protocol's name
        """Refuse a method of a resource."""
        self._refuse(f"the program calls the method `{request.tok}`: {_INSTEAD}")

    def ReadResource(self, request: Any) -> NoReturn:  # noqa: N802 the protocol's name
        """Refuse a look-up of something that exists."""
        self._refuse(f"the program reads {request.type} `{request.name}` from outside: {_INSTEAD}")

    def _refuse(self, why: str) -> NoReturn:
        error = RefusedError(why)
        if self.failure is None:
            self.failure = error
        raise error

    def _check(self, request: Any, urn: str) -> None:
        if urn in self._registrations:
            self._refuse(f"two resources have the URN {urn}: give one of them another name")
        if request.remote:
            self._refuse(f"{urn} is a component that a provider expands, so its children are unknown offline")
        if request.transforms:
            self._refuse(f"{urn} has transforms, which only the engine can call")
        package = request.type.partition(":")[0]
        if request.custom and package != "pulumi" and not request.provider:
            # The engine would make a default provider from the surroundings, and then count one resource more.
            self._refuse(f"{urn} has no provider: pass one explicitly, in its options or its parent's")

    def _registration(self, request: Any, urn: str) -> Registration:
        wire = without_internal(request.object)
        if _PROVIDER.fullmatch(request.type) and request.version:
            # The engine adds the version to a provider's own inputs (resource/deploy/source_eval.go).
            wire = with_text(wire, {"version": request.version})
        inputs = plain(wire, self._secrets)
        self._wire[urn] = Wire(inputs=wire, outputs=wire if request.custom else type(wire)())
        dependencies = {key: tuple(sorted(item.urns)) for key, item in request.propertyDependencies.items()}
        timeouts = request.customTimeouts
        return Registration(
            urn=urn,
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent or None,
            provider=request.provider.rpartition("::")[0] or None,
            inputs=inputs,
            outputs=inputs if request.custom else {},
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies={key: dependencies[key] for key in sorted(dependencies) if dependencies[key]},
            protect=request.protect,
            aliases=self._aliases(request),
            ignore_changes=tuple(request.ignoreChanges),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            replace_on_changes=tuple(request.replaceOnChanges),
            delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
            retain_on_delete=request.retainOnDelete,
            deleted_with=request.deletedWith or None,
            import_id=request.importId or None,
            version=request.version or None,
            custom_timeouts={
                action: getattr(timeouts, action)
                for action in ("create", "delete", "update")
                if getattr(timeouts, action)
            },
        )

    def _aliases(self, request: Any) -> tuple[str, ...]:
        specs = (alias_urn(alias, request, project=self._project, stack=self._stack) for alias in request.aliases)
        return (*specs, *request.aliasURNs)


class RecordingEngine:
    """Plays the engine's log."""

    def __init__(self) -> None:
        self._messages: list[LogMessage] = []

    @property
    def messages(self) -> tuple[LogMessage, ...]:
        """What was logged, without debug messages."""
        return tuple(self._messages)

    def Log(self, request: Any, context: Any = None) -> Any:  # noqa: ARG002, N802 the protocol's name and shape
        """Record one message."""
        severities = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}
        if request.severity in severities:
            self._messages.append(LogMessage(severity=severities[request.severity], text=request.message))
        return empty_pb2.Empty()


def stack_urn(project: str, stack: str) -> str:
    """The URN of the stack itself."""
    return urn_of(project=project, stack=stack, parent=None, type_=STACK_TYPE, name=f"{project}-{stack}")
