"""What a user says of a file that does not say it itself: a table of numbers has no rate, unit or lead names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stated:
    """fs_hz: samples per second; unit: of the numbers (mV, uV, nV, V); leads: of the columns, in their order.

    None or empty where nothing was said. Formats that carry these facts use their own.
    """

    fs_hz: float | None = None
    unit: str | None = None
    leads: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        return self != Stated()


NOTHING_STATED = Stated()
