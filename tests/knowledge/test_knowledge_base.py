"""The catalogue, the candidates, the check and the search index as they ship."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knowledge.candidates import candidates, goals
from knowledge.check import check
from knowledge.doses import parse_action
from knowledge.drugs import Catalogue, Drug, DrugClass, read_drugs
from knowledge.errors import CatalogueError, StoreError, UnknownDrugError
from knowledge.store import RuleStore, open_store

TRIAL = ("dofetilide", "quinidine", "ranolazine", "verapamil")
SHEET = (
    *TRIAL,
    *(
        "amiodarone",
        "sotalol",
        "ibutilide",
        "flecainide",
        "propafenone",
        "procainamide",
        "lidocaine",
        "mexiletine",
    ),
    *("metoprolol", "esmolol", "atenolol", "diltiazem", "adenosine", "digoxin", "atropine", "norepinephrine"),
    *("epinephrine", "dobutamine", "propofol", "dexmedetomidine", "furosemide", "insulin_regular", "heparin"),
    *(
        "potassium_chloride",
        "magnesium_sulfate",
        "calcium_gluconate",
        "haloperidol",
        "ondansetron",
        "azithromycin",
    ),
    *("levofloxacin", "moxifloxacin", "methadone", "citalopram", "ivabradine"),
)


def test_the_knowledge_base_holds_together() -> None:
    report = check()
    assert report.problems == ()
    assert report.drugs >= 70
    assert report.rules >= 150


def test_what_is_from_memory_waits_for_a_clinician() -> None:
    waiting = {(fact.where, fact.what.partition(":")[0]) for fact in check().waiting}
    assert ("digoxin", "effect on pr_ms") in waiting
    assert ("amiodarone", "peak in plasma, iv") in waiting
    assert ("bisoprolol", "doses and pharmacokinetics, oral") in waiting
    assert ("dofetilide", "effect on jtpeakc_ms") not in waiting
    assert ("quinidine", "ion channels") not in waiting


@pytest.mark.parametrize("drug_id", SHEET)
def test_every_drug_of_the_sheet_can_be_given(catalogue: Catalogue, drug_id: str) -> None:
    assert catalogue.get(drug_id).routes


def test_effects_point_the_known_way(catalogue: Catalogue) -> None:
    def mean(drug_id: str, name: str) -> float:
        return catalogue.get(drug_id).effects.known()[name].mean

    assert mean("dofetilide", "jtpeakc_ms") + mean("dofetilide", "tpeak_tend_ms") == pytest.approx(
        79.1, abs=1
    )
    assert mean("verapamil", "pr_ms") > 20 > abs(mean("verapamil", "jtpeakc_ms"))
    assert mean("ranolazine", "tpeak_tend_ms") > mean("ranolazine", "jtpeakc_ms")
    assert mean("quinidine", "hr_bpm") > 0 > mean("metoprolol", "hr_bpm")
    assert mean("flecainide", "qrs_ms") > 10
    assert mean("digoxin", "jtpeakc_ms") < 0 < mean("digoxin", "pr_ms")
    assert catalogue.get("heparin").effects.known() == {}


def test_candidates_are_the_usual_doses_of_every_drug_of_a_goal(catalogue: Catalogue) -> None:
    rate = {str(action) for action in candidates("rate-control", None, catalogue)}
    assert {"metoprolol 5 mg iv", "diltiazem 10 mg/h iv infusion", "digoxin 0.25 mg oral"} <= rate
    assert not any("dofetilide" in action for action in rate)
    assert len(candidates("all", None, catalogue)) == len(candidates(None, None, catalogue)) > 100
    assert candidates(None, ["Tikosyn"], catalogue) == [
        parse_action(f"dofetilide {dose} ug oral", catalogue) for dose in (125, 250, 500)
    ]


def test_every_goal_has_candidates_and_another_is_refused(catalogue: Catalogue) -> None:
    assert {"rate-control", "rhythm-control", "antiemetic", "sedation", "potassium-correction"} <= set(
        goals(catalogue)
    )
    assert all(candidates(goal, None, catalogue) for goal in goals(catalogue))
    with pytest.raises(UnknownDrugError, match="world-peace"):
        candidates("world-peace", None, catalogue)
    with pytest.raises(UnknownDrugError, match="partner"):
        candidates(None, ["lisinopril"], catalogue)


def test_a_cycle_of_classes_is_refused() -> None:
    classes = {"one": DrugClass(text="1", includes=("two",)), "two": DrugClass(text="2", includes=("one",))}
    with pytest.raises(CatalogueError, match="one > two > one"):
        Catalogue((Drug(id="x", name="x", classes=("one",)),), classes)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("drugs: [", "bad.yaml"),
        ("drugs:\n- {id: x, name: x, classes: [], colour: red}", "colour"),
        ("drugs:\n- {id: x, name: x, classes: []}\n- {id: x, name: y, classes: []}", "twice"),
    ],
)
def test_a_malformed_drug_file_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(CatalogueError, match=said):
        read_drugs(tmp_path)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    open_store(folder)
    return folder


@pytest.fixture(scope="module")
def store(index: Path) -> RuleStore:
    return open_store(index)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what interacts with digoxin?", "R43"),
        ("why no flecainide after an infarct?", "R35"),
        ("Calan and an intravenous beta blocker", "R01"),
        ("antiemetic in long QT", "R61"),
        ("dofetilide with bad kidneys", "R18"),
        ("low potassium and sotalol", "R29"),
        ("is azithromycin safe with amiodarone?", "R65"),
        ("Tisdale", "R57"),
    ],
)
def test_a_question_finds_its_rule(store: RuleStore, question: str, expected: str) -> None:
    hits = store.search(question, 8)
    assert expected in {hit.id for hit in hits}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 and hit.text for hit in hits)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("why no flecainide after an infarct?", {"R35"}),
        ("propranolol and asthma", {"R27"}),
        ("low potassium and sotalol", {"R29"}),
        ("dofetilide with bad kidneys", {"R18", "R18b", "R18c"}),
        ("can I give ondansetron in long QT?", {"R61"}),
    ],
)
def test_the_rule_of_a_drug_and_a_finding_comes_first(
    store: RuleStore, question: str, first: set[str]
) -> None:
    assert store.search(question, 1)[0].id in first


def test_an_empty_question_finds_nothing(store: RuleStore) -> None:
    assert store.search("  ", 5) == []


def test_a_damaged_index_is_built_anew(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(index, folder)
    (built,) = folder.iterdir()
    (built / "chroma.sqlite3").write_bytes(b"not a database")
    assert open_store(folder).search("digoxin", 5) == open_store(index).search("digoxin", 5)


def test_two_at_once_both_get_an_index(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: open_store(tmp_path), range(2))
    assert len(first) == len(second) > 0
    assert not list(tmp_path.glob("building-*"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file"):
        open_store(tmp_path / "file" / "index")
