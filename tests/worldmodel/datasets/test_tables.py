"""Large tables by subject: all that is wanted and nothing else, whole or not at all."""

import gzip
from pathlib import Path

import pytest

from worldmodel.datasets import tables as module
from worldmodel.datasets.tables import Tables
from worldmodel.errors import DataSetError

LINES = ["labevent_id,subject_id,itemid,valuenum"] + [
    f"{n},{10 + n % 3},{50 + n % 2},{n}" for n in range(100)
]


def write_gz(path: Path, lines: list[str] = LINES) -> Path:
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return path


def test_rows_of_the_wanted_subjects_and_items_come_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK", 7)
    tables, told = Tables(tmp_path / "t.sqlite"), []
    columns = ("subject_id", "itemid", "valuenum", "only_in_3")
    seen = tables.take(
        "labs", write_gz(tmp_path / "labs.csv.gz"), columns, {"10", "11"}, {"itemid": ["50"]}, told.append
    )
    assert seen == 100 and told == sorted(told) and told[-1] <= 1.0
    rows = tables.of("labs", 10)
    assert [row["valuenum"] for row in rows] == [str(n) for n in range(100) if n % 3 == 0 and n % 2 == 0]
    assert {row["only_in_3"] for row in rows} == {""} and tables.of("labs", 12) == []
    assert tables.subjects("labs") == [10, 11] and tables.subjects("labs", at_least=18) == []
    assert tables.of("never_taken", 10) == []


def test_a_table_that_breaks_off_leaves_nothing_and_a_taken_one_is_not_read_again(tmp_path: Path) -> None:
    whole = write_gz(tmp_path / "labs.csv.gz")
    cut = tmp_path / "cut.csv.gz"
    tables = Tables(tmp_path / "t.sqlite")
    content = whole.read_bytes()
    for damaged in (content[:-40], content[:60] + bytes(40) + content[100:], b"no archive"):
        cut.write_bytes(damaged)
        with pytest.raises(DataSetError, match="cannot be read"):
            tables.take("labs", cut, ("subject_id", "valuenum"))
        assert tables.of("labs", 10) == []
    tables.take("labs", whole, ("subject_id", "valuenum"))
    tables.close()
    whole.write_bytes(bytes(whole.stat().st_size))  # nobody looks into it any more
    again = Tables(tmp_path / "t.sqlite")
    assert again.take("labs", whole, ("subject_id", "valuenum")) == 100
    assert len(again.of("labs", 10)) == 34
    assert (
        again.take("labs", write_gz(tmp_path / "other.csv.gz", LINES[:11]), ("subject_id", "valuenum")) == 10
    )
    assert len(again.of("labs", 10)) == 4


def test_a_table_of_another_layout_is_told(tmp_path: Path) -> None:
    source = write_gz(tmp_path / "labs.csv.gz", ["subject_id,value", "1,2"])
    with pytest.raises(DataSetError, match="no column itemid"):
        Tables(tmp_path / "t.sqlite").take("labs", source, ("subject_id", "value"), None, {"itemid": ["1"]})


def test_a_subject_inside_another_identifier_is_found(tmp_path: Path) -> None:
    source = write_gz(tmp_path / "d.csv.gz", ["emar_id,dose", "10-1,5", "10-2,6", "11-1,7"])
    tables = Tables(tmp_path / "t.sqlite")
    tables.take("d", source, ("emar_id", "emar_id", "dose"), {"10"})
    assert [(row["emar_id"], row["dose"]) for row in tables.of("d", 10)] == [("10-1", "5"), ("10-2", "6")]
