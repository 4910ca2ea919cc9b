"""Rules from elsewhere: read from files of their true layout, whole or not at all, and only ever tightening."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from knowledge.candidates import candidates
from knowledge.doses import parse_action
from knowledge.drugs import Catalogue
from knowledge.errors import ImportedRulesError, ImportFileError
from knowledge.imported import (
    FILE,
    NOTHING,
    Imported,
    list_imports,
    load_imported,
    remove_import,
    store_import,
)
from knowledge.importing import Kind, read_import
from knowledge.mask import judge
from knowledge.policy import GRAVITY
from knowledge.rules import load_rules

DDINTER = """DDInterID_A,Drug_A,DDInterID_B,Drug_B,Level
DDInter582,Digoxin,DDInter1263,Omeprazole,Minor
DDInter1174,Metoprolol,DDInter1067,Lisinopril,Major
DDInter8,Heparin,DDInter144,Aspirin,Unknown
DDInter1,Abacavir,DDInter1348,Orlistat,Moderate
"""
QT_LIST = """Generic Name,Brand Names (Partial List),Risk Category
Lisinopril,Zestril,Known Risk of TdP
Nopezine,x,Possible Risk of TdP
"""
OWN_CSV = """drug,partner,severity,text,when,dose,source
heparin,aspirin,W,bleeds here,,,our pharmacy
furosemide,,B,not at night,potassium_mmol_l < 5,> 20 mg,our pharmacy
beta-blocker,lisinopril,C,watch the pressure,,,
"""
OWN_YAML = """rules:
- id: H1
  severity: block
  text: Not in this house
  drugs: [Lopressor]
  when: potassium_mmol_l < 5
- {id: H2, severity: W, text: together, drugs: [heparin], partners: [aspirin]}
"""
LABEL: dict[str, Any] = {
    "meta": {"license": "https://open.fda.gov/license/"},
    "results": [
        {
            "set_id": "1",
            "openfda": {"generic_name": ["METOPROLOL TARTRATE"], "rxcui": ["866427"]},
            "contraindications": ["4 CONTRAINDICATIONS Sick sinus syndrome. Not together with lisinopril."],
            "drug_interactions": ["Digoxin and metoprolol both slow AV conduction."],
        },
        {"set_id": "2", "openfda": {}, "contraindications": ["Anuria."]},
    ],
}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def keep(tmp_path: Path, catalogue: Catalogue) -> Any:
    """Import a text under a name; what the mask then gets."""

    def imported(name: str, text: str, kind: Kind | None = None) -> Imported:
        store_import(read_import(written(tmp_path, name, text), catalogue, kind), tmp_path)
        return load_imported(catalogue, tmp_path)

    return imported


def verdict(bedside: Any, imported: Imported, action: str, **case: Any) -> Any:
    bed = bedside(**case)
    given = [parse_action(action, bed.catalogue)]
    return judge(given, bed.patient, bed.findings, bed.catalogue, bed.rules, imported)[0]


def test_a_pair_of_ddinter_warns_with_its_licence(bedside: Any, keep: Any) -> None:
    imported = keep("ddinter_downloads_code_C.csv", DDINTER)
    for case in ("metoprolol 25 mg oral", "Lopressor 25 mg oral"):
        found = verdict(bedside, imported, case, taking=["Zestril"])
        assert found.verdict == "warning"
        assert "CC BY-NC-SA 4.0" in found.rules[0].source
    washed = {"name": "lisinopril", "last_taken_hours_ago": 2000}
    assert verdict(bedside, imported, "metoprolol 25 mg oral", taking=[washed]).verdict == "allowed"
    assert verdict(bedside, imported, "metoprolol 25 mg oral").verdict == "allowed"


def test_an_interaction_of_unknown_weight_is_not_harmless(bedside: Any, keep: Any) -> None:
    imported = keep("ddinter.csv", DDINTER)
    assert verdict(bedside, imported, "heparin 5000 units sc", taking=["aspirin"]).verdict == "caution"


def test_pairs_of_drugs_that_are_not_in_the_catalogue_are_kept_and_named(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    found = read_import(written(tmp_path, "dd.csv", DDINTER), catalogue)
    assert found.not_mapped == ("abacavir", "orlistat")
    store_import(found, tmp_path)
    assert list_imports(tmp_path)[0].pairs == 4


def test_own_rules_in_yaml_are_judged_by_their_conditions(bedside: Any, keep: Any) -> None:
    imported = keep("mine.yaml", OWN_YAML)
    assert verdict(bedside, imported, "metoprolol 25 mg oral").verdict == "blocked"
    assert verdict(bedside, imported, "metoprolol 25 mg oral", labs={"potassium": 5.0}).verdict == "allowed"
    unknown = verdict(bedside, imported, "metoprolol 25 mg oral", lacks=["potassium"])
    assert (unknown.verdict, unknown.missing) == ("cannot_evaluate", ("potassium",))


def test_own_rules_in_csv_are_pairs_rules_and_classes(bedside: Any, keep: Any) -> None:
    imported = keep("mine.csv", OWN_CSV)
    assert verdict(bedside, imported, "heparin 5000 units sc", taking=["aspirin"]).verdict == "warning"
    assert verdict(bedside, imported, "furosemide 40 mg oral").verdict == "blocked"
    assert verdict(bedside, imported, "furosemide 20 mg oral").verdict == "allowed"
    found = verdict(bedside, imported, "atenolol 50 mg oral", taking=["lisinopril"])
    assert [rule.id for rule in found.rules] == ["mine:line-4"]


def test_a_drug_of_a_qt_list_meets_the_qt_rules(bedside: Any, keep: Any) -> None:
    imported = keep("qtdrugs.csv", QT_LIST)
    found = verdict(bedside, imported, "sotalol 80 mg oral", taking=["lisinopril"])
    assert "R51" in {rule.id for rule in found.rules}
    assert found.verdict == "blocked"


def test_a_label_of_openfda_warns_and_never_blocks(bedside: Any, keep: Any) -> None:
    imported = keep("label.json", json.dumps(LABEL))
    found = verdict(bedside, imported, "metoprolol 25 mg oral", taking=["lisinopril"])
    assert found.verdict == "warning"
    assert "Not together with lisinopril" in found.reason
    assert "CC0" in found.rules[0].source


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dd.csv", DDINTER),
        ("mine.yaml", OWN_YAML),
        ("mine.csv", OWN_CSV),
        ("qt.csv", QT_LIST),
        ("label.json", json.dumps(LABEL)),
    ],
)
def test_an_import_never_makes_a_verdict_safer(bedside: Any, keep: Any, name: str, text: str) -> None:
    imported = keep(name, text)
    bed = bedside(taking=["lisinopril", "aspirin", "omeprazole"], has=["COPD"], labs={"potassium": 3.3})
    actions = candidates("all", None, bed.catalogue)
    plain, tight = (
        judge(actions, bed.patient, bed.findings, bed.catalogue, bed.rules, rules)
        for rules in (NOTHING, imported)
    )
    assert all(
        GRAVITY[after.verdict] >= GRAVITY[before.verdict] for before, after in zip(plain, tight, strict=True)
    )
    assert not {rule.id for rule in imported.rules} & {rule.id for rule in load_rules()}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("dd.csv", DDINTER.replace("Minor", "Awful"), "line 2: 'Awful'"),
        ("dd.csv", DDINTER.replace("DDInter144,Aspirin,Unknown", "Aspirin"), "line 4: 3 cells"),
        ("dd.csv", DDINTER.replace("Lisinopril,Major", ",Major"), "line 3: no drug b"),
        ("x.csv", "one,two\n1,2\n", "line 1"),
        ("empty.csv", "", "line 1"),
        ("mine.yaml", "rules: [\n- {", "line"),
        ("mine.yaml", "- just a list", "line 1"),
        ("mine.yaml", OWN_YAML.replace("when: potassium_mmol_l", "when: potasium"), "line 2: .*potasium"),
        ("mine.yaml", OWN_YAML.replace("heparin", "unobtainium"), "line 7: 'unobtainium'"),
        ("mine.yaml", OWN_YAML.replace("H2", "H1"), "line 7: the id"),
        ("mine.yaml", OWN_YAML.replace("text: together", "colour: red"), "line 7"),
        (
            "mine.yaml",
            OWN_YAML + "- {id: H3, severity: B, text: t, drugs: [heparin], partners: [aspirin]}",
            "line 8: contradicts line 7",
        ),
        ("mine.csv", OWN_CSV.replace("> 20 mg", "a lot"), "line 3"),
        ("qt.csv", QT_LIST.replace("Possible", "Delicious"), "line 3: 'Delicious"),
        ("label.json", '{\n"results": [\n}', "line 3"),
        ("label.json", '{"results": 5}', "line 1"),
    ],
)
def test_a_malformed_file_is_refused_by_file_and_line_and_nothing_is_imported(
    tmp_path: Path, catalogue: Catalogue, name: str, text: str, said: str
) -> None:
    with pytest.raises(ImportFileError, match=said) as refused:
        read_import(written(tmp_path, name, text), catalogue)
    assert name in refused.value.message
    assert refused.value.hint
    assert load_imported(catalogue, tmp_path) is NOTHING


def test_what_is_not_utf8_is_refused_with_its_line(tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / "dd.csv").write_bytes(DDINTER.encode() + b"1,caf\xe9,2,b,Major\n")
    with pytest.raises(ImportFileError, match="line 6"):
        read_import(tmp_path / "dd.csv", catalogue)


def test_an_import_of_the_same_name_replaces_and_can_be_forgotten(
    tmp_path: Path, catalogue: Catalogue, keep: Any
) -> None:
    keep("mine.yaml", OWN_YAML)
    assert len(keep("mine.yaml", OWN_YAML).rules) == 2
    assert remove_import("mine", tmp_path)
    assert not remove_import("mine", tmp_path)
    assert load_imported(catalogue, tmp_path).rules == ()


def test_a_damaged_store_says_so(tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(ImportedRulesError, match="cannot be used"):
        load_imported(catalogue, tmp_path)


def test_two_imports_at_once_are_both_kept(tmp_path: Path, catalogue: Catalogue) -> None:
    files = [written(tmp_path, f"dd{at}.csv", DDINTER) for at in range(4)]
    start = threading.Barrier(4)

    def keep_one(path: Path) -> None:
        found = read_import(path, catalogue)
        start.wait()
        store_import(found, tmp_path)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep_one, files))
    assert [entry.pairs for entry in list_imports(tmp_path)] == [4, 4, 4, 4]


def test_two_files_whose_names_differ_by_an_accent_do_not_answer_for_each_other(
    bedside: Any, keep: Any
) -> None:
    rule = "drug,severity,text,when\nondansetron,{},{},{}\n"
    keep("Ä.csv", rule.format("W", "take care", "pregnant"))
    imported = keep("Ö.csv", rule.format("block", "not here", "female"))
    found = verdict(bedside, imported, "ondansetron 4 mg iv", patient={"sex": "female", "pregnant": False})
    assert found.verdict == "blocked"
    assert len({rule.id for rule in imported.rules}) == 2


def test_without_a_list_of_medications_the_gravest_imported_pair_is_open(bedside: Any, keep: Any) -> None:
    imported = keep(
        "mine.csv", "drug,partner,severity,text\nheparin,aspirin,block,bleeds\nheparin,warfarin,C,x\n"
    )
    found = verdict(bedside, imported, "heparin 5000 units sc", lacks=["medications"])
    without = verdict(bedside, NOTHING, "heparin 5000 units sc", lacks=["medications"])
    told = {rule.id: rule for rule in found.rules}["D-medications"]
    assert told.severity == "B" and "mine:1" in str(told.evidence["rules"])
    assert "mine:" not in str(without.rules)


def test_a_salt_is_its_drug(keep: Any) -> None:
    imported = keep("d.csv", DDINTER.replace("Metoprolol", "Sotalol hydrochloride"))
    assert imported.between("sotalol", "lisinopril")
    label = json.loads(json.dumps(LABEL).replace("METOPROLOL TARTRATE", "SOTALOL HYDROCHLORIDE"))
    assert keep("l.json", json.dumps(label)).between("sotalol", "lisinopril")
