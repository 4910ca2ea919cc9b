"""The timing of one beat, and how a drug response moves it: M(a, Theta) of the paper (eq. 20) on landmarks.

Both the prior (epk.py) and the patient's own warped beats (anchor.py) are rendered from these landmarks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.pharmacology import EFFECTS

JT_RR_EXPONENT = 0.58  # J-Tpeakc = J-Tpeak / RR^0.58, doi:10.1038/clpt.2013.238
LANDMARKS = ("p_on", "p_off", "qrs_on", "r", "qrs_off", "t_peak", "t_end")
MIN_GAP_MS = 4.0
# What a response may reach; beyond it the rendering, not the pharmacology, would be at its end.
RESPONSE_LIMITS = {
    "hr_bpm": (-90.0, 90.0),
    "pr_ms": (-80.0, 160.0),
    "qrs_ms": (-30.0, 90.0),
    "jtpeakc_ms": (-90.0, 160.0),
    "tpeak_tend_ms": (-40.0, 120.0),
    "t_amplitude_fraction": (-0.85, 1.5),
}


@dataclass(frozen=True)
class BeatTiming:
    """landmarks_ms: (batch, 7), ms relative to the R peak in the order of LANDMARKS, ascending.

    rr_s: (batch,) the mean RR they belong to. has_p: (batch,) bool; without P the first two columns are
    formal and nothing is rendered there.
    """

    landmarks_ms: Tensor
    rr_s: Tensor
    has_p: Tensor

    def expand(self, batch: int) -> "BeatTiming":
        """The one timing, repeated without copying."""
        return BeatTiming(
            self.landmarks_ms.expand(batch, -1), self.rr_s.expand(batch), self.has_p.expand(batch)
        )

    def rows(self, rows: slice) -> "BeatTiming":
        return BeatTiming(self.landmarks_ms[rows], self.rr_s[rows], self.has_p[rows])

    def to(self, device: torch.device) -> "BeatTiming":
        return BeatTiming(self.landmarks_ms.to(device), self.rr_s.to(device), self.has_p.to(device))


def move(timing: BeatTiming, response: Tensor) -> BeatTiming:
    """The timing after a response: rate, PR, QRS, J-Tpeak and Tpeak-Tend moved, everything else carried along.

    response: (batch, 6) in the order and units of pharmacology.EFFECTS; T amplitude does not act on time.
    J-Tpeak follows the new rate by RR^0.58, Tpeak-Tend and PR do not follow it.
    """
    d = dict(zip(EFFECTS, response.unbind(1), strict=True))
    p_on, p_off, qrs_on, r, qrs_off, t_peak, t_end = timing.landmarks_ms.unbind(1)
    rr_s = 60.0 / (60.0 / timing.rr_s + d["hr_bpm"]).clamp(25.0, 220.0)
    qrs_scale = ((qrs_off - qrs_on + d["qrs_ms"]) / (qrs_off - qrs_on)).clamp(0.5, 3.0)
    qrs_on_new, qrs_off_new = qrs_on * qrs_scale, qrs_off * qrs_scale
    p_on_new = qrs_on_new - ((qrs_on - p_on) + d["pr_ms"]).clamp(min=60.0)
    p_off_new = torch.minimum(p_on_new + (p_off - p_on), qrs_on_new - MIN_GAP_MS)
    jtpeakc = (t_peak - qrs_off) / timing.rr_s**JT_RR_EXPONENT
    jtpeak_new = ((jtpeakc + d["jtpeakc_ms"]) * rr_s**JT_RR_EXPONENT).clamp(min=60.0)
    t_peak_new = qrs_off_new + jtpeak_new
    t_end_new = t_peak_new + (t_end - t_peak + d["tpeak_tend_ms"]).clamp(min=25.0)
    moved = torch.stack([p_on_new, p_off_new, qrs_on_new, r, qrs_off_new, t_peak_new, t_end_new], dim=1)
    return BeatTiming(moved, rr_s, timing.has_p)


def room_ms(timing: BeatTiming) -> Tensor:
    """From the end of T to what comes next, P or else QRS, (batch,); negative where they run together."""
    p_on, _, qrs_on, *_, t_end = timing.landmarks_ms.unbind(1)
    return 1000.0 * timing.rr_s + torch.where(timing.has_p, p_on, qrs_on) - t_end


def clamp_response(response: Tensor) -> Tensor:
    """(..., 6) responses within RESPONSE_LIMITS."""
    low, high = zip(*(RESPONSE_LIMITS[name] for name in EFFECTS), strict=True)
    return torch.minimum(torch.maximum(response, torch.tensor(low)), torch.tensor(high))
