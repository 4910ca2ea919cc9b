"""A made data set of the shape of MIMIC-IV 3.1 and MIMIC-IV-ECG 1.0, of any size: no patient in it exists.

    OUT/mimic-iv-ecg/   record_list.csv, machine_measurements.csv, files/p1000/p10000000/s.../...
    OUT/mimiciv/        hosp and icu, .csv.gz
    OUT/truth/          policy.json: how the clinician chose; episodes.csv: for each dose the two ECGs, the true
                        intervals and potassium before it, which drug was chosen, and the probability of each

The traps of the real thing are planted, and `traps` in episodes.csv names those of a patient. The clinician is known
(`made_policy`), so that whoever reads the set can say how much of the policy was recovered.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from worldmodel.datasets.made_chart import Visit, chart_rows
from worldmodel.datasets.made_headers import HEADERS, row_of
from worldmodel.datasets.made_people import Person, draw_people
from worldmodel.datasets.made_policy import CANDIDATES, Policy
from worldmodel.datasets.made_recordings import machine_row, write_recording
from worldmodel.datasets.mimic_tables import INFUSED, LABS
from worldmodel.errors import DataSetError

FIRST_SUBJECT, FIRST_STUDY = 10_000_000, 40_000_000
PEOPLE = 32
Progress = Callable[[float], None]
Rows = dict[str, list[list[Any]]]


@dataclass(frozen=True)
class MadeSet:
    """How much was made."""

    patients: int
    recordings: int
    rows: dict[str, int]


def make_mimic(
    out: Path,
    patients: int,
    seed: int = 0,
    labs: int = 60,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> MadeSet:
    """Write the data set into the empty or new folder `out`. labs: rows of labevents for each patient.

    The same arguments give the same files. Raises DataSetError where `out` holds something.
    """
    if out.exists() and any(out.iterdir()):
        raise DataSetError(f"{out} is not empty.", "Choose a folder that is not there yet.")
    policy = policy or Policy()
    people = draw_people(min(PEOPLE, patients), seed)
    counts: dict[str, int] = {}
    recordings = 0
    with ExitStack() as stack:
        tables = {name: stack.enter_context(_Table(out / path)) for name, path in _paths().items()}
        tables["d_items"].write(
            [row_of("d_items", itemid=item, label=name) for item, name in INFUSED.items()]
        )
        tables["d_labitems"].write([[item, lab.name, "Blood", "Chemistry"] for item, lab in LABS.items()])
        for number in range(patients):
            visit = _visit(number, people, seed, policy)
            rows = chart_rows(visit, labs)
            recordings += len(_write_ecgs(out / "mimic-iv-ecg", visit, rows))
            rows["episodes"] = [_truth(visit)]
            for name, of in rows.items():
                tables[name].write(of)
                counts[name] = counts.get(name, 0) + len(of)
            if progress:
                progress((number + 1) / patients)
    truth = json.dumps({"seed": seed, "patients": patients, "policy": policy.described()}, indent=1)
    (out / "truth" / "policy.json").write_text(truth + "\n", encoding="utf-8")
    (out / "README.md").write_text(
        "Made data: no patient in it exists. The shape is that of MIMIC-IV.\n", "utf-8"
    )
    return MadeSet(patients, recordings, counts)


def read_truth(out: Path) -> Iterator[dict[str, str]]:
    """The rows of truth/episodes.csv. Raises DataSetError where there are none."""
    file = out / "truth" / "episodes.csv"
    if not file.is_file():
        raise DataSetError(f"There is no {file}.", "Only a made data set has a known policy: `data make`.")
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _paths() -> Mapping[str, str]:
    ecg = {name: f"mimic-iv-ecg/{name}.csv" for name in ("record_list", "machine_measurements")}
    icu = {
        name: f"mimiciv/icu/{name}.csv.gz" for name in ("inputevents", "chartevents", "icustays", "d_items")
    }
    hosp = {name: f"mimiciv/hosp/{name}.csv.gz" for name in HEADERS if name not in (*ecg, *icu, "episodes")}
    return {**ecg, **icu, **hosp, "episodes": "truth/episodes.csv"}


class _Table:
    """One CSV file with its header, compressed where its name says so."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "_Table":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = self._path.open("wb")
        # Without a time in the file the same seed gives the same bytes.
        packed = self._path.suffix == ".gz"
        self._packed = gzip.GzipFile("", "wb", 1, self._raw, mtime=0) if packed else None
        self._text = io.TextIOWrapper(self._packed or self._raw, "utf-8", newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(HEADERS[self._path.name.split(".")[0]])
        return self

    def write(self, rows: list[list[Any]]) -> None:
        self._writer.writerows(rows)

    def __exit__(self, *_: object) -> None:
        self._text.close()
        self._raw.close()


def _visit(number: int, people: list[Person], seed: int, policy: Policy) -> Visit:
    random = np.random.default_rng((seed, number))
    person = people[number % len(people)]
    chances = policy.probabilities(person.hr_bpm, person.qtcf_ms, person.pr_ms)
    chosen = int(random.choice(len(CANDIDATES), p=chances))
    subject, study = FIRST_SUBJECT + 17 * number, FIRST_STUDY + 8 * number
    return Visit(number, subject, study, person, number % len(people), chosen, tuple(chances), random)


def _write_ecgs(folder: Path, visit: Visit, rows: Rows) -> list[int]:
    """The recordings of a visit and their rows; the studies that were written."""
    rows["record_list"], rows["machine_measurements"] = [], []
    studies = []
    for study, time, counts, defect in visit.recordings():
        subject = visit.subject
        path = f"files/p{str(subject)[:4]}/p{subject}/s{study}/{study}"
        write_recording(folder / path, counts, defect)
        rows["record_list"].append([subject, study, study, time, path])
        rows["machine_measurements"].append(machine_row(visit, study, time))
        studies.append(study)
    return studies


def _truth(visit: Visit) -> list[Any]:
    person = visit.person
    pr_ms = "" if person.pr_ms is None else f"{person.pr_ms:.3f}"
    return [
        visit.subject,
        visit.at(0.0),
        visit.study_before,
        visit.study_after,
        visit.person_number,
        f"{person.hr_bpm:.3f}",
        f"{person.qtcf_ms:.3f}",
        pr_ms,
        person.potassium,
        CANDIDATES[visit.chosen].drug,
        *(f"{chance:.6f}" for chance in visit.chances),
        " ".join(visit.traps),
    ]
