"""Virtual ECGs from timing, rhythm and waves: the truth of the trial, independent of the prior's equations."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.beat import BeatTiming
from worldmodel.preprocessing import FS_HZ
from worldmodel.virtual.rhythms import EARLY, ECTOPIC, LONE_P, STEP_S, USUAL, Strip, plain_strip
from worldmodel.virtual.waves import QRS, ST, P, T, Waves, place_waves, spike

SPAN_MS = (-600.0, 1100.0)  # of a beat around R
QRS_SPAN_MS = (-240.0, 264.0)
LENGTH = round((SPAN_MS[1] - SPAN_MS[0]) / 1000 * FS_HZ)
PHASES = round(1.0 / (FS_HZ * STEP_S))  # places that an R peak can have between two samples


def render(timing: BeatTiming, waves: Waves, t_gain: Tensor, r_times_s: Tensor, times_s: Tensor) -> Tensor:
    """Noise-free ECG in mV, (batch, 8, time), of usual beats only, at r_times_s (batch, beats).

    times_s must be steps of 1 / FS_HZ from 0.
    """
    return lay_events(plain_strip(r_times_s), {USUAL: (timing, waves)}, t_gain, times_s.shape[0])


def lay_events(
    strip: Strip, beats: Mapping[int, tuple[BeatTiming, Waves]], t_gain: Tensor, samples: int
) -> Tensor:
    """Noise-free ECG in mV, (batch, 8, samples): each event of the strip as the beat of its kind.

    beats: timing and waves of kind USUAL, and of ECTOPIC where there are such; the others follow from USUAL.
    t_gain: (batch,) factor on T waves. A beat is drawn once for each patient and kind, on the steps on which
    events can fall, and added where it belongs.
    """
    start = (strip.event_s.nan_to_num(posinf=1e5) / STEP_S).round().long() + round(SPAN_MS[0] / 1000 / STEP_S)
    # The first sample in a beat's reach, and the step of the drawn beat that falls on it.
    first = -torch.div(-start, PHASES, rounding_mode="floor")
    row, column = ((first > -LENGTH) & (first < samples)).nonzero().unbind(1)
    phase, first = (first * PHASES - start)[row, column], first[row, column]
    kind = strip.event_kind[column]
    ecg = np.zeros((strip.event_s.shape[0], samples, 8), dtype=np.float32)
    for which in (USUAL, EARLY, ECTOPIC, LONE_P):
        chosen = kind == which
        if not bool(chosen.any()):
            continue
        here = torch.zeros(len(ecg), dtype=torch.bool)
        here[row[chosen]] = True
        patients, slot = here.nonzero()[:, 0], (here.cumsum(0) - 1)[row[chosen]]
        drawn = _drawn(which, beats, patients, t_gain)
        where = torch.stack([row[chosen], first[chosen], phase[chosen], slot], dim=1)
        for patient, at, fine, template in where.tolist():
            begin, end = max(0, at), min(samples, at + LENGTH)
            ecg[patient, begin:end] += drawn[fine, template, begin - at : end - at]
    return torch.from_numpy(ecg).transpose(1, 2)


def _drawn(
    which: int, beats: Mapping[int, tuple[BeatTiming, Waves]], patients: Tensor, t_gain: Tensor
) -> NDArray[np.float32]:
    """The beats of a kind of some patients at every phase: (phase, patient, LENGTH, 8).

    Only QRS needs the fine step everywhere; what is as slow as P, ST and T is straight between two samples.
    """
    timing, waves = beats[ECTOPIC if which == ECTOPIC else USUAL]
    timing = BeatTiming(timing.landmarks_ms[patients], timing.rr_s[patients], timing.has_p[patients])
    waves = waves.rows(patients)
    if which == LONE_P:
        timing = replace(timing, has_p=torch.ones_like(timing.has_p))
    placed = place_waves(timing, waves, t_gain[patients])
    if which == EARLY:  # from low in the atria, so that P points up
        placed.mv[:, P] *= -0.7
    sample_ms = 1000.0 / FS_HZ
    at_ms = torch.arange(SPAN_MS[0], SPAN_MS[1] + sample_ms, sample_ms)
    slow = torch.zeros(len(patients), LENGTH + 1, 8)
    before_r = round(-SPAN_MS[0] / sample_ms)
    slow[:, :before_r] = placed.drawn(P, at_ms[:before_r])
    if which != LONE_P:
        slow[:, before_r:] += placed.drawn(slice(ST.start, T.stop), at_ms[before_r:])
    fine = torch.stack([torch.lerp(slow[:, :-1], slow[:, 1:], phase / PHASES) for phase in range(PHASES)])
    if which != LONE_P:
        near_ms = torch.arange(*QRS_SPAN_MS, 1000 * STEP_S)
        qrs = placed.drawn(QRS, near_ms)
        begin = round((QRS_SPAN_MS[0] - SPAN_MS[0]) / sample_ms)
        for phase in range(PHASES):
            part = qrs[:, phase::PHASES]
            fine[phase, :, begin : begin + part.shape[1]] += part
        paced = waves.spike_mv.any(dim=1).nonzero()[:, 0]
        if len(paced):
            chosen = BeatTiming(timing.landmarks_ms[paced], timing.rr_s[paced], timing.has_p[paced])
            for phase in range(PHASES):
                at = at_ms[:-1] + 1000 * STEP_S * phase
                fine[phase, paced] += spike(chosen, waves.rows(paced), at)
    return fine.numpy()
