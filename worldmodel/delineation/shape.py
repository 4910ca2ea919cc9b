"""The form of the median beat and what changes from beat to beat."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.axes import axes_deg
from worldmodel.delineation.filters import smooth
from worldmodel.delineation.order import median
from worldmodel.measurement import FIDUCIALS, MedianBeat, Shape, Variability

_QRS_ON, _T_END = (FIDUCIALS.index(name) for name in ("qrs_on", "t_end"))


def shape_of(beat: MedianBeat) -> Shape:
    """Axes, and height and form of the T wave.

    Flatness is the inverse kurtosis of the T wave on the magnitude of all leads, as if it were a distribution
    over time: 1/3 for a Gaussian, 5/12 for a triangle, 5/9 for a plateau. Asymmetry is the mean distance between
    the falling flank and the mirror image of the rising one, in T heights. (Both ask what the
    scores of that name in the FDA's trials ask, but they are not those scores.)
    """
    p_axis, qrs_axis, t_axis = axes_deg(beat)
    flatness, asymmetry = _t_form(beat)
    return Shape(
        p_axis_deg=_rounded(p_axis, 1),
        qrs_axis_deg=_rounded(qrs_axis, 1),
        t_axis_deg=_rounded(t_axis, 1),
        t_amplitude_mv=_rounded(_t_amplitude_mv(beat), 4),
        t_flatness=_rounded(flatness, 3),
        t_asymmetry=_rounded(asymmetry, 3),
    )


def variability_of(
    r_s: NDArray[np.float64], usual: NDArray[np.bool_], beat_marks_s: NDArray[np.float64]
) -> Variability:
    """Of successive usual beats. r_s, usual: (beat,); beat_marks_s: (beat, 12, FIDUCIALS)."""
    pairs = usual[1:] & usual[:-1]
    rr_ms = 1000 * np.diff(r_s)[pairs]
    successive = 1000 * np.diff(np.diff(r_s))[pairs[1:] & pairs[:-1]]
    qt_ms = 1000 * (beat_marks_s[..., _T_END] - beat_marks_s[..., _QRS_ON])[usual]
    qt_ms = qt_ms[np.isfinite(qt_ms).any(axis=1)]  # beats that the recording cuts have none
    qt_ms = qt_ms[:, np.isfinite(qt_ms).all(axis=0)]
    beats = median(qt_ms) if qt_ms.size else np.zeros(0)
    return Variability(
        rr_sd_ms=_rounded(float(rr_ms.std(ddof=1)), 2) if rr_ms.size > 1 else None,
        rmssd_ms=_rounded(float(np.sqrt((successive**2).mean())), 2) if successive.size > 1 else None,
        qt_sd_ms=_rounded(float(beats.std(ddof=1)), 2) if beats.size > 1 else None,
    )


def _column(beat: MedianBeat, at_ms: float) -> int:
    return int(np.clip(beat.r_index + round(at_ms * beat.fs_hz / 1000), 0, beat.samples_mv.shape[1] - 1))


def _t_amplitude_mv(beat: MedianBeat) -> float | None:
    """Height at the T peak above the level before the QRS, in the lead where it is largest."""
    if beat.t_peak_ms is None or beat.qrs_on_ms is None:
        return None
    peak, start = _column(beat, beat.t_peak_ms), max(0, _column(beat, beat.qrs_on_ms) - 2)
    height = np.abs(beat.samples_mv[:, peak] - beat.samples_mv[:, start])
    return float(np.nanmax(height)) if np.isfinite(height).any() else None


def _t_form(beat: MedianBeat) -> tuple[float | None, float | None]:
    """Flatness and asymmetry of T on the magnitude of the good leads."""
    if beat.t_peak_ms is None or beat.t_end_ms is None or beat.qrs_off_ms is None:
        return None, None
    good = beat.samples_mv[np.isfinite(beat.samples_mv).all(axis=1)]
    first, peak, end = (_column(beat, at) for at in (beat.qrs_off_ms, beat.t_peak_ms, beat.t_end_ms))
    if not len(good) or peak - first < 10 or end - peak < 10:
        return None, None
    low = smooth(good - good[:, [end]], 6.0, beat.fs_hz)
    size = np.sqrt((low**2).mean(axis=0))
    start = first + int(np.argmin(size[first:peak]))
    wave = np.maximum(size[start : end + 1] - np.linspace(size[start], size[end], end + 1 - start), 0.0)
    height = float(wave.max())
    if height <= 0 or np.count_nonzero(wave) < 5:
        return None, None
    time = np.arange(wave.size)
    mean = (time * wave).sum() / wave.sum()
    second, fourth = (((time - mean) ** power * wave).sum() / wave.sum() for power in (2, 4))
    top = peak - start
    longer = max(top, wave.size - 1 - top)
    rising = np.pad(wave[: top + 1][::-1], (0, longer - top))
    falling = np.pad(wave[top:], (0, longer - (wave.size - 1 - top)))
    return float(second**2 / fourth), float(np.abs(rising - falling).mean() / height)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
