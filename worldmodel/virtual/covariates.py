"""Who the patients are: age, sex, weight, electrolytes, kidneys, diseases and drugs that fit each other.

All shares and slopes are from memory and need a clinician, unless a source stands beside them. They are those of
a hospital's ECG service, not of a population. `shifts` says what of it the ECG before the dose shows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Covariates:
    """What the record would say, (batch,) each; diseases and drugs at baseline are bool."""

    age_years: Tensor
    female: Tensor
    weight_kg: Tensor
    potassium_mmol_l: Tensor
    magnesium_mmol_l: Tensor
    calcium_mmol_l: Tensor
    creatinine_mg_dl: Tensor
    egfr_ml_min: Tensor
    heart_failure: Tensor
    kidney_disease: Tensor
    beta_blocker: Tensor
    loop_diuretic: Tensor
    digoxin: Tensor
    amiodarone: Tensor


@dataclass(frozen=True)
class Shifts:
    """What diseases, electrolytes and drugs at baseline do to the ECG before the dose, (batch,) each.

    t_size: factor on the T wave; st_sag_mv: sagging of the ST segment under digoxin, in lead V5.
    """

    hr_bpm: Tensor
    pr_ms: Tensor
    qrs_ms: Tensor
    jtpeakc_ms: Tensor
    tpeak_tend_ms: Tensor
    t_size: Tensor
    st_sag_mv: Tensor


def sample_covariates(batch: int, generator: torch.Generator) -> Covariates:
    """Ages spread evenly, so that rare ones are seen; the rest follows from age, sex and disease."""

    def normal(sd: float) -> Tensor:
        return sd * torch.randn(batch, generator=generator)

    def happens(chance: Tensor) -> Tensor:
        return torch.rand(batch, generator=generator) < chance

    age = 19.0 + 71.0 * torch.rand(batch, generator=generator)
    female = happens(torch.full((batch,), 0.5))
    old = ((age - 40.0) / 50.0).clamp(0.0, 1.0)
    weight = (torch.where(female, 69.0, 83.0) * torch.exp(normal(0.2))).clamp(38.0, 180.0)
    heart_failure = happens(0.25 * old)
    kidney_disease = happens(0.03 + 0.25 * old + 0.15 * heart_failure)
    egfr = (112.0 - 0.75 * (age - 20.0) + normal(11.0)).clamp(min=62.0)
    egfr = torch.where(kidney_disease, 15.0 + 44.0 * torch.rand(batch, generator=generator), egfr)
    beta_blocker = happens(0.05 + 0.2 * old + 0.45 * heart_failure)
    loop_diuretic = happens(0.02 + 0.6 * heart_failure + 0.15 * kidney_disease)
    digoxin = happens(0.1 * heart_failure)
    amiodarone = happens(0.01 + 0.06 * heart_failure)
    # Failing kidneys keep potassium and lose the balance of calcium; loop diuretics waste potassium and magnesium.
    failing = ((60.0 - egfr) / 45.0).clamp(0.0, 1.0)
    potassium = 4.15 + 0.6 * failing - 0.35 * loop_diuretic.float() + normal(0.5)
    magnesium = 0.84 + 0.05 * failing - 0.07 * loop_diuretic.float() + normal(0.08)
    calcium = 2.35 - 0.1 * failing + normal(0.11)
    return Covariates(
        age_years=age,
        female=female,
        weight_kg=weight,
        potassium_mmol_l=potassium.clamp(2.4, 6.8),
        magnesium_mmol_l=magnesium.clamp(0.4, 1.4),
        calcium_mmol_l=calcium.clamp(1.7, 3.1),
        creatinine_mg_dl=creatinine_of(egfr, age, female),
        egfr_ml_min=egfr,
        heart_failure=heart_failure,
        kidney_disease=kidney_disease,
        beta_blocker=beta_blocker,
        loop_diuretic=loop_diuretic,
        digoxin=digoxin,
        amiodarone=amiodarone,
    )


def creatinine_of(egfr_ml_min: Tensor, age_years: Tensor, female: Tensor) -> Tensor:
    """Creatinine in mg/dL at which CKD-EPI 2021 (doi:10.1056/NEJMoa2102953) gives this filtration rate."""
    kappa = torch.where(female, 0.7, 0.9)
    exponent = torch.where(female, -0.241, -0.302)
    at_kappa = 142.0 * 0.9938**age_years * torch.where(female, 1.012, 1.0)
    ratio = egfr_ml_min / at_kappa
    return kappa * torch.where(ratio > 1.0, ratio ** (1.0 / exponent), ratio ** (-1.0 / 1.2))


def shifts(of: Covariates) -> Shifts:
    """Women repolarise later. Low potassium flattens and widens T, high potassium peaks T and widens QRS; low
    calcium lengthens ST, and with it J-Tpeak. Drugs at baseline: direction by their class, sizes from memory."""
    potassium = of.potassium_mmol_l - 4.1
    hyperkalaemia = (of.potassium_mmol_l - 5.5).clamp(min=0.0)
    beta, digoxin = of.beta_blocker.float(), of.digoxin.float()
    amiodarone, failing = of.amiodarone.float(), of.heart_failure.float()
    return Shifts(
        hr_bpm=6.0 * failing - 10.0 * beta - 8.0 * amiodarone - 5.0 * digoxin,
        pr_ms=0.2 * (of.age_years - 45.0)
        + 8.0 * beta
        + 12.0 * digoxin
        + 10.0 * amiodarone
        + 10.0 * hyperkalaemia,
        qrs_ms=8.0 * failing + 4.0 * amiodarone + 12.0 * hyperkalaemia,
        jtpeakc_ms=8.0 * of.female.float()
        - 8.0 * potassium
        - 60.0 * (of.calcium_mmol_l - 2.35)
        + 22.0 * amiodarone
        - 18.0 * digoxin,
        tpeak_tend_ms=-5.0 * potassium + 6.0 * amiodarone,
        t_size=(1.0 + 0.35 * potassium).clamp(0.2, 2.2) * (1.0 - 0.3 * digoxin),
        st_sag_mv=0.06 * digoxin,
    )
