"""A dose of the catalogue becomes an action of the world model without losing or inventing anything."""

import pytest

from knowledge.doses import parse_action
from knowledge.drugs import Drug, load_catalogue
from knowledge.errors import UnknownDrugError
from tools.exposure import NO_DRUG_HOURS, action_of, effects_of
from worldmodel.pharmacology import EFFECTS

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(("dose", "expected"), [("500 ug", 1.0), ("250 ug", 0.5), ("0.125 mg", 0.25)])
def test_dofetilide_counts_from_its_trial_dose_of_500_ug(dose: str, expected: float) -> None:
    """The effects were measured at 500 micrograms; a thousandfold slip of the unit must not pass."""
    (drug,) = action_of(parse_action(f"dofetilide {dose} oral", CATALOGUE), CATALOGUE).drugs
    assert drug.relative_dose == pytest.approx(expected)


def test_without_hours_the_slowest_drug_is_waited_for() -> None:
    both = parse_action("verapamil 120 mg oral + dofetilide 500 ug oral", CATALOGUE)
    alone = [action_of(type(both)(doses=(dose,)), CATALOGUE).hours for dose in both.doses]
    assert action_of(both, CATALOGUE).hours == max(alone)
    assert action_of(both, CATALOGUE, hours=7.0).hours == 7.0


def test_no_drug_is_an_empty_action() -> None:
    action = action_of(parse_action("no drug", CATALOGUE), CATALOGUE)
    assert (action.drugs, action.hours) == ((), NO_DRUG_HOURS)


@pytest.mark.parametrize("drug", CATALOGUE.drugs, ids=lambda drug: drug.id)
def test_every_drug_speaks_the_world_models_language(drug: Drug) -> None:
    """A misspelt effect would be silently without effect."""
    profile = effects_of(drug, CATALOGUE)
    assert set(profile.mean) <= set(EFFECTS)
    assert set(profile.sd) == set(profile.mean)


def test_the_rate_in_atrial_fibrillation_is_an_effect_of_its_own() -> None:
    profile = effects_of(CATALOGUE.get("diltiazem"), CATALOGUE)
    assert profile.hr_bpm_af is not None
    assert profile.hr_bpm_af < profile.mean.get("hr_bpm", 0.0)


def test_an_unknown_route_is_an_error() -> None:
    dose = parse_action("dofetilide 500 ug oral", CATALOGUE).doses[0].model_copy(update={"route": "iv"})
    with pytest.raises(UnknownDrugError):
        action_of(type(parse_action("no drug", CATALOGUE))(doses=(dose,)), CATALOGUE)


def test_a_drug_that_nobody_has_measured_acts_by_its_mechanism_and_says_how_unsure_that_is() -> None:
    known = CATALOGUE.get("dofetilide")
    unmeasured = known.model_copy(update={"effects": type(known.effects)()})
    profile = effects_of(unmeasured, CATALOGUE)
    assert profile.mean["jtpeakc_ms"] > 15.0
    assert profile.mean["tpeak_tend_ms"] > 10.0
    assert profile.sd["jtpeakc_ms"] > profile.doubt["jtpeakc_ms"] > 5.0


def test_doubt_is_a_part_of_the_spread_and_larger_from_memory() -> None:
    read, memory = (effects_of(CATALOGUE.get(name), CATALOGUE) for name in ("moxifloxacin", "haloperidol"))
    for profile in (read, memory):
        assert all(0.0 < profile.doubt[name] <= profile.sd[name] for name in profile.mean)
    assert {fact.confidence for fact in CATALOGUE.get("haloperidol").effects.known().values()} == {"memory"}
    share = [p.doubt["jtpeakc_ms"] / p.sd["jtpeakc_ms"] for p in (read, memory)]
    assert share[0] <= share[1]
