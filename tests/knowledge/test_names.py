"""Names lead to one drug, to a question, or to nothing; never to a wrong drug."""

import csv
import gzip
import os
from pathlib import Path

import pytest

from knowledge.drugs import Catalogue
from knowledge.names import find_drugs_in, resolve_drug

DATA = Path(os.environ.get("ECGWM_DATA") or Path(__file__).parents[2].parent / "shared/data")


@pytest.mark.parametrize(
    ("text", "drug_id"),
    [
        ("dofetilide", "dofetilide"),
        ("TIKOSYN", "dofetilide"),
        ("metoprolol tartrate (LOPRESSOR) tablet 25 mg", "metoprolol"),
        ("AMIODARONE 150 MG/100 ML D5W", "amiodarone"),
        ("Insulin - Regular", "insulin_regular"),
        ("KCl 20 mEq PB", "potassium_chloride"),
        ("2 ML VIAL : ONDANSETRON HCL 4 MG/2ML IJ SOLN", "ondansetron"),
        ("HEPARIN 25,000 unit(s) in D5W 25", "heparin"),
        ("MgSO4", "magnesium_sulfate"),
        ("amioderone", "amiodarone"),
        ("propanolol", "propranolol"),
        ("co-trimoxazole", "trimethoprim_sulfamethoxazole"),
        ("sulfamethoxazole/trimethoprim", "trimethoprim_sulfamethoxazole"),
    ],
)
def test_a_name_leads_to_its_drug(catalogue: Catalogue, text: str, drug_id: str) -> None:
    found = resolve_drug(text, catalogue)
    assert found.drug is not None
    assert found.drug.id == drug_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mg",
        "dofet",
        "zzyzx",
        "magnesium",
        "calcium",
        "insulin degludec",
        "sodium acetate",
        "penicillin",
        "nimodipine",
    ],
)
def test_what_is_not_surely_a_drug_is_none(catalogue: Catalogue, text: str) -> None:
    assert resolve_drug(text, catalogue).drug is None


@pytest.mark.parametrize(
    ("text", "not_this"),
    [
        ("quinine", "quinidine"),
        ("hydroxyzine", "hydralazine"),
        ("magnesium oxide", "magnesium_sulfate"),
        ("calcium chloride", "calcium_gluconate"),
        ("insulin detemir", "insulin_regular"),
        ("potassium phosphate", "potassium_chloride"),
        ("esomeprazole", "omeprazole"),
        ("epinephrine", "norepinephrine"),
        ("dopamine", "dobutamine"),
        ("prednisone", "prednisolone"),
    ],
)
def test_look_alikes_are_kept_apart(catalogue: Catalogue, text: str, not_this: str) -> None:
    drug = resolve_drug(text, catalogue).drug
    assert drug is None or drug.id != not_this


def test_two_drugs_in_one_name_are_a_combination(catalogue: Catalogue) -> None:
    found = resolve_drug("albuterol-ipratropium 3-0.5mg", catalogue)
    assert found.drug is None
    assert found.how == "combination"
    assert {drug.id for drug in found.suggestions} == {"albuterol", "ipratropium"}


def test_a_misspelt_name_gets_a_suggestion(catalogue: Catalogue) -> None:
    assert "verapamil" in {drug.id for drug in resolve_drug("verapmilo", catalogue).suggestions}


def test_every_name_of_the_catalogue_leads_back_to_its_drug(catalogue: Catalogue) -> None:
    for drug in catalogue:
        for name in drug.names:
            assert resolve_drug(name, catalogue).drug is drug, name
            assert resolve_drug(f"{name.upper()} 10 MG PO TABS", catalogue).drug is drug, name


def test_drugs_are_found_in_running_text(catalogue: Catalogue) -> None:
    text = "What happens to the QTc if I give 500 ug dofetilide, and is Calan safer than metroprolol?"
    found = find_drugs_in(text, catalogue)
    assert [mention.drug.id for mention in found] == ["dofetilide", "verapamil", "metoprolol"]
    assert [text[mention.start :].startswith(mention.text) for mention in found] == [True] * 3


@pytest.mark.skipif(
    not (DATA / "eicu").is_dir(), reason="the eICU demo subset lies beside the checkout, and is not there"
)
def test_a_real_medication_table_resolves(catalogue: Catalogue) -> None:
    """Most of the names of real charts; and none of those that are spelt out becomes another drug."""
    with gzip.open(DATA / "eicu" / "medication.csv.gz", "rt") as file:
        names = {row["drugname"] for row in csv.DictReader(file)} - {""}
    found = {name: resolve_drug(name, catalogue).drug for name in names}
    assert sum(drug is not None for drug in found.values()) > 0.85 * len(names)
    for name, drug in found.items():
        said = [d for d in catalogue if f" {d.name.lower()} " in f" {name.lower()} "]
        if drug is not None and len(said) == 1:
            assert drug is said[0], name
