"""Rhythms: when the beats of a recording fall, of what kind each is, and the P waves that no beat follows.

Shares, rates and couplings are from memory and need a clinician. Sinus rhythm varies with the breath and, more
slowly, like 1/f noise (Kobayashi and Musha 1982, doi:10.1109/TBME.1982.324972).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.grid import RR_LIMITS_S, Rhythm

RHYTHMS = (
    "sinus",
    "atrial_fibrillation",
    "atrial_flutter",
    "ventricular_ectopy",
    "atrial_ectopy",
    "wenckebach",
    "av_block_2_to_1",
    "av_block_3",
    "ventricular_pacing",
    "atrial_pacing",
    "preexcitation",
)
# Those whose every beat is not the patient's median beat, from flutter on, are a sixth of the patients.
SHARES = (0.66, 0.17, 0.035, 0.035, 0.02, 0.01, 0.01, 0.01, 0.025, 0.01, 0.015)
USUAL, EARLY, ECTOPIC, LONE_P = range(4)  # kinds of events on a recording
BEATS = 48  # enough for 10 s at the highest rate
STEP_S = 0.002  # R peaks fall on it, so that beats are drawn exactly where the truth says
NEVER = float("inf")


@dataclass(frozen=True)
class Pattern:
    """What is lasting in a patient's rhythm, (batch,) each.

    label: index in RHYTHMS. ratio: atrial waves per beat in flutter, and per group in Wenckebach's. fixed: bool,
    flutter of fixed conduction. period: every how many-th beat is followed by an ectopic one, 0 now and then.
    coupling: of the ectopic beat, as a fraction of RR. atrial_s: cycle of atria with a rate of their own, else 0.
    """

    label: Tensor
    ratio: Tensor
    fixed: Tensor
    period: Tensor
    coupling: Tensor
    atrial_s: Tensor

    def of(self, *names: str) -> Tensor:
        """(batch,) where the rhythm is one of these."""
        return torch.isin(self.label, torch.tensor([RHYTHMS.index(name) for name in names]))


@dataclass(frozen=True)
class Strip:
    """The truth of one recording's beats.

    r_times_s: (batch, BEATS) R peaks of the beats that conduct as usual, early ones included, ascending from before
    0 to beyond the end. event_s: (batch, events) times of everything there is on the recording, inf for nothing;
    event_kind: (events,) USUAL, EARLY (an atrial beat), ECTOPIC (from a ventricle), LONE_P (at the time at which
    R would have followed).
    """

    r_times_s: Tensor
    event_s: Tensor
    event_kind: Tensor


def plain_strip(r_times_s: Tensor) -> Strip:
    """A recording of usual beats only, at these times (batch, beats)."""
    at = (r_times_s / STEP_S).round() * STEP_S
    return Strip(at, at, torch.full((at.shape[1],), USUAL))


def sample_pattern(age_years: Tensor, only: str | None, generator: torch.Generator) -> Pattern:
    """A rhythm for each patient; fibrillation comes with age. only: all of this rhythm."""
    batch = age_years.shape[0]

    def rand() -> Tensor:
        return torch.rand(batch, generator=generator)

    weights = torch.tensor(SHARES).repeat(batch, 1)
    weights[:, 1] *= (age_years / 57.0).clamp(0.2, 1.6) ** 2 / 1.13
    total = weights.cumsum(dim=1)
    label = (total < rand()[:, None] * total[:, -1:]).sum(dim=1).clamp(max=len(RHYTHMS) - 1)
    if only is not None:
        label = torch.full((batch,), RHYTHMS.index(only))
    fixed = rand() < 0.6
    flutter = label == RHYTHMS.index("atrial_flutter")
    # 2:1 and 4:1 are commoner than 3:1; conduction that varies does so around 3:1.
    ratio = torch.where(rand() < 0.5, 2, 4).where(fixed, torch.tensor(3))
    ratio = torch.where(flutter, ratio, 3 + (3 * rand()).long())
    period = torch.tensor([0, 0, 0, 2, 3, 4])[(6 * rand()).long()]
    pattern = Pattern(label, ratio, fixed, period, 0.5 + 0.22 * rand(), 0.55 + 0.4 * rand())
    own_atria = pattern.of("av_block_3") | (pattern.of("ventricular_pacing") & (rand() < 0.5))
    return Pattern(**{**vars(pattern), "atrial_s": pattern.atrial_s * own_atria})


def sample_strip(pattern: Pattern, rhythm: Rhythm, generator: torch.Generator) -> Strip:
    """The beats of a recording of ten seconds.

    The number of draws never depends on the rate, so that one seed
    gives the same rhythm noise under every action.
    """
    batch = rhythm.rr_s.shape[0]
    rr_mean = rhythm.rr_s.clamp(*RR_LIMITS_S)[:, None]
    white = torch.randn(batch, BEATS, generator=generator)
    chance = torch.rand(batch, BEATS, generator=generator)
    p_phase = torch.rand(batch, 1, generator=generator)
    number = torch.arange(BEATS)

    cv = rhythm.sd_s[:, None] / rr_mean
    sinus = rr_mean * (1.0 + cv * _variability(rr_mean, generator))
    fibrillation = rr_mean * torch.exp(cv * white - 0.5 * cv**2)
    rr = torch.where(rhythm.irregular[:, None], fibrillation, sinus)
    cycle = rr_mean / pattern.ratio[:, None]
    waves = pattern.ratio[:, None] + torch.where(chance < 0.3, -1, torch.where(chance > 0.7, 1, 0))
    flutter = cycle * torch.where(pattern.fixed[:, None], pattern.ratio[:, None], waves)
    rr = torch.where(pattern.of("atrial_flutter")[:, None], flutter + 0.002 * white, rr)

    # A premature atrial beat resets the sinus node: the pause after it is not fully compensatory.
    turn = torch.where(pattern.period > 0, pattern.period, BEATS)[:, None]
    chosen = torch.where(pattern.period[:, None] > 0, number % turn == turn - 1, _apart(chance < 0.15))
    early = chosen & pattern.of("atrial_ectopy")[:, None]
    after = torch.roll(early, 1, dims=1)
    rr = rr * torch.where(early, pattern.coupling[:, None] + 0.1, 1.0) * torch.where(after, 1.1, 1.0)
    rr = rr.clamp(*RR_LIMITS_S)

    # In Wenckebach's groups the atria are regular, and the last of them is not conducted.
    group = pattern.ratio[:, None]
    place = number % group
    wenckebach = pattern.of("wenckebach")[:, None]
    rr = torch.where(wenckebach, rr * (group - 1) / group, rr)
    at = torch.cumsum(rr, dim=1)
    at = at - at[:, 2:3] + rhythm.first_r_s[:, None]
    r_times = at + wenckebach * 0.13 * (1.0 - 0.5 ** place.float())
    dropped = wenckebach & (place == group - 1)

    # After a ventricular ectopic beat the next sinus beat is blocked: its P wave is buried, the pause compensatory.
    ectopic = pattern.of("ventricular_ectopy")[:, None] & chosen
    ectopic_s = torch.where(ectopic, at + pattern.coupling[:, None] * rr_mean, NEVER)
    blocked = torch.roll(ectopic, 1, dims=1)
    blocked[:, 0] = False

    lone = torch.where(wenckebach | blocked, at, NEVER)
    lone = torch.where(pattern.of("av_block_2_to_1")[:, None], at - 0.5 * rr, lone)
    own = pattern.atrial_s[:, None]
    free = (number - 3 + p_phase) * own * (1.0 + 0.004 * white)
    lone = torch.where(own > 0, free, lone)

    def on_step(times: Tensor) -> Tensor:
        return (times / STEP_S).round() * STEP_S

    conducted = on_step(torch.where(dropped | blocked, NEVER, r_times))
    usual, premature = conducted.masked_fill(early, NEVER), conducted.masked_fill(~early, NEVER)
    kinds = torch.tensor([USUAL, EARLY, ECTOPIC, LONE_P]).repeat_interleave(BEATS)
    events = torch.cat([usual, premature, on_step(ectopic_s), on_step(lone)], dim=1)
    return Strip(_continued(conducted, rr_mean), events, kinds)


def _apart(chosen: Tensor) -> Tensor:
    """Without those that come right after, or next but one after, another."""
    before = torch.zeros_like(chosen)
    before[:, 1:] |= chosen[:, :-1]
    before[:, 2:] |= chosen[:, :-2]
    return chosen & ~before


def _continued(times: Tensor, rr_mean: Tensor) -> Tensor:
    """Ascending, with the absent (inf) taken out and as many beats added at the end."""
    ordered = times.sort(dim=1).values
    there = ordered.isfinite()
    count = there.sum(dim=1, keepdim=True)
    last = ordered.gather(1, (count - 1).clamp(min=0))
    beyond = torch.arange(times.shape[1]) - (count - 1)
    return torch.where(there, ordered, last + beyond * rr_mean)


def _variability(rr_mean: Tensor, generator: torch.Generator) -> Tensor:
    """(batch, BEATS) of unit variance: half of it the breath, half 1/f noise."""
    batch = rr_mean.shape[0]
    half = BEATS // 2
    size = torch.arange(1, half + 1).float() ** -0.5
    draws = torch.randn(batch, 2, half, generator=generator) * size
    spectrum = torch.nn.functional.pad(torch.complex(draws[:, 0], draws[:, 1]), (1, 0))
    slow = torch.fft.irfft(spectrum, 2 * half, dim=1) * (2 * half) / (2.0 * size.square().sum().sqrt())
    phase = 6.2832 * torch.rand(batch, 1, generator=generator)
    breaths_per_s = 0.2 + 0.1 * torch.rand(batch, 1, generator=generator)
    breath = torch.sin(6.2832 * breaths_per_s * rr_mean * torch.arange(BEATS) + phase)
    both: Tensor = 0.5**0.5 * slow[:, :BEATS] + breath
    return both
