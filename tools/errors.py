"""Errors of the tools. Each message tells the user what is wrong and what to do about it."""


class ToolError(Exception):
    """Base of the errors a user can cause or mend. `hint` says what to do; the command line prints both."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class MissingInputError(ToolError):
    """The job needs an input that was not given, such as the pre-dose ECG."""


class UsageError(ToolError):
    """What was asked for is not there, such as a format or a preset, or options do not go together."""


class OutputError(ToolError):
    """A result file cannot be written."""


class SafetyRefusal(ToolError):  # noqa: N818  a refusal is an answer, not a fault
    """A rule of the knowledge base forbids the action; nothing was simulated."""
