"""What the world model knows of a drug: its course in plasma and what it does to the ECG.

The facts live in the knowledge base; `tools` turns a drug of the catalogue into a `DrugExposure`. For the drugs of the
trial that stage one is fitted to, `worldmodel.population` has them fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

EFFECTS = ("hr_bpm", "pr_ms", "qrs_ms", "jtpeakc_ms", "tpeak_tend_ms", "t_amplitude_fraction")


@dataclass(frozen=True)
class EffectProfile:
    """Mean placebo-corrected change at the reference exposure (the mean Cmax of the reference dose).

    mean, sd and doubt are by the names of EFFECTS; what is absent is 0. sd is the spread of the effect
    of one person around the mean at equal exposure: people differ, and the mean itself is not known
    exactly. doubt is the SD of the latter alone, and so a part of sd: more data would take it away.
    `hr_bpm_af` replaces hr_bpm in atrial fibrillation, where AV-nodal drugs slow what they hardly
    change in sinus rhythm. power: the effect grows with exposure to this power.
    """

    mean: Mapping[str, float] = field(default_factory=dict)
    sd: Mapping[str, float] = field(default_factory=dict)
    doubt: Mapping[str, float] = field(default_factory=dict)
    hr_bpm_af: float | None = None
    power: float = 1.0


@dataclass(frozen=True)
class DrugExposure:
    """One drug as given: how high it peaks relative to the reference exposure, and when.

    relative_dose: dose / reference dose of this route. tmax_h and half_life_h: of this route, without lag and release.
    infusion: a maintained rate, whose exposure rises to its plateau and stays there.
    exposure_cv, absorption_cv, elimination_cv: between people, of the exposure and of the two rates.
    lag_h: before anything is absorbed. release_h: in which the dose gets to where it is absorbed, at a constant rate;
    the same in everybody, as in the trial all peak at nearly one time. slow_share, slow_half_life_h: of a second
    phase of elimination. effect_half_life_h: by which the effect site lags behind plasma; 0 where it does not.
    mechanism: share of block of each channel (or drive of each receptor) at the reference exposure, by name.
    given_h: when it was given, on the clock on which an Action's `hours` are read.
    """

    name: str
    relative_dose: float
    tmax_h: float
    half_life_h: float
    effects: EffectProfile
    infusion: bool = False
    exposure_cv: float = 0.3
    absorption_cv: float = 0.3
    elimination_cv: float = 0.2
    lag_h: float = 0.0
    release_h: float = 0.0
    slow_share: float = 0.0
    slow_half_life_h: float = 24.0
    effect_half_life_h: float = 0.0
    mechanism: Mapping[str, float] = field(default_factory=dict)
    given_h: float = 0.0


@dataclass(frozen=True)
class Action:
    """What is given together, and when we look: () is "no drug"."""

    drugs: tuple[DrugExposure, ...] = ()
    hours: float = 2.0


@dataclass(frozen=True)
class PatientContext:
    """Covariates of the response; None where unknown, and then left out, never assumed normal."""

    age_years: float | None = None
    female: bool | None = None
    potassium_mmol_l: float | None = None


def chain(steps: tuple[Action, ...]) -> tuple[Action, ...]:
    """Actions given one after the other, each looked at `hours` after it was given, on one clock from the first.

    What was given before is carried along, so the last action holds every drug of the chain with its time.
    """
    chained: list[Action] = []
    carried: tuple[DrugExposure, ...] = ()
    clock = 0.0
    for step in steps:
        carried += tuple(replace(drug, given_h=clock + drug.given_h) for drug in step.drugs)
        clock += step.hours
        chained.append(Action(carried, clock))
    return tuple(chained)
