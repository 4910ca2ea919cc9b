"""Labelled recordings: LUDB's table of diagnoses, SNOMED CT codes of the 2021 challenge, and virtual patients."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.ecg import standard_twelve
from worldmodel.errors import EcgFileError
from worldmodel.labels.facts import Facts
from worldmodel.pharmacology import Action
from worldmodel.preprocessing import FS_HZ, to_twelve
from worldmodel.readers import read_ecg
from worldmodel.virtual.patients import Patients
from worldmodel.virtual.trial import sample_transitions

VIRTUAL = "virtual trial"
_FAST_BPM, _SLOW_BPM, _LONG_PR_MS, _NARROW_MS = 100.0, 60.0, 200.0, 110.0
_VIRTUAL_BATCH = 64

# SNOMED CT codes of the PhysioNet/CinC challenge 2021 (its table of diagnoses; from memory, those of the files at
# hand checked).
_CODES: dict[str, tuple[str, ...]] = {
    "sinus": ("426783006", "427084000", "426177001", "427393009"),
    "fibrillation": ("164889003",),
    "flutter": ("164890007",),
    "fast": ("427084000",),
    "slow": ("426177001", "426627000"),
    "ventricular_ectopy": ("427172004", "17338001", "164884008", "11157007"),
    "ventricular_tachycardia": ("164895002",),
    "supraventricular_tachycardia": ("426761007", "713422000", "233897008"),
    "aberrancy": (),
    "preexcitation": ("74390002", "195060002"),
    "block_1": ("270492004",),
    "block_2": ("195042002", "54016002"),
    "block_3": ("27885002",),
    "fascicular": ("445118002", "445211001"),
    "right_block": ("59118001", "713427006", "713426002"),
    "left_block": ("164909002", "733534002", "251120003"),
    "infarction": ("164865005", "57054005", "54329005"),
    "pacing": ("10370003", "251268003", "251266004"),
}


@dataclass(frozen=True)
class Labelled:
    """samples_mv: (12, time) in standard order, NaN where nothing was recorded. name: of the recording in its set."""

    samples_mv: NDArray[np.float64]
    fs_hz: float
    facts: Facts
    origin: str
    name: str


def read_labelled(folder: Path) -> Iterator[Labelled]:
    """The labelled recordings in a folder, or in the folders in it: a table ludb.csv beside data/, or an index.csv
    with columns record and dx. Raises EcgFileError where there are none."""
    tables = {
        path: read
        for name, read in (("ludb.csv", _ludb), ("index.csv", _challenge))
        for path in (folder / name, *sorted(folder.glob(f"*/{name}")))
        if path.is_file()
    }
    if not tables:
        raise EcgFileError(
            f"{folder} holds no labelled recordings.",
            "Name a folder with LUDB (ludb.csv, data/) or a part of the 2021 challenge (index.csv with record and dx).",
        )
    for path, read in tables.items():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                labelled = read(path.parent, row)
                if labelled is not None:
                    yield labelled


def _ludb(folder: Path, row: dict[str, str]) -> Labelled | None:
    name = row["ID"].strip()
    return _labelled(folder / "data" / name, facts_of_ludb(row), "LUDB", name)


def _challenge(folder: Path, row: dict[str, str]) -> Labelled | None:
    name = row["record"].strip()
    return _labelled(folder / name, facts_of_codes(row["dx"].split(",")), "CinC 2021", name)


def _labelled(record: Path, facts: Facts, origin: str, name: str) -> Labelled | None:
    """None where the table names a recording that is not there, as in a part of a set."""
    if not record.with_suffix(".hea").is_file():
        return None
    twelve = standard_twelve(read_ecg(record))
    return Labelled(twelve.samples_mv, twelve.fs_hz, facts, origin, name)


def facts_of_ludb(row: dict[str, str]) -> Facts:
    """Of a row of ludb.csv. An "undefined ischemia/scar" may be an infarct or not: unknown. Quality is not said."""
    said = {column: (text or "").lower().splitlines() for column, text in row.items()}

    def says(column: str, *starts: str) -> bool:
        return any(line.strip().startswith(starts) for line in said[column])

    rhythms, conduction, ischaemia = "Rhythms", "Conduction abnormalities", "Ischemia"
    scar = says(ischaemia, "stemi", "scar")
    return Facts(
        sinus=says(rhythms, "sinus"),
        fibrillation=says(rhythms, "atrial fibrillation"),
        flutter=says(rhythms, "atrial flutter"),
        fast=says(rhythms, "sinus tachycardia"),
        slow=says(rhythms, "sinus bradycardia"),
        ventricular_ectopy=says("Extrasystolies", "ventricular extrasystole"),
        ventricular_tachycardia=says(rhythms, "ventricular tachycardia"),
        supraventricular_tachycardia=says(rhythms, "atrial tachycardia", "supraventricular tachycardia"),
        aberrancy=says(rhythms, "aberrant"),
        preexcitation=says(conduction, "wpw", "preexcitation"),
        block_1=says(conduction, "i degree av"),
        block_2=says(conduction, "ii degree av"),
        block_3=says(conduction, "iii degree av"),
        fascicular=says(conduction, "left anterior hemiblock", "left posterior hemiblock"),
        right_block=says(conduction, "incomplete right", "complete right"),
        left_block=says(conduction, "incomplete left", "complete left"),
        infarction=True if scar else None if says(ischaemia, "undefined") else False,
        pacing=bool(row["Cardiac pacing"].strip()),
    )


def facts_of_codes(codes: list[str]) -> Facts:
    """Of SNOMED CT codes; what is not coded is taken to be absent, quality and aberrancy are not coded."""
    given = {code.strip() for code in codes}
    return Facts(**{fact: bool(given.intersection(of)) for fact, of in _CODES.items() if of})


def sample_virtual(count: int, seed: int) -> Iterator[Labelled]:
    """Recordings before the dose of so many virtual patients, with the facts they were drawn by."""
    generator = torch.Generator().manual_seed(seed)
    for first in range(0, count, _VIRTUAL_BATCH):
        drawn = sample_transitions(min(_VIRTUAL_BATCH, count - first), [Action()], generator)
        samples = to_twelve(drawn.before).double().numpy()
        for row, facts in enumerate(facts_of_patients(drawn.patients)):
            yield Labelled(samples[row], FS_HZ, facts, VIRTUAL, str(first + row))


def facts_of_patients(patients: Patients) -> list[Facts]:
    """What virtual patients were drawn with. Shapes of block, infarcts and noise are not known of them."""
    names = getattr(patients, "labels", None) or [
        "atrial_fibrillation" if irregular else "sinus" for irregular in patients.rhythm.irregular.tolist()
    ]
    marks = patients.timing.landmarks_ms
    columns = (60.0 / patients.timing.rr_s, marks[:, 2] - marks[:, 0], marks[:, 4] - marks[:, 2])
    rows = zip(names, *(column.tolist() for column in columns), strict=True)
    return [_virtual_facts(name, hr_bpm, pr_ms, qrs_ms) for name, hr_bpm, pr_ms, qrs_ms in rows]


def _virtual_facts(rhythm: str, hr_bpm: float, pr_ms: float, qrs_ms: float) -> Facts:
    """rhythm: a name of the virtual trial's rhythms. Narrow beats have no block, wide ones may."""
    conducted = rhythm in ("sinus", "ventricular_ectopy", "atrial_ectopy", "preexcitation")
    wide_block = False if qrs_ms < _NARROW_MS and rhythm != "ventricular_pacing" else None
    return Facts(
        sinus=True if conducted else None if rhythm in ("wenckebach", "av_block_2_to_1") else False,
        fibrillation=rhythm == "atrial_fibrillation",
        flutter=rhythm == "atrial_flutter",
        fast=hr_bpm > _FAST_BPM,
        slow=hr_bpm < _SLOW_BPM,
        ventricular_ectopy=rhythm == "ventricular_ectopy",
        ventricular_tachycardia=False,
        supraventricular_tachycardia=False,
        aberrancy=wide_block,
        preexcitation=rhythm == "preexcitation",
        block_1=conducted and pr_ms > _LONG_PR_MS,
        block_2=rhythm in ("wenckebach", "av_block_2_to_1"),
        block_3=rhythm == "av_block_3",
        right_block=wide_block,
        left_block=wide_block,
        pacing=rhythm in ("ventricular_pacing", "atrial_pacing"),
    )
