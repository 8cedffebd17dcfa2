"""What can end a command early, and the exit code that each kind has.

0 clean, 1 settings (also an unknown stack and wrong usage), 2 policy violations, 3 internal.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the shell sees."""

    CLEAN = 0
    SETTINGS = 1
    POLICY = 2
    INTERNAL = 3


class EgressError(Exception):
    """Base of what is shown to the operator without a traceback. `str(error)` is the whole text."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL
    kind: ClassVar[str] = "internal"


class SettingsFileError(EgressError):
    """What was asked for, or a file that describes it, cannot be used: stack, project file, stack file, folder."""

    exit_code = ExitCode.SETTINGS
    kind = "settings"

    def __init__(self, text: str, values: object = None) -> None:
        super().__init__(text)
        self.values = values
        """What the file says where it can be read at all, so that one run also reports what else is wrong."""


class ProgramError(EgressError):
    """The program ended with `pulumi.RunError`: its text is the report on bad settings."""

    exit_code = ExitCode.SETTINGS
    kind = "settings"

    def __init__(self, report: str) -> None:
        super().__init__(report)
        self.report = report


class ProgramDefectError(EgressError):
    """The program did something that no preview can go on from: an exception, a duplicate URN, an invoke."""


class PolicyPackError(EgressError):
    """The policy pack could not judge: it crashed, hung, or answered what cannot be understood."""
