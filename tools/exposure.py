"""From a drug of the catalogue to an action of the world model: the one place where the two meet.

Drugs of the trial that stage one was fitted to are taken as fitted; the others as their record in the catalogue says,
or, where it knows no effects, as their mechanism says.
"""

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from worldmodel.pharmacology import EFFECTS, Action, DrugExposure, EffectProfile

if TYPE_CHECKING:
    from knowledge.doses import DrugDose, GivenAction
    from knowledge.drugs import Catalogue, Drug
    from worldmodel.mechanism import KnownEffect

# How much of a fact's SD is not knowing the mean, by the fact's confidence; the rest is people. Policy: ours.
DOUBT = {"computed": 0.3, "read": 0.5, "memory": 0.8, "policy": 1.0}
NO_DRUG_HOURS = 2.0  # when nothing is given, any time will do; compare with the same `hours`


def exposure_of(dose: "DrugDose", catalogue: "Catalogue") -> DrugExposure:
    """The exposure a dose gives. Raises UnknownDrugError for a drug or a route that is not there."""
    from worldmodel.population import fitted_exposure

    drug = catalogue.get(dose.drug_id)
    route = drug.route(dose.route)
    fitted = fitted_exposure(drug.id, dose.route, dose.dose, route.unit)
    if fitted is not None:
        in_af = drug.effects.hr_bpm_af
        effects = replace(fitted.effects, hr_bpm_af=None if in_af is None else in_af.mean)
        return replace(fitted, name=drug.name, effects=effects, mechanism=drug.mechanism)
    return DrugExposure(
        name=drug.name,
        relative_dose=dose.dose / route.reference_dose,
        tmax_h=route.tmax_h,
        half_life_h=route.half_life_h,
        effects=effects_of(drug, catalogue),
        infusion=route.infusion,
        exposure_cv=route.exposure_cv,
        mechanism=drug.mechanism,
    )


def effects_of(drug: "Drug", catalogue: "Catalogue") -> EffectProfile:
    """The drug's effects at the reference exposure; in AF its own effect on the rate, where one is known.

    A drug of a known mechanism whose effects nobody has measured gets those of its mechanism, as the other drugs of
    the catalogue teach it, and a width that says so.
    """
    facts = drug.effects.known()
    if not facts and drug.mechanism:
        from worldmodel.mechanism import profile_by_mechanism

        return profile_by_mechanism(drug.mechanism, _known_effects(catalogue))
    in_af = facts.pop("hr_bpm_af", None)
    return EffectProfile(
        mean={name: fact.mean for name, fact in facts.items()},
        sd={name: fact.sd for name, fact in facts.items()},
        doubt={name: DOUBT[fact.confidence] * fact.sd for name, fact in facts.items()},
        hr_bpm_af=None if in_af is None else in_af.mean,
    )


@lru_cache(maxsize=1)
def _known_effects(catalogue: "Catalogue") -> "list[KnownEffect]":
    """What the catalogue's drugs of known mechanism and effects teach of the channels."""
    import torch

    from worldmodel.mechanism import KnownEffect

    taught = []
    for drug in catalogue.drugs:
        facts = drug.effects.known()
        if drug.mechanism and facts:
            mean = [facts[name].mean if name in facts else 0.0 for name in EFFECTS]
            error = [
                DOUBT[facts[name].confidence] * facts[name].sd if name in facts else math.inf
                for name in EFFECTS
            ]
            taught.append(
                KnownEffect(drug.mechanism, torch.tensor(mean).double(), torch.tensor(error).double())
            )
    return taught


def action_of(given: "GivenAction", catalogue: "Catalogue", hours: float | None = None) -> Action:
    """The action of the world model; hours None looks when the slowest of its drugs peaks."""
    if hours is None:
        observed = [catalogue.get(dose.drug_id).route(dose.route).observe_hours for dose in given.doses]
        hours = max(observed, default=NO_DRUG_HOURS)
    return Action(drugs=tuple(exposure_of(dose, catalogue) for dose in given.doses), hours=hours)
