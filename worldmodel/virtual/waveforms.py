"""Virtual ECGs from timing, rhythm and waves: the truth of the trial, independent of the prior's equations."""

from dataclasses import replace

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming
from worldmodel.preprocessing import FS_HZ
from worldmodel.virtual.rhythms import EARLY, ECTOPIC, LONE_P, STEP_S, USUAL, Strip, plain_strip
from worldmodel.virtual.waves import P, Waves, beat

SPAN_MS = (-600.0, 1100.0)  # of a beat around R
_PHASES = round(1.0 / (FS_HZ * STEP_S))  # places that an R peak can have between two samples


def render(timing: BeatTiming, waves: Waves, t_gain: Tensor, r_times_s: Tensor, times_s: Tensor) -> Tensor:
    """Noise-free ECG in mV, (batch, 8, time), of usual beats only, at r_times_s (batch, beats).

    times_s must be steps of 1 / FS_HZ from 0.
    """
    return lay_events(plain_strip(r_times_s), {USUAL: (timing, waves)}, t_gain, times_s.shape[0])


def lay_events(
    strip: Strip, beats: dict[int, tuple[BeatTiming, Waves]], t_gain: Tensor, samples: int
) -> Tensor:
    """Noise-free ECG in mV, (batch, 8, samples): each event of the strip as the beat of its kind.

    beats: timing and waves of kind USUAL, and of ECTOPIC where there are such; the others follow from USUAL.
    t_gain: (batch,) factor on T waves. A beat is drawn once for each patient and kind, on the steps on which
    events can fall, and added where it belongs.
    """
    shift = torch.round(strip.event_s / STEP_S).nan_to_num(posinf=2.0**31).long() + round(SPAN_MS[0] / 1000 / STEP_S)
    # The first sample in a beat's reach, and the step of the drawn beat that falls on it.
    first = -torch.div(-shift, _PHASES, rounding_mode="floor")
    phase = first * _PHASES - shift
    length = round((SPAN_MS[1] - SPAN_MS[0]) / 1000 * FS_HZ)
    row, column = ((first > -length) & (first < samples)).nonzero().unbind(1)
    kind = strip.event_kind[column]
    first, phase = first[row, column], phase[row, column]

    ecg = torch.zeros(strip.event_s.shape[0], 8, samples)
    out = ecg.numpy()
    for which in kind.unique().tolist():
        chosen = kind == which
        patients, slot = row[chosen].unique(return_inverse=True)
        drawn = _drawn(which, beats, patients, t_gain)
        for patient, at, template, fine in zip(
            row[chosen].tolist(), first[chosen].tolist(), slot.tolist(), phase[chosen].tolist(), strict=True
        ):
            start, end = max(0, at), min(samples, at + length)
            out[patient, :, start:end] += drawn[fine, template, :, start - at : end - at]
    return ecg


def _drawn(which: int, beats: dict[int, tuple[BeatTiming, Waves]], patients: Tensor, t_gain: Tensor):  # type: ignore[no-untyped-def]
    """The beats of a kind of some patients at every phase: (phase, patient, 8, length), NumPy."""
    timing, waves = beats[ECTOPIC if which == ECTOPIC else USUAL]
    timing = BeatTiming(timing.landmarks_ms[patients], timing.rr_s[patients], timing.has_p[patients])
    waves = waves.rows(patients)
    if which == EARLY:  # from low in the atria, so that P points up
        mv = waves.mv.clone()
        mv[:, P] *= -0.7
        waves = replace(waves, mv=mv)
    if which == LONE_P:
        timing, waves = replace(timing, has_p=torch.ones_like(timing.has_p)), waves.only_p()
    fine = beat(timing, waves, t_gain[patients], torch.arange(*SPAN_MS, 1000 * STEP_S))
    return torch.stack([fine[..., phase::_PHASES] for phase in range(_PHASES)]).numpy()
