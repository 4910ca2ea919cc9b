"""Virtual patients: covariates, rhythm, beat timing and waves, drawn so that they are consistent with each other.

Two thirds have waves fitted to real recordings, a third those of the textbook. Ranges are textbook values for
adults (from memory, need a clinician) unless a source stands beside them.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldmodel.beat import JT_RR_EXPONENT, BeatTiming
from worldmodel.grid import Rhythm
from worldmodel.virtual.covariates import Covariates, Shifts, sample_covariates, shifts
from worldmodel.virtual.morphologies import Morphologies, sample_morphologies
from worldmodel.virtual.morphology_fit import CLASSES
from worldmodel.virtual.rhythms import RHYTHMS, Pattern, sample_pattern
from worldmodel.virtual.surface import Surface, sample_surface
from worldmodel.virtual.textbook import ectopic_waves, textbook_waves
from worldmodel.virtual.waves import DELTA, QRS, ST, T, Waves, choose, settle

TEXTBOOK_FRACTION = 1 / 3
# What a delta wave adds before the usual QRS, and how much of PR is left.
DELTA_MS, SHORT_PR_MS = 34.0, (85.0, 118.0)


@dataclass(frozen=True)
class Patients:
    """A batch of virtual patients before the dose.

    rhythm: mean and spread of RR; pattern: which rhythm, and what is lasting in it. timing and waves are those of
    the usual beat, ectopic_timing and ectopic_waves those of a beat from the ventricles.
    """

    covariates: Covariates
    timing: BeatTiming
    rhythm: Rhythm
    pattern: Pattern
    waves: Waves
    ectopic_timing: BeatTiming
    ectopic_waves: Waves
    surface: Surface

    @property
    def labels(self) -> list[str]:
        """The rhythm of each patient, one of rhythms.RHYTHMS."""
        return [RHYTHMS[label] for label in self.pattern.label.tolist()]

    @property
    def p_is_fixed(self) -> Tensor:
        """(batch,) whether a delineator can read a P wave that belongs to the median beat."""
        return self.timing.has_p & ~self.pattern.of("atrial_pacing")


def sample_patients(batch: int, generator: torch.Generator, rhythm: str | None = None) -> Patients:
    """A batch of patients; rhythm: all of this one of rhythms.RHYTHMS, else as often as a hospital sees them."""
    covariates = sample_covariates(batch, generator)
    pattern = sample_pattern(covariates.age_years, rhythm, generator)
    shift = shifts(covariates)
    paced = pattern.of("ventricular_pacing")
    seen = sample_morphologies(paced, generator)
    from_book = (torch.rand(batch, generator=generator) < TEXTBOOK_FRACTION) & ~paced
    timing = _sample_timing(pattern, shift, seen, from_book, generator)
    qrs_ms = timing.landmarks_ms[:, 4] - timing.landmarks_ms[:, 2]
    waves = choose(from_book, textbook_waves(qrs_ms, generator), seen.waves)
    waves = _adapted(waves, pattern, shift, generator)
    timing = _widened(timing, pattern.of("preexcitation"))
    timing, waves = settle(timing, waves)
    ectopic = settle(_ectopic_timing(timing, generator), ectopic_waves(batch, generator))
    return Patients(
        covariates,
        timing,
        _sample_rhythm(pattern, timing.rr_s, generator),
        pattern,
        waves,
        *ectopic,
        sample_surface(pattern, generator),
    )


def _sample_timing(
    pattern: Pattern, shift: Shifts, seen: Morphologies, from_book: Tensor, generator: torch.Generator
) -> BeatTiming:
    """Landmarks with R in the middle of QRS. A fitted beat is drawn towards the intervals it was fitted at."""
    batch = pattern.label.shape[0]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, generator=generator)

    def normal(mean: float, sd: float) -> Tensor:
        return mean + sd * torch.randn(batch, generator=generator)

    rr_s = 60.0 / _sample_rate(pattern, shift, generator)
    wide = torch.rand(batch, generator=generator) < 0.15
    qrs = normal(94.0, 10.0) + shift.qrs_ms + wide * uniform(15.0, 65.0)
    jtpeakc = normal(226.0, 21.0) + shift.jtpeakc_ms
    tpeak_tend = normal(76.0, 9.0) + shift.tpeak_tend_ms
    on, off, peak, end = seen.landmarks_ms[:, [2, 4, 5, 6]].unbind(1)
    narrow = seen.kind == CLASSES.index("narrow")
    own_qrs = (off - on) * torch.exp(normal(0.0, 0.05))
    kept = torch.where(from_book, torch.zeros(batch), uniform(0.0, 1.0))
    # A block's shape is that of its width.
    qrs = torch.where(~narrow & ~from_book, own_qrs, qrs + kept * (own_qrs - qrs)).clamp(70.0, 190.0)
    jtpeakc = jtpeakc + 0.7 * kept * ((peak - off) / seen.rr_s**JT_RR_EXPONENT - jtpeakc)
    tpeak_tend = tpeak_tend + 0.7 * kept * ((end - peak) - tpeak_tend)

    pr = (normal(158.0, 22.0) + shift.pr_ms - 0.10 * (60.0 / rr_s - 70.0)).clamp(100.0, 330.0)
    pr = torch.where(pattern.of("preexcitation"), uniform(*SHORT_PR_MS) + DELTA_MS, pr)
    p_on = -0.46 * qrs - pr
    p_off = torch.minimum(p_on + normal(104.0, 10.0).clamp(70.0, 140.0), -0.46 * qrs - 6.0)
    t_peak = 0.54 * qrs + (jtpeakc.clamp(140.0, 360.0) * rr_s**JT_RR_EXPONENT).clamp(min=70.0)
    t_end = t_peak + tpeak_tend.clamp(48.0, 150.0)
    landmarks = [p_on, p_off, -0.46 * qrs, torch.zeros(batch), 0.54 * qrs, t_peak, t_end]
    without_p = pattern.of(
        "atrial_fibrillation", "atrial_flutter", "wenckebach", "av_block_3", "ventricular_pacing"
    )
    return BeatTiming(torch.stack(landmarks, dim=1), rr_s, ~without_p)


def _sample_rate(pattern: Pattern, shift: Shifts, generator: torch.Generator) -> Tensor:
    """Beats per minute, (batch,): a quarter of the patients in bed with fast rates."""
    batch = pattern.label.shape[0]
    fast = torch.rand(batch, generator=generator) < 0.25
    usual = 72.0 + 15.0 * torch.randn(batch, generator=generator) + 15.0 * fast + shift.hr_bpm
    part = torch.rand(batch, generator=generator)
    usual = (usual + 24.0 * pattern.of("atrial_fibrillation")).clamp(42.0, 165.0)
    of_flutter = 60.0 * (4.0 + 1.4 * part) / pattern.ratio
    for names, low, high in (
        (("ventricular_ectopy", "atrial_ectopy"), 55.0, 95.0),
        (("wenckebach",), 45.0, 70.0),
        (("av_block_2_to_1",), 34.0, 50.0),
        (("av_block_3",), 28.0, 46.0),
        (("ventricular_pacing", "atrial_pacing"), 60.0, 85.0),
    ):
        usual = torch.where(pattern.of(*names), low + (high - low) * part, usual)
    return torch.where(pattern.of("atrial_flutter"), of_flutter, usual)


def _sample_rhythm(pattern: Pattern, rr_s: Tensor, generator: torch.Generator) -> Rhythm:
    batch = rr_s.shape[0]
    part = torch.rand(batch, generator=generator)
    irregular = pattern.of("atrial_fibrillation")
    sd_s = rr_s * torch.where(irregular, 0.12 + 0.16 * part, 0.005 + 0.055 * part)
    steady = pattern.of("ventricular_pacing", "atrial_pacing", "av_block_3")
    sd_s = torch.where(steady, 0.002 * rr_s, sd_s)
    # Of a premature or dropped beat the sinus node knows nothing; its own variation is kept apart from it.
    sd_s = torch.where(pattern.of("ventricular_ectopy", "atrial_ectopy", "wenckebach"), 0.4 * sd_s, sd_s)
    return Rhythm(rr_s, sd_s, irregular, torch.rand(batch, generator=generator) * rr_s)


def _adapted(waves: Waves, pattern: Pattern, shift: Shifts, generator: torch.Generator) -> Waves:
    """The waves with what electrolytes and drugs make of T and ST, with spikes of a pacemaker, with a delta wave."""
    batch = pattern.label.shape[0]
    mv, place, width = waves.mv.clone(), waves.place.clone(), waves.width.clone()
    mv[:, T] *= shift.t_size[:, None, None]
    toward_v5 = torch.tensor([0.7, 0.6, -0.3, 0.0, 0.3, 0.8, 1.0, 0.9])
    mv[:, ST.start + 1] -= shift.st_sag_mv[:, None] * toward_v5
    delta = pattern.of("preexcitation")[:, None]
    # The early forces point where most of the later ones do, and run into them without a notch.
    early = 0.22 * mv[:, QRS].sum(dim=1)
    mv[:, DELTA] = torch.where(delta, early, mv[:, DELTA])
    later = torch.arange(QRS.start, QRS.stop) != DELTA
    place[:, QRS] = torch.where(delta & later, 0.26 + 0.74 * place[:, QRS], place[:, QRS])
    place[:, DELTA] = torch.where(delta[:, 0], 0.40, place[:, DELTA])
    width[:, QRS] = torch.where(delta & later, 0.76 * width[:, QRS], width[:, QRS])
    width[:, DELTA] = 0.19
    spike = 0.7 * torch.exp(0.4 * torch.randn(batch, 8, generator=generator))
    spike = spike * torch.sign(torch.randn(batch, 8, generator=generator))
    at_p = pattern.of("atrial_pacing")
    paced = at_p | pattern.of("ventricular_pacing")
    return Waves(place, width, waves.t_left, mv, spike * paced[:, None], at_p)


def _widened(timing: BeatTiming, delta: Tensor) -> BeatTiming:
    """QRS begins earlier by the delta wave; P stays where it is."""
    landmarks = timing.landmarks_ms.clone()
    landmarks[:, 2] -= DELTA_MS * delta
    landmarks[:, 1] = torch.minimum(landmarks[:, 1], landmarks[:, 2] - 4.0)
    return replace(timing, landmarks_ms=landmarks)


def _ectopic_timing(timing: BeatTiming, generator: torch.Generator) -> BeatTiming:
    """Of a beat from the ventricles: QRS of 130 to 180 ms, JT shorter than usual by half of what QRS is longer."""
    batch = timing.rr_s.shape[0]
    qrs = 130.0 + 50.0 * torch.rand(batch, generator=generator)
    usual = timing.landmarks_ms[:, 4] - timing.landmarks_ms[:, 2]
    t_peak = (timing.landmarks_ms[:, 5] - timing.landmarks_ms[:, 4] - 0.5 * (qrs - usual)).clamp(min=110.0)
    t_end = t_peak + (timing.landmarks_ms[:, 6] - timing.landmarks_ms[:, 5])
    on, off = -0.46 * qrs, 0.54 * qrs
    landmarks = torch.stack(
        [on - 160.0, on - 60.0, on, torch.zeros(batch), off, off + t_peak, off + t_end], dim=1
    )
    return BeatTiming(landmarks, timing.rr_s, torch.zeros(batch, dtype=torch.bool))
