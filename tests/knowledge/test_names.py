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
        ("HEPARIN/DEXTROSE 5% 25000 UNITS/250 ML BAG", "heparin"),
        ("KCL IN DEXTROSE-NACL 20-5-0.45 MEQ/L-%-% IV SOLN", "potassium_chloride"),
        ("1000 ML - DEXTROSE 5 % IV SOLN", "dextrose"),
        ("INSULIN LANTUS (PER UNIT)", "insulin_glargine"),
        ("atorvastatin calcium 40 mg tab", "atorvastatin"),
        ("losartan potassium 50 mg", "losartan"),
        ("nor-epinephrine", "norepinephrine"),
        ("NOR EPINEPHRINE 8 mg in 250 mL NS", "norepinephrine"),
        ("potassiumchloride", "potassium_chloride"),
        ("m\u00e9toprolol", "metoprolol"),
        ("sotolol", "sotalol"),
        ("metroprolol", "metoprolol"),
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
        "calcium citrate",
        "magnesium citrate",
        "potassium gluconate",
        "vitamin k2",
        "no amiodarone",
        "digoxin immune fab",
        "racemic epinephrine",
        "\u0430\u043c\u0438\u043e\u0434\u0430\u0440\u043e\u043d",
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
        # Pairs of ISMP's list of confused names, and other neighbours that once were taken for each other.
        ("dobutamine", "dopamine"),
        ("hydralazine", "hydroxyzine"),
        ("hydrolazine", "hydralazine"),
        ("quinidine", "quinine"),
        ("Celebrex", "citalopram"),
        ("Celexa", "celecoxib"),
        ("Cerebyx", "celecoxib"),
        ("Lamisil", "lamotrigine"),
        ("Lamictal", "terbinafine"),
        ("Inderal", "ketorolac"),
        ("propranolol", "propafenone"),
        ("Adderall", "propranolol"),
        ("pentobarbital", "phenobarbital"),
        ("phentobarbital", "phenobarbital"),
        ("ampicillin", "amoxicillin"),
        ("nimodipine", "nifedipine"),
        ("nicardipine", "nifedipine"),
        ("pitavastatin", "pravastatin"),
        ("saxagliptin", "sitagliptin"),
        ("cycloserine", "cyclosporine"),
        ("folinic acid", "folic_acid"),
        ("clotrimazole", "trimethoprim_sulfamethoxazole"),
        ("chlorpropamide", "chlorpromazine"),
        ("vitamin k", "cholecalciferol"),
        ("vitamin c", "cholecalciferol"),
        ("humulin n", "insulin_regular"),
        ("amrinone", "amiodarone"),
        ("Cardura", "amiodarone"),
        ("Zantac", "cetirizine"),
        ("tramadol", "trazodone"),
        ("clonidine", "clonazepam"),
        ("metformin", "metronidazole"),
        ("chlorpromazine", "prochlorperazine"),
        ("levothyroxine", "liothyronine"),
        ("dextromethorphan", "dextrose"),
        ("sodium chlorite", "sodium_chloride"),
    ],
)
def test_look_alikes_are_kept_apart(catalogue: Catalogue, text: str, not_this: str) -> None:
    drug = resolve_drug(text, catalogue).drug
    assert drug is None or drug.id != not_this


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("insulin", "insulin_glargine"),
        ("Insulin 10 units", "insulin_regular"),
        ("Humulin 70/30", "insulin_nph"),
        ("MS 2 mg", "magnesium_sulfate"),
        ("MSO4", "morphine"),
        ("potassium 20 mEq tab", "potassium_chloride"),
        ("calcium 1 g", "calcium_chloride"),
        ("magnesium", "magnesium_sulfate"),
        ("levo", "levothyroxine"),
        ("furosemide and potassium", "potassium_chloride"),
        ("Lopressor HCT", "metoprolol"),
    ],
)
def test_an_ambiguous_name_asks(catalogue: Catalogue, text: str, among: str) -> None:
    found = resolve_drug(text, catalogue)
    assert found.drug is None
    assert found.how == "several"
    assert among in {drug.id for drug in found.suggestions}
    assert len(found.suggestions) > 1


@pytest.mark.parametrize(
    ("brand", "drugs"),
    [
        ("DUONEB", {"albuterol", "ipratropium"}),
        ("Tarka 2-240", {"verapamil", "trandolapril"}),
        ("Nuedexta", {"quinidine", "dextromethorphan"}),
        ("tenoretic", {"atenolol", "chlorthalidone"}),
    ],
)
def test_a_fixed_combination_is_all_of_its_drugs(catalogue: Catalogue, brand: str, drugs: set[str]) -> None:
    found = resolve_drug(brand, catalogue)
    assert found.how == "combination"
    assert {drug.id for drug in found.suggestions} == drugs


def test_a_slip_of_the_pen_never_makes_another_drug(catalogue: Catalogue) -> None:
    """One letter lost, doubled, swapped or changed in every name: mostly the drug, else a question."""
    right = asked = 0
    for drug in catalogue:
        for name in (name.lower() for name in (drug.name, *drug.brands) if name.isalpha() and len(name) > 7):
            for at in (2, len(name) - 2):
                before, letter, after = name[:at], name[at], name[at + 1 :]
                for slip in (before + after, before + letter * 2 + after, before + "q" + after):
                    found = resolve_drug(slip, catalogue)
                    assert found.drug in (drug, None), (slip, name)
                    right += found.drug is drug
                    asked += found.drug is None
    assert right > 4 * asked


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
    assert sum(drug is not None for drug in found.values()) > 0.93 * len(names)
    for name, drug in found.items():
        said = [d for d in catalogue if f" {d.name.lower()} " in f" {name.lower()} "]
        if drug is not None and len(said) == 1:
            assert drug is said[0], name
