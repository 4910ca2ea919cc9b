"""PTB-XL 1.0.3: 21,799 ECGs of 18,869 patients with statements, for the encoder and the labels; nothing is given.

Wagner 2020 (doi:10.1038/s41597-020-0495-6), ptbxl_database.csv. Its ten folds are by patient: 1-8 train, 9 validation,
10 test, as its authors recommend, and these are the splits here. Sex is 0 for male and 1 for female, an age of 300
stands for one above 89, and patient_id is written as a decimal number (from memory: as its description says).
"""

import ast
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from worldmodel.datasets.rows import number, optional, read_rows
from worldmodel.datasets.transition import Recording, SubjectRecords
from worldmodel.ecg import Ecg
from worldmodel.errors import DataSetError
from worldmodel.pharmacology import PatientContext

TABLE = "ptbxl_database.csv"
NEEDED = ("ecg_id", "patient_id", "age", "sex", "recording_date", "scp_codes", "strat_fold", "filename_hr")
ABOVE_89, WRITTEN_AS = 90.0, 300.0
_SPLITS = {9: "validation", 10: "test"}


class PtbXl:
    """All recordings of the 500 Hz version, by patient."""

    name = "ptbxl"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: dict[str, list[Recording]] = defaultdict(list)
        self._splits: dict[str, str] = {}
        table = folder / TABLE
        for line, row in read_rows(table, NEEDED, "PTB-XL 1.0.3"):
            subject = f"{self.name}/{number(row, 'patient_id', table, line):.0f}"
            self._splits[subject] = _SPLITS.get(int(number(row, "strat_fold", table, line)), "train")
            self._records[subject].append(_recording(row, table, line))

    @property
    def subjects(self) -> Sequence[str]:
        return sorted(self._records)

    def read(self, subject: str) -> SubjectRecords:
        return SubjectRecords(tuple(self._records[subject]))

    def ecg(self, recording: Recording) -> Ecg:
        from worldmodel.readers import read_ecg

        return read_ecg(self._folder / recording.path)

    def split_of(self, subject: str) -> str:
        return self._splits[subject]


def _recording(row: dict[str, str], table: Path, line: int) -> Recording:
    age = optional(number(row, "age", table, line))
    female = {0.0: False, 1.0: True}.get(number(row, "sex", table, line))
    patient = PatientContext(ABOVE_89 if age == WRITTEN_AS else age, female)
    labels = _codes(row["scp_codes"], table, line)
    return Recording(row["ecg_id"], row["filename_hr"], row["recording_date"], {}, labels, patient)


def _codes(text: str, table: Path, line: int) -> tuple[str, ...]:
    """Statements of a cell such as {'NORM': 100.0, 'SR': 0.0}: all of them, as a likelihood of 0 means not said."""
    try:
        return tuple(str(code) for code in dict(ast.literal_eval(text)))
    except (ValueError, SyntaxError, TypeError) as error:
        raise DataSetError(
            f"{table.name}, line {line}: scp_codes is {text[:40]!r}.", "Copy the table again."
        ) from error
