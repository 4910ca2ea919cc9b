"""Errors of the world model. Each message tells the user what is wrong and what to do about it."""


class WorldModelError(Exception):
    """Base of the errors a user can cause or mend. `hint` says what to do; the command line prints both."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RequestError(WorldModelError):
    """What is asked for cannot be: no samples, hours before the dose, a device or a preset that is not there."""


class EcgFileError(WorldModelError):
    """A recording cannot be read: missing, damaged, or of no known format."""


class NotSimulatableError(WorldModelError):
    """The pre-dose ECG lacks what a simulation needs, such as a measurable beat."""


class WeightsError(WorldModelError):
    """The weights are missing, damaged, or of another layout than this version of the program reads."""


class DataSetError(WorldModelError):
    """A data set is not there, or its table is of another layout."""
