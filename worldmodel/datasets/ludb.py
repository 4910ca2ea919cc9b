"""LUDB 1.0.1: 200 ECGs with diagnoses and marks on each lead, for the encoder and the labels; nothing is given.

Kalyakulina 2020 (doi:10.1109/ACCESS.2020.3029211), ludb.csv. Sex and age end in a line break, an age may be `>89`, and
a cell holds several statements, one on each line. The header's gains are a normalisation of each lead: the reader takes
raw counts instead, and says so. Marks are read by `worldmodel.evaluation.annotated_sets`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from worldmodel.datasets.rows import read_rows
from worldmodel.datasets.splits import split_of
from worldmodel.datasets.transition import Recording, SubjectRecords
from worldmodel.ecg import Ecg
from worldmodel.errors import DataSetError
from worldmodel.pharmacology import PatientContext

TABLE = "ludb.csv"
_NOT_STATEMENTS = ("ID", "Sex", "Age")


class Ludb:
    """All recordings whose header is there: each is a subject."""

    name = "ludb"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        rows = [row for _, row in read_rows(folder / TABLE, ("ID", "Sex", "Age", "Rhythms"), "LUDB 1.0.1")]
        records = [_recording(row) for row in rows]
        self._records = {
            f"{self.name}/{record.id}": record
            for record in records
            if (folder / record.path).with_suffix(".hea").is_file()
        }
        if not self._records:
            raise DataSetError(
                f"{folder} holds no recordings.", "They are N.hea and N.dat in its folder data."
            )

    @property
    def subjects(self) -> Sequence[str]:
        return sorted(self._records)

    def read(self, subject: str) -> SubjectRecords:
        return SubjectRecords((self._records[subject],))

    def ecg(self, recording: Recording) -> Ecg:
        from worldmodel.readers import read_ecg

        return read_ecg(self._folder / f"{recording.path}.hea")

    def split_of(self, subject: str) -> str:
        return split_of(subject)


def _recording(row: dict[str, str]) -> Recording:
    identity = row["ID"].strip()
    digits = re.search(r"\d+", row["Age"])
    age = None if digits is None else float(digits[0]) + (">" in row["Age"])
    patient = PatientContext(age, {"F": True, "M": False}.get(row["Sex"].strip()))
    said = (
        line.strip()
        for name, cell in row.items()
        if name not in _NOT_STATEMENTS
        for line in cell.splitlines()
    )
    return Recording(
        identity, f"data/{identity}", labels=tuple(line for line in said if line), patient=patient
    )
