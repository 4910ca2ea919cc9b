"""Beats that come early or look different, and pauses."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ
from worldmodel.measurement import Finding, Rhythm

_MS = FS_HZ / 1000
# Correlation with the usual QRS below which a beat is of another shape, and of another shape beyond doubt.
_OTHER_SHAPE, _ALIEN_SHAPE = 0.8, 0.6
_EARLY = 0.82
_PAUSE_MS = 2000.0


def beat_findings(
    r: NDArray[np.float64], likeness: NDArray[np.float64], length: int, rhythm: Rhythm
) -> list[Finding]:
    """Early beats of another and of the usual shape, with their number; bigeminy; pauses of 2 s and more.

    r: (beat,) in samples at 500 Hz, of a recording of `length` samples; likeness: (beat,) correlation of each
    QRS with the usual one. In fibrillation and flutter every RR may be short, so that only a shape far from the
    usual one counts there; with pacing, which shows fusion beats, nothing but pauses is said.
    """
    rr_ms = np.diff(r) / _MS
    found = []
    if rr_ms.size >= 3 and rhythm.label != "paced":
        irregular = rhythm.label in ("atrial_fibrillation", "atrial_flutter")
        # The ends of the recording cut into a QRS.
        whole = (r > 100 * _MS) & (r < length - 120 * _MS)
        early, before_a_pause = _early(rr_ms)
        other = whole & (likeness < (_ALIEN_SHAPE if irregular else _OTHER_SHAPE))
        ventricular = other & (early | irregular | _between_others(other))
        # What follows an interpolated beat at once is not early itself.
        after_other = np.append(False, ventricular[:-1])
        atrial = early & before_a_pause & ~after_other & (likeness > _OTHER_SHAPE) & (not irregular)
        if ventricular.any():
            text = f"{_count(ventricular)} early and of another shape{_run(ventricular)}."
            found.append(Finding("ventricular_ectopic_beats", 0.5 if irregular else 0.75, text))
        if atrial.any():
            found.append(
                Finding("atrial_ectopic_beats", 0.6, f"{_count(atrial)} early and of the usual shape.")
            )
        if _every_other(ventricular) or _every_other(atrial):
            found.append(Finding("bigeminy", 0.7, "Every other beat is early."))
    if rr_ms.size and rr_ms.max() >= _PAUSE_MS:
        found.append(Finding("pause", 0.9, f"A pause of {rr_ms.max() / 1000:.1f} s."))
    return found


def _early(rr_ms: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(beat,) those after an RR under 0.82 of the longer half of the six around it, and of the one before it; and
    those after an RR under 0.9 of the next one. Breathing shortens RR step by step and makes no pause.
    """
    rr = rr_ms.tolist()
    early, before_a_pause = [False], [False]
    for index, this in enumerate(rr):
        around = sorted(rr[max(0, index - 3) : index] + rr[index + 1 : index + 4])
        usual = around[round(0.6 * (len(around) - 1))]
        following = rr[index + 1] if index + 1 < len(rr) else usual
        before = max(rr[max(0, index - 1)], 0.9 * usual) if index else usual
        early.append(this < _EARLY * min(usual, before))
        before_a_pause.append(this < 0.9 * following)
    return np.array(early), np.array(before_a_pause)


def _between_others(other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Beats of another shape next to one: of a couplet or a run, the second one need not be early."""
    beside = np.zeros_like(other)
    beside[1:] |= other[:-1]
    beside[:-1] |= other[1:]
    return beside


def _count(beats: NDArray[np.bool_]) -> str:
    n = int(beats.sum())
    return f"{n} beat{'s' if n > 1 else ''}"


def _run(beats: NDArray[np.bool_]) -> str:
    """How many of them follow each other, where that is two or more."""
    longest = current = 0
    for beat in beats:
        current = current + 1 if beat else 0
        longest = max(longest, current)
    return f", up to {longest} in a row" if longest > 1 else ""


def _every_other(beats: NDArray[np.bool_]) -> bool:
    """Three times and more in turn with beats that are not."""
    at = np.flatnonzero(beats)
    steps = np.diff(at) == 2
    return bool(any(steps[i] and steps[i + 1] for i in range(steps.size - 1)))
