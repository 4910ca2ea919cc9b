"""From the parameters of a fit to the population that new people are drawn from: wider, as few people were seen.

The trial's n people tell how people differ only so well. Their mean is off by their spread over the root of n, and a
new person is spread around it as Student's t with n - 1 degrees of freedom, of which the variance is kept.
"""

import math
from dataclasses import replace

import torch

from worldmodel.exposure import time_of_peak
from worldmodel.mechanism import as_profile
from worldmodel.pharmacology import DrugExposure
from worldmodel.population import Day, FittedDrug, Population
from worldmodel.population_model import GIVEN, TWO_PHASES, Parameters, TrialModel, correlation_root


def population_of(model: TrialModel, p: Parameters) -> Population:
    """The population of a model's fitted parameters."""
    day = model.day(p)
    person_hours, period_hours = p["log_hours"].exp().tolist()
    people = len(model.trial.subjects)
    return Population(
        Day(
            model.hours[1:],
            p["drift"],
            p["level"],
            (1.0 + 1.0 / people) * _wider(people) ** 2 * day["between"],
            _wider(people) ** 2 * day["person"],
            person_hours,
            (1.0 + 1.0 / people) * day["period"],  # with what is not known of the mean course of a day
            period_hours,
            day["noise"],
            p["log_unsteady"].exp(),
        ),
        correlation_root(p["of_sensitivity"]),
        float(torch.sigmoid(p["shared"])),
        float(torch.sigmoid(p["unseen"])),
        {name: _drug(model, p, i) for i, name in enumerate(model.drugs)},
        f"{people} subjects of the ecgrdvq trial (doi:10.13026/C2HP45)",
        model.trial.subjects,
    )


def _drug(model: TrialModel, p: Parameters, i: int) -> FittedDrug:
    name = model.drugs[i]
    route, dose, unit, cmax, *_ = GIVEN[name]
    ka, ke = (float(p[key][i].exp()) for key in ("log_absorption", "log_elimination"))
    absorption_cv, elimination_cv, exposure_cv = p["log_pk"][i].exp().tolist()
    people = len(model.trial.subjects)
    mean, spread = p["effect"][i], _wider(people) * p["log_sensitivity"][i].exp()
    noise = 2.0 * model.day(p)["noise"].diagonal()  # of a change
    doubt = ((spread**2 + (exposure_cv * mean) ** 2 + noise) / people).sqrt()
    return FittedDrug(
        route,
        dose,
        unit,
        cmax * float(p["log_plasma"][i].exp()),
        DrugExposure(
            name=name,
            relative_dose=1.0,
            tmax_h=time_of_peak(ka, ke),
            half_life_h=math.log(2.0) / ke,
            effects=replace(
                as_profile(mean, (spread**2 + doubt**2).sqrt(), doubt), power=float(p["log_power"][i].exp())
            ),
            exposure_cv=exposure_cv,
            absorption_cv=absorption_cv,
            elimination_cv=elimination_cv,
            lag_h=float(p["log_lag"][i].exp()),
            release_h=float(p["log_release"][i].exp()),
            slow_share=float(torch.sigmoid(p["slow_share"][i])) if name in TWO_PHASES else 0.0,
            slow_half_life_h=math.log(2.0) / float(p["log_slow"][i].exp()),
            effect_half_life_h=math.log(2.0) / float(p["log_site"][i].exp()),
        ),
    )


def _wider(people: int) -> float:
    """SD of Student's t with people - 1 degrees of freedom; of too few people, as if they were four."""
    freedom = max(people, 4) - 1
    return math.sqrt(freedom / (freedom - 2))
