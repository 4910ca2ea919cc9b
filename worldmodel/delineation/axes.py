"""Electrical axes in the frontal plane."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ
from worldmodel.ecg import LEADS
from worldmodel.measurement import MedianBeat

_I, _AVF = LEADS.index("I"), LEADS.index("aVF")
# Net areas under this, in mV times seconds, are what noise and a sloping baseline leave: no direction is theirs.
_LEAST_MV_S = 0.0003


def frontal_axis_deg(wave_mv: NDArray[np.float64]) -> float | None:
    """Axis of a wave (12, time) in mV at 500 Hz from its net areas in I and aVF, in -180..180 degrees.

    aVF is weighed by 2/sqrt(3), as its electrodes see the frontal plane at that scale (Goldberger 1942).
    None where a lead is missing, or where the areas cancel and no direction is left.
    """
    lead_i, avf = (float(wave_mv[row].sum()) / FS_HZ for row in (_I, _AVF))
    down = avf * 2 / np.sqrt(3)
    if not np.isfinite(lead_i + down) or np.hypot(lead_i, down) < _LEAST_MV_S:
        return None
    return float(np.degrees(np.arctan2(down, lead_i)))


def wave_mv(
    beat: MedianBeat, start_ms: float | None, end_ms: float | None, chord: bool = False
) -> NDArray[np.float64] | None:
    """(12, time) of the beat between two moments relative to R, above its level at the first.

    chord: above the straight line between both, for waves that stand on a slope, as P does. None where a
    moment is unknown, outside the beat, or less than 16 ms of it is left.
    """
    if start_ms is None or end_ms is None:
        return None
    first = beat.r_index + round(start_ms * beat.fs_hz / 1000)
    last = beat.r_index + round(end_ms * beat.fs_hz / 1000)
    if first < 1 or last - first < 8 or last >= beat.samples_mv.shape[1]:
        return None
    part = beat.samples_mv[:, first : last + 1]
    if not chord:
        return np.asarray(part - part[:, :1])
    line = np.linspace(0.0, 1.0, part.shape[1])
    return np.asarray(part - part[:, :1] - (part[:, -1:] - part[:, :1]) * line)


def qrs_of(beat: MedianBeat) -> NDArray[np.float64] | None:
    """(12, time) of the QRS above the level before it."""
    return wave_mv(beat, beat.qrs_on_ms, beat.qrs_off_ms)


def t_of(beat: MedianBeat) -> NDArray[np.float64] | None:
    """(12, time) from the end of QRS to that of T, above the level before the QRS."""
    until_t_end, qrs = wave_mv(beat, beat.qrs_on_ms, beat.t_end_ms), qrs_of(beat)
    return None if until_t_end is None or qrs is None else until_t_end[:, qrs.shape[1] :]


def axes_deg(beat: MedianBeat) -> tuple[float | None, float | None, float | None]:
    """Axes of P, QRS and T, each None where the wave, I or aVF is missing; T above the level before the QRS."""
    p = wave_mv(beat, beat.p_on_ms, beat.p_off_ms, chord=True)
    waves = (p, qrs_of(beat), t_of(beat))
    p_axis, qrs_axis, t_axis = (None if wave is None else frontal_axis_deg(wave) for wave in waves)
    return p_axis, qrs_axis, t_axis
