"""Files whose signals have rates of their own: which rate is read."""

from collections.abc import Sequence

from worldmodel.ecg import LEADS


def shared_rate(rates_hz: Sequence[float], leads: Sequence[str]) -> float:
    """The rate at which most standard leads are recorded; of several such, the highest.

    Nothing is resampled: a signal at another rate is left out, and the reader says so.
    """
    standard = [rate for rate, lead in zip(rates_hz, leads, strict=True) if lead in LEADS] or list(rates_hz)
    return max(standard, key=lambda rate: (standard.count(rate), rate))


def left_out(names: Sequence[str], why: str) -> tuple[str, ...]:
    """The warning for signals that are not read; none where there are none."""
    return (f"Left out, {why}: {', '.join(names)}.",) if names else ()
