"""Rhythms that no grid was made for: the patient's own beats go on in their own order, at the new rate.

Sinus rhythm and fibrillation are drawn anew (grid.py). In flutter, pacing, blocks and with ectopic beats the order of
the beats is the rhythm: here it is observed, repeated, and stretched to the new mean. Beats of another kind than the
usual are taken from the recording as they are, since neither the prior nor the warped median beat is theirs.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from worldmodel.grid import NEIGHBOURS, RR_LIMITS_S
from worldmodel.measurement import Measurement

DRAWN_ANEW = ("sinus", "atrial_fibrillation")
ECTOPY = ("ventricular_ectopic_beats", "atrial_ectopic_beats", "bigeminy", "av_block_2_or_3")
FEWEST_BEATS = 4
BEFORE_R_S, AFTER_R_S = 0.30, 0.55  # what belongs to an ectopic beat, if its neighbours leave it that much
QRS_S = 0.12  # of the beat that follows, which starts so long before its R peak
FADE_S = 0.05
LONG_AGO_S = -100.0
BEATS_BEFORE = 2  # the first, as grid.sample_r_times gives


@dataclass(frozen=True)
class OwnRhythm:
    """r_s: (beats,) ascending, where the R peaks were; usual: (beats,) bool, False for beats of another kind."""

    r_s: Tensor
    usual: Tensor


def own_rhythm(measured: Measurement) -> OwnRhythm | None:
    """The observed rhythm where it has to be kept, None where it can be drawn anew or too few beats were seen."""
    irregular = any(finding.name in ECTOPY for finding in measured.findings)
    if measured.rhythm.label in DRAWN_ANEW and not irregular:
        return None
    r_s, usual = np.array(measured.r_peaks_s), np.array(measured.beat_kinds) == 0
    if usual.sum() < FEWEST_BEATS:
        return None
    return OwnRhythm(torch.from_numpy(r_s).float(), torch.from_numpy(usual))


def carry_on(rhythm: OwnRhythm, stretch: Tensor, duration_s: float) -> tuple[Tensor, Tensor]:
    """R peaks after a change of rate: (batch, beats) in s from two beats before the first to beyond `duration_s`.

    stretch: (batch,) mean RR after over before. The second result is (beats,): which observed beat each one is.
    All that was observed is repeated in its order, the last beat falling on the first; not in mirror image, in which
    an early beat would come late.
    """
    cycle_s = rhythm.r_s.diff()
    repeats = int(np.ceil(duration_s / float(cycle_s.sum() * stretch.min()))) + 1
    index = torch.arange(-BEATS_BEFORE, repeats * len(cycle_s))
    which = index % len(cycle_s)
    rr_s = (cycle_s[which[:-1]] * stretch[:, None]).clamp(*RR_LIMITS_S)
    r_s = torch.cat([torch.zeros(len(stretch), 1), rr_s.cumsum(dim=1)], dim=1)
    return r_s - r_s[:, BEATS_BEFORE : BEATS_BEFORE + 1] + rhythm.r_s[0], which


def usual_r_times(rhythm: OwnRhythm, r_s: Tensor, which: Tensor) -> Tensor:
    """The R peaks of the usual beats, (batch, beats): what prior and warped beats are rendered on.

    Some out of sight come first, as the renderers look back by index and would lay the first beat several times.
    """
    out_of_sight = LONG_AGO_S + torch.arange(NEIGHBOURS).expand(len(r_s), -1)
    return torch.cat([out_of_sight, r_s[:, rhythm.usual[which]]], dim=1)


def put_other_beats(
    warped_mv: Tensor, recording_mv: Tensor, fs_hz: float, rhythm: OwnRhythm, r_s: Tensor, which: Tensor
) -> Tensor:
    """warped_mv (batch, leads, time) with the recording's own unusual beats where they fall now; a copy.

    recording_mv: (leads, time) at fs_hz, what was observed; r_s, which: of `carry_on`. A drug does not change
    these beats. The usual beats are rendered at `usual_r_times`.
    """
    mixed = warped_mv.clone()
    time_s = torch.arange(warped_mv.shape[2]) / fs_hz
    for column in (~rhythm.usual[which]).nonzero().flatten().tolist():
        beat = int(which[column])
        start_s, end_s = _extent(rhythm.r_s, beat)
        since_s = time_s - r_s[:, column : column + 1]
        weight = (((since_s - start_s) / FADE_S).clamp(0, 1) * ((end_s - since_s) / FADE_S).clamp(0, 1))[
            :, None
        ]
        if weight.any():
            at = ((since_s + rhythm.r_s[beat]) * fs_hz).round().long().clamp(0, recording_mv.shape[1] - 1)
            mixed = mixed * (1 - weight) + weight * recording_mv[:, at].transpose(0, 1)
    return mixed


def _extent(r_s: Tensor, beat: int) -> tuple[float, float]:
    """From where to where around its R peak a beat is itself, in s: not beyond half way back, nor into the next QRS."""
    before = float(r_s[beat] - r_s[beat - 1]) if beat else np.inf
    after = float(r_s[beat + 1] - r_s[beat]) if beat + 1 < len(r_s) else np.inf
    return -min(BEFORE_R_S, 0.5 * before), min(AFTER_R_S, max(after - QRS_S, 0.5 * after))
