"""The one way to a preview without the engine: settings, program, policy pack.

The command, the goldens, the policy tests, the bench and the cluster tests all call `preview`.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from cli.errors import EgressError, ProgramError, SettingsFileError
from cli.offline.analyzer import PolicyResult, Violation, analyze
from cli.offline.pack_process import PackProcess
from cli.offline.program import run_program
from cli.offline.project import Project, load_project
from cli.offline.records import LogMessage, Recording, Registration
from cli.offline.stack_file import StackConfig, survey_stack_file

Stage: TypeAlias = Literal["program", "policy"]
_LONGEST_VARIABLE: Final = 131_072
"""Bytes of one environment variable on Linux (execve(2), MAX_ARG_STRLEN), name and final zero included."""
Progress: TypeAlias = Callable[[Stage, int, int | None], None]
"""Called with the stage, how many resources are done in it, and how many there are (None: not known yet)."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Everything that a stack becomes.

    `registrations` begin with the stack itself and stand in the order in which the program registered them. Secrets
    are `records.SECRET`, values known only after an `up` are `records.UNKNOWN`. `policy` is None where no pack was
    asked.
    """

    project: str
    stack: str
    registrations: tuple[Registration, ...]
    outputs: Mapping[str, Any]
    messages: tuple[LogMessage, ...]
    policy: PolicyResult | None

    @property
    def counts(self) -> dict[str, int]:
        """How many resources of each type, without the stack itself; sorted by type."""
        return dict(sorted(Counter(r.type for r in self.registrations if not r.is_stack).items()))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What the pack reports: first on each resource in order, then on the stack."""
        return self.policy.violations if self.policy is not None else ()

    @property
    def blocked(self) -> bool:
        """Whether a violation would stop `pulumi up`."""
        return any(violation.blocking for violation in self.violations)


def preview(
    project_dir: Path,
    stack: str,
    *,
    with_policy: bool = True,
    policy_pack: Path | None = None,
    progress: Progress | None = None,
) -> Preview:
    """Preview one stack: run the program on its settings, and ask the policy pack about every resource.

    Args:
        project_dir: the folder of `Pulumi.yaml`.
        stack: the name of the stack.
        with_policy: whether to ask a pack.
        policy_pack: the folder of the pack; `policy/` in the project by default.
        progress: told how far the work is.

    Raises:
        SettingsFileError: the project, the stack or its file cannot be used.
        ProgramError: the program refuses the settings; the text is its report.
        ProgramDefectError: the program failed, or needs a real engine.
        PolicyPackError: the pack could not judge.
    """
    project = load_project(project_dir)
    if policy_pack is not None:
        project = replace(project, policy_directory=policy_pack.absolute())
    config = survey_stack_file(project, stack)
    if config.refused is not None:
        raise _everything_wrong(project, config, config.refused)
    # The pack takes a second to import its rules; the program runs meanwhile.
    pack = PackProcess(project, config) if with_policy else None
    try:
        recording = run_program(project, config, registered=_program_progress(progress))
        if pack is None:
            return _preview(recording, None, _too_large(config))
        total = len(recording.registrations)
        policy = analyze(pack, project, config, recording, analyzed=_policy_progress(progress, total))
        return _preview(recording, policy, (*pack.messages, *_too_large(config)))
    finally:
        if pack is not None:
            pack.stop()


def _everything_wrong(project: Project, config: StackConfig, refused: SettingsFileError) -> EgressError:
    """What the reader refuses and what the program refuses, in one report."""
    try:
        run_program(project, config)
    except ProgramError as error:
        return ProgramError(f"{refused}\n{error.report}")
    return refused


def _preview(recording: Recording, policy: PolicyResult | None, messages: tuple[LogMessage, ...]) -> Preview:
    return Preview(
        project=recording.project,
        stack=recording.stack,
        registrations=recording.registrations,
        outputs=recording.outputs,
        messages=(*recording.messages, *messages),
        policy=policy,
    )


def _too_large(config: StackConfig) -> tuple[LogMessage, ...]:
    """Tell of settings that fit here, but that the engine cannot hand to a program (tried with 3.259.0)."""
    size = len(f"PULUMI_CONFIG={json.dumps(dict(config.config), ensure_ascii=False)}".encode()) + 1
    if size <= _LONGEST_VARIABLE:
        return ()
    text = (
        f"the settings are {size:,} bytes; `pulumi` passes them in one environment variable, which holds "
        f"{_LONGEST_VARIABLE:,} on Linux, and fails with `argument list too long`; instead: files under `include`"
    )
    return (LogMessage(severity="warning", text=text),)


def _program_progress(progress: Progress | None) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress("program", done, None)


def _policy_progress(progress: Progress | None, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress("policy", done, total)
