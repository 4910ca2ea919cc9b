"""Which files of a folder are recordings: each once, sorted, and nothing else taken for one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.made_records import write_record
from tools.find import find_recordings
from worldmodel.ecg import Ecg
from worldmodel.readers.stated import Stated


def test_of_a_folder_each_record_is_found_once_and_other_files_are_counted(
    tmp_path: Path, made_ecg: Callable[..., Ecg]
) -> None:
    second = write_record(tmp_path / "b", "r2", made_ecg())
    first = write_record(tmp_path / "a", "r1", made_ecg())
    third = write_record(tmp_path, "r3", made_ecg())
    (tmp_path / "README.md").write_text("what is here")
    (tmp_path / "index.csv").write_text("record,age\nr1,60\nr2,61\n")
    (tmp_path / "a" / "lost.dat").write_bytes(b"\x00\x01" * 500)
    write_record(tmp_path / ".hidden", "r4", made_ecg())
    (tmp_path / ".unfinished-r5.hea").write_text("r5 1 500 10")
    found = find_recordings([tmp_path])
    assert found.files == (first, second, third)
    assert (found.passed_over, found.problems) == (3, ())


def test_a_file_that_is_named_is_kept_in_its_place_whatever_it_is(
    tmp_path: Path, made_ecg: Callable[..., Ecg]
) -> None:
    record = write_record(tmp_path / "folder", "r1", made_ecg())
    notes = tmp_path / "notes.txt"
    notes.write_text("not an ECG")
    gone = tmp_path / "gone.hea"
    found = find_recordings([gone, tmp_path / "folder", notes])
    assert found.files == (gone, record, notes)


@pytest.mark.parametrize(
    ("other_files", "told"), [(0, "no file at all"), (1, "1 other file."), (2, "2 other files.")]
)
def test_a_folder_without_a_recording_is_a_problem_with_a_hint(
    tmp_path: Path, other_files: int, told: str
) -> None:
    for number in range(other_files):
        (tmp_path / f"{number}.txt").write_text("x")
    (problem,) = find_recordings([tmp_path]).problems
    assert problem.file == str(tmp_path)
    assert problem.error is not None
    assert told in problem.error.message
    assert problem.error.hint


def test_a_folder_that_cannot_be_read_is_a_problem_and_its_neighbours_are_found(
    tmp_path: Path, made_ecg: Callable[..., Ecg], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = write_record(tmp_path / "open", "r1", made_ecg())
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # a superuser, as in a container, may read everything
    found = find_recordings([tmp_path])
    assert found.files == (record,)
    (problem,) = found.problems
    assert problem.file == str(tmp_path / "closed")
    assert problem.error is not None
    assert "Permission denied" in problem.error.message


def test_a_table_counts_where_it_is_said_what_it_holds(tmp_path: Path) -> None:
    table = tmp_path / "ecg.csv"
    table.write_text("\n".join("0.1,0.2" for _ in range(1000)))
    assert find_recordings([tmp_path]).files == ()
    assert find_recordings([tmp_path], Stated(fs_hz=500.0, unit="mV", leads=("I", "II"))).files == (table,)


def test_a_link_that_leads_back_is_not_followed(tmp_path: Path, made_ecg: Callable[..., Ecg]) -> None:
    record = write_record(tmp_path / "a", "r1", made_ecg())
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert find_recordings([tmp_path]).files == (record,)
