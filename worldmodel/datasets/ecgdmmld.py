"""ECGDMMLD: the FDA's trial of dofetilide alone and with lidocaine or mexiletine, and of moxifloxacin with diltiazem.

Johannesen 2016 (doi:10.1002/cpt.205), PhysioNet ecgdmmld 1.0.0 (doi:10.13026/C2D016), the table
SCR-003.Clinical.Data.csv. Its arms are staged: the second drug joins hours after the first, so that TRTA names what a
subject will get, not what is in the blood. Concentrations say that: a drug is on board from the first time of the
period at which it was measurable. Doses and their times are not in the table, and none is made up.
"""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from worldmodel.datasets.ecgrdvq import context_of, recording_of
from worldmodel.datasets.fda_trial import TrialEcg, TrialRoom
from worldmodel.datasets.rows import PER_NG_ML, hours_after, number, optional, read_rows
from worldmodel.datasets.transition import Context, Dose
from worldmodel.errors import DataSetError

TABLE = "SCR-003.Clinical.Data.csv"
NEEDED = ("EGREFID", "RANDID", "VISIT", "TRTA", "TPT", "RR", "PR", "QT", "QRS", "JTPEAK", "TPEAKTEND", "DOF")
# Column, drug, unit and route. MOXI.M2, a metabolite, is no drug that was given.
ANALYTES = {
    "DOF": ("dofetilide", "pg/mL", "oral"),
    "LIDO": ("lidocaine", "ng/mL", "iv"),
    "MEXI": ("mexiletine", "ng/mL", "oral"),
    "MOXI": ("moxifloxacin", "ng/mL", "iv"),
    "DILT": ("diltiazem", "ng/mL", "iv"),
}


def open_room(folder: Path) -> TrialRoom:
    """The trial's recordings with what was on board. Raises DataSetError."""
    table = folder / TABLE
    if not table.is_file():
        raise DataSetError(f"There is no table {table}.", f"Give the folder that holds {TABLE}.")
    rows = list(read_rows(table, NEEDED, f"ecgdmmld's {TABLE}"))
    joined: dict[tuple[str, str, str], float] = {}
    for line, row in rows:
        for column in ANALYTES:
            if number(row, column, table, line) > 0:
                key, hours = (row["RANDID"], row["VISIT"], column), hours_after(row, "TPT", table, line)
                joined[key] = min(hours, joined.get(key, np.inf))
    ecgs: dict[str, list[TrialEcg]] = defaultdict(list)
    contexts: dict[str, Context] = {}
    for line, row in rows:
        subject, hours = row["RANDID"], hours_after(row, "TPT", table, line)
        contexts.setdefault(subject, context_of(row, table, line))
        doses = tuple(
            _dose(row, column, table, line)
            for column in ANALYTES
            if hours > 0
            and hours >= joined.get((subject, row["VISIT"], column), np.inf)
            and ANALYTES[column][0] in re.split(r"[^a-z]+", row["TRTA"].lower())
        )
        recording = recording_of(row, table, line, contexts[subject].patient)
        ecgs[subject].append(TrialEcg(recording, row["VISIT"], hours, row["TRTA"], doses))
    return TrialRoom("ecgdmmld", folder, ecgs, contexts)


def _dose(row: dict[str, str], column: str, table: Path, line: int) -> Dose:
    drug, unit, route = ANALYTES[column]
    plasma = optional(number(row, column, table, line) * PER_NG_ML[unit])
    return Dose(drug, route=route, plasma_ng_ml=plasma, source="concentration")
