"""What the world model knows of a drug: its course in plasma and what it does to the ECG.

The facts live in the knowledge base; `tools` turns a drug of the catalogue into a `DrugExposure`.
"""

from dataclasses import dataclass, field

EFFECTS = ("hr_bpm", "pr_ms", "qrs_ms", "jtpeakc_ms", "tpeak_tend_ms", "t_amplitude_fraction")


@dataclass(frozen=True)
class EffectProfile:
    """Mean placebo-corrected change at the reference exposure (the mean Cmax of the reference dose).

    mean and sd are by the names of EFFECTS; what is absent is 0. sd is the spread between people of
    the effect at equal exposure, and so also says how unsure we are.
    `hr_bpm_af` replaces hr_bpm in atrial fibrillation, where AV-nodal drugs slow what they hardly
    change in sinus rhythm.
    """

    mean: dict[str, float] = field(default_factory=dict)
    sd: dict[str, float] = field(default_factory=dict)
    hr_bpm_af: float | None = None


@dataclass(frozen=True)
class DrugExposure:
    """One drug as given: how high it peaks relative to the reference exposure, and when.

    relative_dose: dose / reference dose of this route. tmax_h and half_life_h: of this route.
    infusion: a maintained rate, whose exposure rises to its plateau and stays there.
    exposure_cv: coefficient of variation of exposure between people.
    """

    name: str
    relative_dose: float
    tmax_h: float
    half_life_h: float
    effects: EffectProfile
    infusion: bool = False
    exposure_cv: float = 0.3


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
