"""MIMIC: who was given what and when, which ECGs belong to it, and nothing of the context from after it."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from worldmodel.datasets.made_headers import HEADERS, row_of
from worldmodel.datasets.made_mimic import make_mimic, read_truth
from worldmodel.datasets.mimic import Mimic, Windows, measured, pair
from worldmodel.datasets.mimic_context import Chart, context_at
from worldmodel.datasets.mimic_doses import Administration, read_administrations, was_given
from worldmodel.datasets.mimic_tables import amount_of, find_folder, plain_route, plain_unit, take_clinical
from worldmodel.datasets.tables import Tables
from worldmodel.datasets.transition import Dose, Recording, Transition
from worldmodel.errors import DataSetError

SUBJECT, ZERO = 10_000_032, "2180-07-23 12:00:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mimic, dict[str, dict[str, str]]]]:
    """A made set of 42 patients, so that every trap falls on somebody, and its truth by subject."""
    folder = tmp_path_factory.mktemp("mimic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worldmodel.datasets.made_mimic.PEOPLE", 4)
        make_mimic(folder / "made", 42, labs=10)
    room = Mimic(folder / "made", folder / "tables.sqlite")
    yield room, {f"mimic/{row['subject_id']}": row for row in read_truth(folder / "made")}


def by_trap(made: tuple[Mimic, dict[str, dict[str, str]]], trap: str) -> Transition:
    room, truth = made
    subject = next(s for s, row in truth.items() if trap in row["traps"].split() and s in room.subjects)
    (transition,) = room.read(subject).transitions
    return transition


def test_every_known_patient_gives_the_dose_that_was_given_with_the_two_ecgs_around_it(made) -> None:
    room, truth = made
    assert len(room.subjects) == 41  # the clinical module does not know one of them
    sources = set()
    for subject in room.subjects:
        (transition,) = room.read(subject).transitions
        row = truth[subject]
        (dose,) = transition.given.doses
        assert (dose.drug, dose.given_h, dose.route) == (row["chosen"], 0.0, "iv")
        assert (transition.before.id, transition.after.id) == (row["study_before"], row["study_after"])
        assert transition.before_h < 0 < transition.hours
        sources.add(dose.source)
    assert sources == {"emar", "inputevents", "prescriptions"}


def test_labs_codes_and_weights_from_after_the_dose_are_not_known_at_it(made) -> None:
    room, truth = made
    for subject in room.subjects:
        context = room.read(subject).transitions[0].context
        assert context.patient.potassium_mmol_l == float(truth[subject]["potassium"])
        assert context.diagnoses == ("icd9:4280",)
        assert all(fact.hours is not None and fact.hours <= 0 for fact in context.facts)
        assert next(fact.value for fact in context.facts if fact.name == "weight_kg") < 110


def test_a_dose_range_stays_text_and_two_products_are_one_dose(made) -> None:
    (ranged,) = by_trap(made, "dose_range").given.doses
    assert ranged.amount is None and "-" in ranged.text
    room, truth = made
    whole = next(
        t
        for s in room.subjects
        if not truth[s]["traps"]
        for t in room.read(s).transitions
        if t.given.doses[0].source == "emar" and t.given.doses[0].drug != "esmolol"
    )
    assert whole.given.doses[0].amount in (5.0, 20.0, 150.0) and whole.given.doses[0].unit == "mg"


def test_hidden_ages_stay_a_floor_and_an_ecg_at_the_dose_is_on_neither_side(made) -> None:
    assert by_trap(made, "age_above_89").context.patient.age_years == 91.0
    near = by_trap(made, "ecg_at_the_dose")
    assert near.before_h <= -0.5


def test_leads_go_by_name_though_avf_is_stored_before_avl(made) -> None:
    room, _ = made
    recording = room.read(room.subjects[0]).recordings[0]
    ecg = room.ecg(recording)
    assert ecg.leads[4:6] == ("aVF", "aVL")
    assert (
        abs(ecg.lead("aVL") - (ecg.lead("I") - 0.5 * ecg.lead("II"))).max() < 0.011
    )  # two counts of 1/200 mV


@pytest.mark.parametrize(
    "event, given",
    [
        ("Administered", True),
        ("Delayed Administered", True),
        ("Started in Other Location", True),
        ("Not Given", False),
        ("Not Given per Sliding Scale", False),
        ("Delayed", False),
        ("Flushed", False),
        ("Stopped", False),
        ("", False),
    ],
)
def test_an_event_of_the_emar_was_given_or_not(event: str, given: bool) -> None:
    assert was_given(event) == given


def tables_of(tmp_path: Path, **rows: list[list[object]]) -> Tables:
    """Tables of one patient; tables that are not named are empty or, where they may be, not there."""
    root = tmp_path / "mimiciv"
    for name in {"patients", "admissions", *rows}:
        module = "icu" if name in ("inputevents", "chartevents") else "hosp"
        path = root / module / f"{name}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", newline="") as file:
            csv.writer(file).writerows([HEADERS[name], *rows.get(name, [])])
    tables = Tables(tmp_path / "tables.sqlite")
    take_clinical(tables, root, [SUBJECT])
    return tables


def infusion(item: str, **cells: object) -> list[object]:
    common = {
        "subject_id": SUBJECT,
        "hadm_id": 2,
        "starttime": ZERO,
        "itemid": item,
        "statusdescription": "Changed",
    }
    return row_of("inputevents", **{**common, **cells})


def charted(medication: str, event: str, admission: int) -> list[object]:
    """A row of the eMAR."""
    identity = {"subject_id": SUBJECT, "hadm_id": admission, "emar_id": f"{SUBJECT}-1"}
    return row_of("emar", **identity, charttime=ZERO, medication=medication, event_txt=event)


def test_units_of_infusions_are_mended_where_they_cannot_be_true(tmp_path: Path) -> None:
    tables = tables_of(
        tmp_path,
        inputevents=[
            infusion(
                "221906", amount="4", amountuom="mg", rate="0.0001", rateuom="mg/kg/min", patientweight="80"
            ),
            infusion(
                "225150", amount="0.2", amountuom="mg", rate="0.5", rateuom="mcg/kg/hour", linkorderid="7"
            ),
            infusion("225975", amount="1", amountuom="dose", linkorderid="8"),
            infusion("229420", amount="200", amountuom="mcg", linkorderid="9"),
            infusion(
                "229420", amount="200", amountuom="mcg", linkorderid="9", starttime="2180-07-23 13:00:00"
            ),
        ],
    )
    doses = [one.dose for one in read_administrations(tables, SUBJECT)]
    assert len(doses) == 4  # a change of the rate starts nothing
    norepinephrine = next(d for d in doses if d.drug == "norepinephrine")
    assert norepinephrine.rate == pytest.approx(0.1) and norepinephrine.rate_unit == "ug/kg/min"
    assert [(d.amount, d.unit) for d in doses if d.drug == "dexmedetomidine"] == [(200.0, "ug")] * 2
    heparin = next(d for d in doses if d.drug == "heparin")
    assert heparin.amount is None and heparin.text == "1 dose"


def test_an_order_counts_only_where_no_administration_could_have_been_charted(tmp_path: Path) -> None:
    def order(drug: str, admission: int, kind: str = "MAIN") -> list[object]:
        cells = {
            "subject_id": SUBJECT,
            "hadm_id": admission,
            "starttime": ZERO,
            "drug_type": kind,
            "drug": drug,
        }
        return row_of("prescriptions", **cells, dose_val_rx="25", dose_unit_rx="mg", route="PO/NG")

    event = charted("Sotalol", "Not Given", admission=1)
    orders = [order("Sotalol", 1), order("Metoprolol Tartrate", 2), order("5% Dextrose", 2, "BASE")]
    given = read_administrations(tables_of(tmp_path, prescriptions=orders, emar=[event]), SUBJECT)
    assert [(one.dose.drug, one.dose.source, one.dose.route) for one in given] == [
        ("metoprolol tartrate", "prescriptions", "oral")
    ]


def test_what_two_tables_say_of_one_push_was_given_once(tmp_path: Path) -> None:
    event = charted("Amiodarone", "Administered", admission=2)
    push = infusion("221347", amount="150", amountuom="mg", starttime="2180-07-23 12:20:00")
    later = infusion("221347", amount="360", amountuom="mg", starttime="2180-07-23 14:00:00", linkorderid="3")
    given = read_administrations(tables_of(tmp_path, emar=[event], inputevents=[push, later]), SUBJECT)
    assert [(one.dose.source, one.time[11:16]) for one in given] == [
        ("emar", "12:00"),
        ("inputevents", "14:00"),
    ]


def given_at(time: str, drug: str) -> Administration:
    return Administration(f"2180-07-23 {time}:00", "1", Dose(drug))


def taken_at(*times: str) -> list[Recording]:
    return [Recording(time, time=f"2180-07-23 {time}:00") for time in times]


def test_an_action_has_the_last_ecg_before_it_and_the_first_after_it() -> None:
    recordings = taken_at("06:00", "11:00", "11:58", "12:05", "15:00", "18:00")
    (episode,) = pair(recordings, [given_at("12:00", "sotalol"), given_at("12:20", "ondansetron")], Windows())
    assert (episode.before.id, episode.after.id) == ("11:00", "15:00")
    assert [one.dose.drug for one in episode.drugs] == ["sotalol", "ondansetron"]
    assert not pair(recordings, [given_at("12:00", "sotalol")], Windows(before_h=0.5))
    assert not pair(recordings, [given_at("12:00", "sotalol")], Windows(after_until_h=2.0))


def test_a_repeated_dose_between_the_same_ecgs_starts_nothing() -> None:
    given = [given_at("12:00", "sotalol"), given_at("14:00", "sotalol"), given_at("14:10", "ondansetron")]
    first, second = pair(taken_at("11:00", "18:00"), given, Windows())
    assert first.drugs == (given[0],) and second.drugs == (given[2],)


def test_sentinels_of_the_machine_are_not_measured() -> None:
    row = {"rr_interval": "65535", "p_onset": "29999", "qrs_onset": "400", "qrs_end": "494", "t_end": "800"}
    assert measured(row) == {"qrs_ms": 94.0, "qt_ms": 400.0}
    assert measured({**row, "rr_interval": "1000", "t_end": "300"}) == {
        "rr_ms": 1000.0,
        "hr_bpm": 60.0,
        "qrs_ms": 94.0,
    }
    assert measured({}) == {}


def test_a_rhythm_of_the_monitor_and_vital_signs_are_those_before() -> None:
    def vital(item: str, time: str, **cells: str) -> dict[str, str]:
        return {
            "itemid": item,
            "charttime": time,
            "storetime": time,
            "value": "",
            "valuenum": "",
            "valueuom": "",
        } | cells

    vitals = [
        vital("220048", "2180-07-23 11:00:00", value="AF (Atrial Fibrillation)"),
        vital("220048", "2180-07-23 13:00:00", value="SR (Sinus Rhythm)"),
        vital("220179", "2180-07-23 11:30:00", valuenum="97", valueuom="mmHg"),
        vital("220179", "2180-07-19 11:30:00", valuenum="140", valueuom="mmHg"),
        vital("220277", "2180-07-23 11:30:00", valuenum="101", valueuom="%"),
    ]
    patient = {"gender": "M", "anchor_age": "60", "anchor_year": "2178"}
    context = context_at(Chart(patient, [], [], [], vitals, []), ZERO, 72.0)
    assert context.rhythm.startswith("AF") and context.patient.age_years == 62.0
    assert [(fact.name, fact.value, fact.hours) for fact in context.facts] == [("systolic_bp", 97.0, -0.5)]


@pytest.mark.parametrize(
    ("text", "amount"),
    [("25", 25.0), ("1,000", 1000.0), (".5", 0.5), ("1e-05", 1e-5), ("5-10", None), ("___", None)],
)
def test_a_dose_is_a_number_or_nothing(text: str, amount: float | None) -> None:
    assert amount_of(text) == amount


def test_units_and_routes_are_written_as_elsewhere() -> None:
    assert [plain_unit(u) for u in ("mcg", "mcg/kg/min", "UNIT", "grams", "mEq")] == [
        "ug",
        "ug/kg/min",
        "unit",
        "g",
        "meq",
    ]
    assert [plain_route(r) for r in ("PO/NG", "IV DRIP", "SL", "SC")] == ["oral", "iv", "sublingual", "sc"]


def test_what_is_lacking_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"record_list\.csv"):
        Mimic(tmp_path, tmp_path / "tables.sqlite")
    (tmp_path / "record_list.csv").write_text("subject_id,study_id,file_name,ecg_time,path\n")
    with pytest.raises(DataSetError, match=r"hosp/patients"):
        Mimic(tmp_path, tmp_path / "tables.sqlite")
    assert find_folder(tmp_path, "record_list.csv") == tmp_path
    for release in ("2.2", "3.1"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "patients.csv").write_text("subject_id\n")
    with pytest.raises(DataSetError, match="more than once"):
        find_folder(tmp_path, "patients.csv")


def test_a_release_without_machine_measurements_or_icu_is_read_all_the_same(tmp_path: Path) -> None:
    """As the demo of MIMIC-IV-ECG is; and MIMIC-IV 2.2 lacks the columns of providers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worldmodel.datasets.made_mimic.PEOPLE", 1)
        make_mimic(tmp_path / "made", 3, labs=6)
    (tmp_path / "made/mimic-iv-ecg/machine_measurements.csv").unlink()
    for file in (tmp_path / "made/mimiciv/icu").iterdir():
        file.unlink()
    emar = tmp_path / "made/mimiciv/hosp/emar.csv.gz"
    with gzip.open(emar, "rt", newline="") as file:
        rows = [
            [cell for name, cell in zip(HEADERS["emar"], row, strict=True) if name != "enter_provider_id"]
            for row in csv.reader(file)
        ]
    with gzip.open(emar, "wt", newline="") as file:
        csv.writer(file).writerows(rows)
    room = Mimic(tmp_path / "made", tmp_path / "tables.sqlite")
    records = room.read(room.subjects[2])
    assert len(records.transitions) == 1 and records.recordings[0].measured == {}
