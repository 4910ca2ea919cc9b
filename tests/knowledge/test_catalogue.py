"""The records of the catalogue: what has to be in each, figures against their sources, and that faults are found."""

import csv
import os
from pathlib import Path
from typing import Any

import pytest

from knowledge.check import check, drug_problems, name_problems
from knowledge.drugs import Catalogue, Drug, DrugClass
from knowledge.names import look_alikes_listed, resolve_drug

DATA = Path(os.environ.get("ECGWM_DATA") or Path(__file__).parents[2].parent / "shared/data")
CURRENTS = {"ikr": "hERGIC50", "ical": "CaLIC50", "late_ina": "Late_sodiumIC50", "ina": "Peak_sodiumIC50"}


def test_seventy_drugs_can_be_given_and_each_record_is_whole(catalogue: Catalogue) -> None:
    given = [drug for drug in catalogue if drug.routes]
    assert len(given) >= 70
    for drug in given:
        assert drug.atc and drug.goals and drug.indications and drug.renal and drug.hepatic, drug.id
    assert [p for drug in given for p in drug_problems(drug, catalogue)] == []


def test_the_trial_is_in_the_records_as_it_was_measured(catalogue: Catalogue) -> None:
    """Mean peaks and effects of drug_effects.md, section A."""
    peaks = {
        "dofetilide": (2.72, 500),
        "quinidine": (1794, 400),
        "ranolazine": (2302, 1500),
        "verapamil": (130, 120),
    }
    for drug_id, (ng_ml, dose) in peaks.items():
        route = catalogue.get(drug_id).route("oral")
        assert route.cmax is not None
        assert (route.cmax.ng_ml, route.cmax.dose, route.reference_dose) == (ng_ml, dose, dose)
        assert route.cmax.confidence == "computed"


def test_the_trial_dose_of_ranolazine_is_a_reference_and_never_offered(catalogue: Catalogue) -> None:
    route = catalogue.get("ranolazine").route("oral")
    assert route.reference_dose == 1500 > route.max_single == max(route.usual_doses) == 1000
    assert "trial" in route.reference_why


@pytest.mark.skipif(
    not (DATA / "cipa").is_dir(), reason="CiPA's table lies beside the checkout, and is not there"
)
def test_potencies_are_those_of_cipa(catalogue: Catalogue) -> None:
    with (DATA / "cipa" / "newCiPA.csv").open(newline="") as file:
        rows = {row["drug"]: row for row in csv.DictReader(file)}
    seen = 0
    for drug_id in rows.keys() & {drug.id for drug in catalogue}:
        channels = catalogue.get(drug_id).channels
        assert channels is not None, drug_id
        for current, column in CURRENTS.items():
            known = float(rows[drug_id][column])
            if 0 < known < 1e6:
                assert channels.ic50_nm[current] == pytest.approx(known, rel=0.005), (drug_id, current)
                seen += 1
            else:
                assert current not in channels.ic50_nm, (drug_id, current)
    assert seen > 50


def make_drug(**changes: Any) -> Drug:
    route = {
        "route": "oral", "unit": "mg", "usual_doses": (1, 2), "max_single": 2, "max_daily": 4, "reference_dose": 2,
        "tmax_h": 1, "half_life_h": 4, "observe_hours": 1, "source": "made", "confidence": "memory",
    } | changes.pop("route", {})  # fmt: skip
    organ = {"text": "none", "source": "made", "confidence": "memory"}
    record = {
        "id": "madeupol", "name": "madeupol", "atc": "C07AB99", "classes": (), "goals": ("rate-control",),
        "indications": ("nothing",), "renal": organ, "hepatic": organ, "routes": (route,),
    } | changes  # fmt: skip
    return Drug.model_validate(record)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"route": {"usual_doses": (2, 1)}}, "not in order"),
        ({"route": {"usual_doses": (1, 3)}}, "over the maximum"),
        ({"route": {"max_daily": 1}}, "maximum of a day"),
        ({"route": {"reference_dose": 5}}, "reference_why"),
        ({"route": {"infusion": True}}, "needs a rate"),
        ({"route": {"unit": "mg/h"}}, "only an infusion"),
        ({"route": {"tmax_h": 7, "observe_hours": 7}}, "later than this half-life"),
        ({"route": {"observe_hours": 6}}, "its peak has passed"),
        ({"mechanism": {"ikr_block": 40}}, "full block"),
        ({"indications": ()}, "no indication"),
        ({"hepatic": None}, "hepatic impairment"),
        ({"aliases": ("verapamil",)}, "does not lead back"),
    ],
)
def test_a_fault_in_a_record_is_found(catalogue: Catalogue, changes: dict[str, Any], said: str) -> None:
    drug = make_drug(**changes)
    small = Catalogue(
        (drug, catalogue.get("verapamil")), {name: DrugClass(text=name) for name in catalogue.classes}
    )
    assert any(said in problem for problem in drug_problems(drug, small)), list(drug_problems(drug, small))


def test_a_sound_record_has_no_problem() -> None:
    drug = make_drug()
    assert list(drug_problems(drug, Catalogue((drug,), {}))) == []


def test_two_drugs_with_one_code_are_found() -> None:
    twins = Catalogue((make_drug(rxcui="123"), make_drug(id="other", name="other", rxcui="123")), {})
    assert any("RxCUI 123" in problem for problem in name_problems(twins))


def test_look_alikes_outside_the_catalogue_resolve_to_nothing(catalogue: Catalogue) -> None:
    """Each of 1,200 names of other medicines; a wrong drug is far worse than none."""
    wrong = {name: found.id for name in look_alikes_listed() if (found := resolve_drug(name, catalogue).drug)}
    assert wrong == {}
    assert len(look_alikes_listed()) > 1000


def test_what_waits_is_listed_with_its_place() -> None:
    waiting = check().waiting
    assert len(waiting) > 500
    assert all(fact.where and fact.what and fact.confidence in ("memory", "policy") for fact in waiting)
