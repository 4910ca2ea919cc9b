"""Marks lead by lead: of each kind of beat by the marker, of each single beat by laying them on it."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.delineation.beats import wave_shifts
from worldmodel.delineation.filters import FS_HZ
from worldmodel.delineation.found import Found, marker_beats
from worldmodel.delineation.intervals import intervals_between
from worldmodel.delineation.marker import LeadMarks, Marker, mark_beats
from worldmodel.delineation.waves import Waves, in_order, lead_fiducials
from worldmodel.ecg import LEADS
from worldmodel.measurement import FIDUCIALS, Intervals

# How far beyond its marks a wave is compared with the median's, ms.
_AROUND_MS = {"p": 20.0, "t": 60.0}


def mark_kinds(found: Sequence[Found], marker: Marker) -> list[list[LeadMarks]]:
    """For each recording the marks of each of its kinds of beats, all by one call of the marker."""
    if not found:
        return []
    medians = marker_beats(np.concatenate([one.beats.medians for one in found]))
    good = np.concatenate([np.tile(one.quiet, (len(one.beats.medians), 1)) for one in found])
    marks = mark_beats(
        marker,
        torch.from_numpy(medians.astype(np.float32)),
        torch.from_numpy(good.astype(np.float32)),
    )
    rows = iter(range(len(medians)))
    return [[marks.of(next(rows)) for _ in one.beats.medians] for one in found]


def lead_marks_ms(found: Found, marked: Sequence[LeadMarks], waves: Waves, no_p: bool) -> NDArray[np.float64]:
    """(kind, 12, FIDUCIALS) relative to R, NaN where a lead shows no such wave.

    Other kinds than the first have P and T as the marker says; none has a P where the rhythm has none.
    """
    beats, quiet = found.beats, found.quiet
    tables = []
    for number, (median, kind) in enumerate(zip(beats.medians, marked, strict=True)):
        p = (waves.p_on is not None) if number == 0 else not no_p
        t = (waves.t_end is not None) if number == 0 else True
        tables.append(lead_fiducials(median, beats.r_index, kind, quiet, p, t))
    return in_order(np.stack(tables))


def beat_marks_s(found: Found, lead_marks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(beat, 12, FIDUCIALS) in seconds: the marks of each beat's kind laid on it, P and T where this beat has them."""
    beats = found.beats
    marks = lead_marks[beats.kind]
    for wave, around_ms in _AROUND_MS.items():
        columns = [number for number, name in enumerate(FIDUCIALS) if name.startswith(wave)]
        of_wave = lead_marks[0][:, columns]
        if np.isfinite(of_wave).any():
            start = beats.r_index + (np.nanmin(of_wave) - around_ms) * FS_HZ / 1000
            end = beats.r_index + (np.nanmax(of_wave) + around_ms) * FS_HZ / 1000
            shifts = wave_shifts(beats, found.leads, start, min(end, beats.end))
            marks[..., columns] += shifts[:, None, None] * 1000 / FS_HZ
    marks = (marks + beats.r[:, None, None] * 1000 / FS_HZ) / 1000
    marks = in_order(marks)
    marks[(marks < 0) | (marks > found.duration_s)] = np.nan
    return marks


def lead_intervals(
    found: Found, lead_marks: NDArray[np.float64], rr_ms: float | None
) -> dict[str, Intervals]:
    """The intervals of each measured lead, from its own marks on the dominant beat."""
    return {
        LEADS[row]: intervals_between(dict(zip(FIDUCIALS, lead_marks[0][row], strict=True)), rr_ms)
        for row in np.flatnonzero(found.quiet)
    }
