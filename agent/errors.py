"""Errors of the conversation. Each message tells the user what is wrong and what to do about it."""


class AgentError(Exception):
    """Base of the errors a user can cause or mend. `hint` says what to do; the command line prints both."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(AgentError):
    """A setting is missing or makes no sense."""


class ProviderError(AgentError):
    """The chat model could not be reached, refused, or answered with nothing usable."""


class ApprovalPending(AgentError):  # noqa: N818  waiting is a state, not a fault
    """The thread waits for a person's approval."""


class ThreadError(AgentError):
    """A thread is unknown, or the store of the threads cannot be read."""
