"""The paper's prior: one channel of the cardiac ODE, moved by the mean effect, at a constant mean rate.

Its amplitude is lead II's. All persons who take the same get the same change, and no beat comes early or late: that is
where our two stages differ.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from worldmodel import epk
from worldmodel.beat import move
from worldmodel.conditioning import PatientBeat
from worldmodel.ecg import INDEPENDENT_LEADS
from worldmodel.grid import RR_LIMITS_S
from worldmodel.paper.signal import PAPER_FS_HZ, PAPER_SAMPLES
from worldmodel.pharmacology import Action
from worldmodel.response import sample_responses

LEAD = INDEPENDENT_LEADS.index("II")
PERSONS = 400  # whose mean is taken
BEATS_BEFORE = 3


def mean_effects(actions: Sequence[Action]) -> Tensor:
    """The rule-based action map: what each action changes on average, (action, 2, 6), in sinus rhythm and in AF.

    In the order and units of pharmacology.EFFECTS, at its dose and hour.
    """
    unknown = torch.full((PERSONS,), torch.nan)
    in_rhythm = [
        sample_responses(
            actions, unknown, torch.full((PERSONS,), fibrillating), torch.Generator().manual_seed(0)
        ).mean(dim=1)
        for fibrillating in (False, True)
    ]
    return torch.stack(in_rhythm, dim=1)


def prior_trace(beat: PatientBeat, mean_effect: Tensor, first_r_s: Tensor) -> Tensor:
    """e_EPK (eq. 19-24), (batch, PAPER_SAMPLES) in mV.

    beat: pre-dose; mean_effect: (batch, 6); first_r_s: (batch,) the first R peak of the pre-dose window, which sets the
    start phase. The solution is the closed form of ode.py.
    """
    beat_times = (torch.arange(beat.mv.shape[2]) - beat.r_index) / beat.fs_hz
    theta = epk.act(epk.fit_theta(beat.mv[:, LEAD : LEAD + 1], beat_times, beat.timing), mean_effect)
    rr_s = move(beat.timing, mean_effect).rr_s
    times = torch.arange(PAPER_SAMPLES) / PAPER_FS_HZ
    beats = int(float(times[-1]) / RR_LIMITS_S[0]) + 2 * BEATS_BEFORE
    r_times = first_r_s[:, None] + rr_s[:, None] * (torch.arange(beats) - BEATS_BEFORE)
    return epk.render(theta, r_times, times)[:, 0]
