"""Stage one: exposure over time and the responses it gives."""

import math
from dataclasses import replace

import pytest
import torch

from tests.worldmodel.virtual_patients import (
    AV_BLOCKER,
    HERG_BLOCKER,
    NO_DRUG,
    PROLONG_PR,
    PROLONG_QT,
    generator,
)
from worldmodel.pharmacology import EFFECTS, Action, DrugExposure, EffectProfile
from worldmodel.response import PER_DRUG, doubts, levels, sample_responses

SINUS, UNKNOWN = torch.zeros(2000, dtype=torch.bool), torch.full((2000,), float("nan"))
QT = [EFFECTS.index("jtpeakc_ms"), EFFECTS.index("tpeak_tend_ms")]


def course(drug: DrugExposure, hours: list[float]) -> list[float]:
    """Plasma of an average person, relative to the reference exposure."""
    plasma, _ = levels(drug, torch.tensor(hours), torch.zeros(1, PER_DRUG), unseen=0.0)
    return [float(x) * math.exp(0.5 * drug.exposure_cv**2) for x in plasma[0]]


def test_oral_course_rises_to_one_at_tmax_and_falls_by_its_half_life() -> None:
    before, zero, early, peak, late, later = course(HERG_BLOCKER, [-1.0, 0.0, 1.0, 2.5, 30.0, 40.0])
    assert before == zero == pytest.approx(0.0, abs=1e-6)
    assert peak == pytest.approx(1.0, abs=2e-3)
    assert 0.3 < early < 1.0
    assert later / late == pytest.approx(0.5, rel=0.02)


def test_infusion_reaches_half_its_plateau_after_one_half_life() -> None:
    infusion = DrugExposure("infusion", 1.0, 0.5, 4.0, EffectProfile(), infusion=True)
    assert course(infusion, [0.0, 4.0, 400.0]) == pytest.approx([0.0, 0.5, 1.0], abs=1e-4)


def test_a_peak_later_than_elimination_allows_is_still_finite() -> None:
    """Tmax beyond 1/ke has no Bateman curve; a short-lived drug must not turn into NaN."""
    odd = DrugExposure("odd", 1.0, 5.0, 0.15, EffectProfile())
    assert all(0.0 <= level <= 1.01 for level in course(odd, [0.1, 1.0, 5.0, 20.0]))


def test_a_drug_given_later_on_the_clock_acts_later() -> None:
    later = replace(HERG_BLOCKER, given_h=3.0)
    assert course(later, [2.9, 5.5]) == pytest.approx([0.0, course(HERG_BLOCKER, [2.5])[0]], abs=1e-5)


def test_the_effect_site_lags_behind_plasma_and_forgets_later() -> None:
    slow = replace(HERG_BLOCKER, effect_half_life_h=1.0)
    plasma, site = levels(slow, torch.tensor([1.0, 12.0]), torch.zeros(1, PER_DRUG), unseen=0.0)
    assert float(site[0, 0]) < 0.7 * float(plasma[0, 0])
    assert float(site[0, 1]) > float(plasma[0, 1])


def test_mean_response_is_the_profile_at_reference_exposure() -> None:
    responses = sample_responses([PROLONG_QT], UNKNOWN, SINUS, generator(1))[0]
    assert responses[:, QT].mean(0).tolist() == pytest.approx([39.0, 40.0], rel=0.08)
    assert abs(float(responses[:, EFFECTS.index("pr_ms")].mean())) < 0.5


def test_three_samples_already_have_the_mean_and_on_average_the_spread() -> None:
    """The paper's K: the mean effect must not hang on which three people were drawn."""
    three = torch.stack(
        [
            sample_responses([PROLONG_QT], UNKNOWN[:3], SINUS[:3], generator(seed))[0, :, QT]
            for seed in range(300)
        ]
    )
    many = sample_responses([PROLONG_QT], UNKNOWN, SINUS, generator(1))[0, :, QT]
    assert float(three.mean(dim=1).std(dim=0).max()) < 0.3 * float(many.std(dim=0).max())
    assert float(three.var(dim=1).mean(dim=0).sqrt()[0]) == pytest.approx(float(many.std(dim=0)[0]), rel=0.1)


def test_response_is_proportional_to_dose() -> None:
    double = Action((DrugExposure(**{**HERG_BLOCKER.__dict__, "relative_dose": 2.0}),), hours=2.5)
    one, two = sample_responses([PROLONG_QT, double], UNKNOWN, SINUS, generator(2))[:, :, QT].mean(1)
    assert (two / one).tolist() == pytest.approx([2.0, 2.0], rel=0.05)


def test_the_same_person_on_the_same_day_under_every_action() -> None:
    """What no drug touches is identical between actions: they differ by what they do."""
    nothing = replace(NO_DRUG, hours=PROLONG_QT.hours)
    none, drug, soon = sample_responses(
        [nothing, PROLONG_QT, replace(NO_DRUG, hours=2.6)], UNKNOWN, SINUS, generator(3)
    )
    untouched = EFFECTS.index("pr_ms")
    assert torch.equal(none[:, untouched], drug[:, untouched])
    assert not torch.equal(none[:, QT], drug[:, QT])
    assert float(torch.corrcoef(torch.stack([none[:, untouched], soon[:, untouched]]))[0, 1]) > 0.9


def test_av_nodal_drug_slows_fibrillation_though_it_quickens_sinus_rhythm() -> None:
    fibrillating = ~SINUS
    rate = EFFECTS.index("hr_bpm")
    sinus = sample_responses([PROLONG_PR], UNKNOWN, SINUS, generator(4))[0, :, rate].mean()
    af = sample_responses([PROLONG_PR], UNKNOWN, fibrillating, generator(4))[0, :, rate].mean()
    assert float(sinus) == pytest.approx(9.0, rel=0.1)
    assert AV_BLOCKER.effects.hr_bpm_af is not None
    assert float(af) == pytest.approx(AV_BLOCKER.effects.hr_bpm_af, rel=0.1)


def test_low_potassium_enhances_prolongation_and_unknown_potassium_changes_nothing() -> None:
    normal = sample_responses([PROLONG_QT], torch.full((2000,), 4.2), SINUS, generator(5))
    low = sample_responses([PROLONG_QT], torch.full((2000,), 3.0), SINUS, generator(5))
    unknown = sample_responses([PROLONG_QT], UNKNOWN, SINUS, generator(5))
    assert (low[0, :, QT].mean(0) / normal[0, :, QT].mean(0)).tolist() == pytest.approx([1.3, 1.3], rel=0.03)
    assert torch.equal(normal, unknown)


def test_two_half_doses_of_one_drug_are_one_dose() -> None:
    half = replace(HERG_BLOCKER, relative_dose=0.5, mechanism={"ikr_block": 1.0})
    whole = replace(HERG_BLOCKER, mechanism={"ikr_block": 1.0})
    twice, once = sample_responses(
        [Action((half, half), 2.5), Action((whole,), 2.5)], UNKNOWN, SINUS, generator(6)
    )
    assert torch.allclose(twice, once, atol=1e-3)


def test_doubt_follows_exposure_and_adds_in_squares() -> None:
    drug = replace(
        HERG_BLOCKER, effects=EffectProfile({"jtpeakc_ms": 39.0}, {"jtpeakc_ms": 6.0}, {"jtpeakc_ms": 4.0})
    )
    other = replace(drug, name="other")
    at_peak = doubts(Action((drug,), 2.5))
    assert at_peak["jtpeakc_ms"] == pytest.approx(4.0, rel=0.1)
    assert at_peak["qtcf_ms"] == pytest.approx(at_peak["jtpeakc_ms"])
    assert at_peak["pr_ms"] == 0.0
    assert doubts(Action((drug, other), 2.5))["jtpeakc_ms"] == pytest.approx(2**0.5 * at_peak["jtpeakc_ms"])
    assert doubts(Action((drug,), 30.0))["jtpeakc_ms"] < 0.3 * at_peak["jtpeakc_ms"]
    assert set(doubts(NO_DRUG).values()) == {0.0}
