"""Prepared data: what goes in comes out, a stop loses nothing, what is damaged is said."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.datasets.releases import beats_mv
from worldmodel.datasets import preparing
from worldmodel.datasets.preparing import encode, prepare
from worldmodel.datasets.splits import split_of
from worldmodel.datasets.store import FS_HZ, SAMPLES, Part, Store, part_stem
from worldmodel.datasets.transition import Context, Dose, Fact, Given, Recording, SubjectRecords, Transition
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import DataSetError, EcgFileError
from worldmodel.pharmacology import PatientContext


class MadeRoom:
    """Three recordings of each subject, the last unreadable for one; it counts what is read."""

    name = "made"
    subjects = tuple(f"made/{n}" for n in range(5))

    def __init__(self, stop_at: str = "") -> None:
        self.read_subjects: list[str] = []
        self.stop_at = stop_at

    def read(self, subject: str) -> SubjectRecords:
        self.read_subjects.append(subject)
        if subject == self.stop_at:
            raise KeyboardInterrupt
        before, *after = (
            Recording(f"{subject}-{k}", time="2150", measured={"qt_ms": 400.5}) for k in range(3)
        )
        context = Context(
            PatientContext(70.0, None, 3.1), (Fact("potassium", 3.1, "mmol/L", -2.0),), ("icd10:I48",)
        )
        given = Given((Dose("sotalol", 80.0, "mg", "oral", 0.0, plasma_ng_ml=None),), "B")
        transitions = tuple(
            Transition(f"{one.id}/t", self.name, subject, before, -1.0, given, context, 2.0, one)
            for one in after
        )
        return SubjectRecords((before, *after), transitions)

    def ecg(self, recording: Recording) -> Ecg:
        if recording.id == "made/2-2":
            raise EcgFileError("made/2-2 is damaged.")
        number = int(recording.id[5]) * 3 + int(recording.id[-1])
        return Ecg(beats_mv(10.0, FS_HZ, number), FS_HZ, LEADS)

    def split_of(self, subject: str) -> str:
        return split_of(subject)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "PART_RECORDINGS", 4)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_what_was_put_in_comes_out_memory_mapped(tmp_path: Path) -> None:
    room = MadeRoom()
    manifest = prepare(room, tmp_path, {"hours": 2})
    assert (manifest["recordings"], manifest["transitions"], manifest["parts"]) == (14, 9, 3)
    store = Store(tmp_path)
    found = list(store.transitions())
    expected = [t for s in room.subjects for t in room.read(s).transitions if t.after.id != "made/2-2"]
    assert [t for _, t in found] == expected
    part, transition = found[-1]
    assert isinstance(part.samples, np.memmap)
    out = part.ecg(transition.after)
    assert np.abs(out.samples_mv - room.ecg(transition.after).samples_mv).max() <= 0.0005
    assert len(list(store.recordings())) == 14


def test_an_unreadable_recording_is_listed_and_its_transitions_are_left_out(tmp_path: Path) -> None:
    manifest = prepare(MadeRoom(), tmp_path, {})
    assert (manifest["skipped"], manifest["left_out"]) == (1, 1)
    skipped = [one for part in Store(tmp_path).parts for one in part.facts.skipped]
    assert [(one.recording, one.reason) for one in skipped] == [("made/2-2", "made/2-2 is damaged.")]


def test_splits_are_stored_and_no_subject_is_in_two(tmp_path: Path) -> None:
    prepare(MadeRoom(), tmp_path, {})
    store = Store(tmp_path)
    assert store.splits == {subject: split_of(subject) for subject in MadeRoom.subjects}
    seen = {
        split: {t.subject for _, t in store.transitions(split)} for split in ("train", "validation", "test")
    }
    assert sum(map(len, seen.values())) == len(set().union(*seen.values())) == 5


def test_a_stopped_preparation_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    prepare(MadeRoom(), tmp_path / "whole", {})
    with pytest.raises(KeyboardInterrupt):
        prepare(MadeRoom(stop_at="made/3"), tmp_path / "torn", {})
    with pytest.raises(DataSetError, match="not prepared to its end"):
        Store(tmp_path / "torn")
    (tmp_path / "torn" / ".unfinished-x").write_bytes(b"left by a kill")
    again = MadeRoom()
    prepare(again, tmp_path / "torn", {})
    assert again.read_subjects == ["made/2", "made/3", "made/4"]
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")
    idle = MadeRoom()
    prepare(idle, tmp_path / "torn", {})
    assert idle.read_subjects == []


def test_another_preparation_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    prepare(MadeRoom(), tmp_path, {"before_h": 24.0})
    with pytest.raises(DataSetError, match="another preparation") as refused:
        prepare(MadeRoom(), tmp_path, {"before_h": 12.0})
    assert "--out" in refused.value.hint


def test_damage_is_said_and_other_layouts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no prepared data set"):
        Store(tmp_path)
    prepare(MadeRoom(), tmp_path, {})
    part_stem(tmp_path, 0).with_suffix(".npy").write_bytes(b"nothing")
    with pytest.raises(DataSetError, match="missing or damaged"):
        _ = Store(tmp_path).parts[0].samples
    with pytest.raises(DataSetError, match="missing or damaged"):
        _ = Part(part_stem(tmp_path, 9)).facts
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "layout": 0}))
    with pytest.raises(DataSetError, match="layout 0"):
        Store(tmp_path)


def test_gaps_stay_gaps_and_defects_are_named_by_lead() -> None:
    samples = beats_mv(10.0, 1000.0)
    samples[7, 2000:3000] = np.nan
    samples[8] = 0.0
    samples[9, 5000] = 12.0
    counts, defects = encode(Ecg(samples, 1000.0, LEADS))
    assert counts.shape == (12, SAMPLES) and counts.dtype == np.int16
    gap = counts == np.iinfo(np.int16).min
    assert gap[7].sum() == 500 and gap[7, 1000:1500].all() and gap.sum() == 500
    assert defects == ("V2: 10% not recorded", "V3: flat", "V4: 12.0 mV")
    error = np.abs(counts[1] / 1000.0 - samples[1, ::2])
    assert error.max() < 0.002  # the rate was halved without moving anything


def test_a_short_recording_ends_in_a_gap_and_one_without_leads_is_refused() -> None:
    counts, defects = encode(Ecg(beats_mv(2.0, FS_HZ), FS_HZ, LEADS))
    assert (counts[:, 1000:] == np.iinfo(np.int16).min).all() and defects[-1] == "only 2.0 s"
    with pytest.raises(EcgFileError, match="no samples"):
        encode(Ecg(np.full((12, 100), np.nan), FS_HZ, LEADS, source="empty"))


def test_a_data_set_without_anything_to_keep_is_a_store_all_the_same(tmp_path: Path) -> None:
    class Empty(MadeRoom):
        def read(self, subject: str) -> SubjectRecords:  # noqa: ARG002
            return SubjectRecords(())

    prepare(Empty(), tmp_path, {})
    store = Store(tmp_path)
    assert list(store.transitions()) == [] and store.parts[0].samples.shape == (0, 12, SAMPLES)
