"""Small releases with the layout, the headers and the quirks of the published ones, made for tests."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT


def names(text: str) -> list[str]:
    """Of columns, as a header has them."""
    return text.split(",")


UPPER = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
RDVQ_COLUMNS = names(
    "EGREFID,RANDID,SEX,AGE,HGHT,WGHT,SYSBP,DIABP,RACE,ETHNIC,ARMCD,VISIT,EXTRT,EXDOSE,EXDOSU,TPT,BASELINE,PCTEST,"
    "PCSTRESN,PCSTRESU,RR,PR,QT,QRS,JTPEAK,TPEAKTEND,TPEAKTPEAKP,ERD_30,LRD_30,Twave_amplitude,Twave_asymmetry,"
    "Twave_flatness"
)
DMMLD_COLUMNS = [
    *(
        name
        for name in RDVQ_COLUMNS
        if name not in ("EXTRT", "EXDOSE", "EXDOSU", "PCTEST", "PCSTRESN", "PCSTRESU")
    ),
    *("TRTA", "DOF", "LIDO", "MEXI", "MOXI", "MOXI.M2", "DILT"),
]
MEASURED = {"RR": "1000", "PR": "160", "QT": "390", "QRS": "95", "JTPEAK": "220", "TPEAKTEND": "75"}
PERSON = {"SEX": "F", "AGE": "25", "HGHT": "161.5", "WGHT": "54.8", "SYSBP": "114.5", "DIABP": "64.25"}


def beats_mv(seconds: float = 2.0, fs_hz: float = 1000.0, seed: int = 0) -> NDArray[np.float64]:
    """(12, time): narrow waves in eight leads, limb leads by Einthoven's law."""
    rng = np.random.default_rng(seed)
    time = np.arange(0.0, seconds, 1.0 / fs_hz)
    eight = np.zeros((8, time.size))
    for at in np.arange(0.4, seconds, 0.8):
        for delay, width, height in ((0.0, 0.012, 1.0), (0.26, 0.04, 0.3)):
            sizes = height * rng.uniform(0.4, 1.2, 8)
            eight += sizes[:, None] * np.exp(-0.5 * ((time - at - delay) / width) ** 2)
    return np.asarray(TWELVE_FROM_EIGHT @ eight)


def write_record(
    stem: Path,
    samples_mv: NDArray[np.float64],
    fs_hz: int,
    leads: Sequence[str] = LEADS,
    gain: str = "400(0)/mV",
) -> None:
    """WFDB format 16. gain: as the header writes it; what is per uV is that of microvolts."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    unit = 1000.0 if gain.endswith("uV") else 1.0
    scaled = np.rint(samples_mv * unit * float(gain.split("(")[0]))
    counts = np.where(np.isnan(scaled), -32768, scaled).astype("<i2")
    lines = [f"{stem.name} {len(leads)} {fs_hz} {counts.shape[1]}"]
    lines += [
        f"{stem.name}.dat 16 {gain} 16 0 {row[0]} 0 0 {lead}" for row, lead in zip(counts, leads, strict=True)
    ]
    stem.with_name(stem.name + ".hea").write_text("\n".join(lines) + "\n")
    stem.with_name(stem.name + ".dat").write_bytes(counts.T.tobytes())


def write_csv(
    path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]], missing: str = "NA"
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval=missing, quoting=csv.QUOTE_MINIMAL)
        writer.writeheader()
        writer.writerows(rows)


def write_ecgrdvq(folder: Path) -> Path:
    """Subject 1001: dofetilide in period 1 (one PR wrapped), quinidine in 2, placebo in 3; triplicates at 0.5 h before
    and 2 h after."""
    arms = {
        1: {"EXTRT": "Dofetilide", "EXDOSE": "500", "EXDOSU": "ug"},
        2: {"EXTRT": "Quinidine Sulph", "EXDOSE": "400", "EXDOSU": "mg"},
        3: {"EXTRT": "Placebo"},
    }
    plasma = {
        1: {"PCTEST": "Dofetilide", "PCSTRESN": "2700", "PCSTRESU": "pg/mL"},
        2: {"PCTEST": "Quinidine", "PCSTRESN": "1500", "PCSTRESU": "ng/mL"},
        3: {},
    }
    rows = []
    for period, arm in arms.items():
        for hours in ("-0.5", "2"):
            for k in range(3):
                identity = f"{period}{'b' if hours == '-0.5' else 'a'}{k}00000-0000-4000-8000-000000000000"
                level = plasma[period] if hours == "2" else {}
                row = {"EGREFID": identity, "RANDID": "1001", **PERSON, "ARMCD": "B,D,E,A,C", **arm, **level}
                row |= {
                    "VISIT": f"PERIOD-{period}-DOSING",
                    "TPT": hours,
                    **MEASURED,
                    "Twave_amplitude": "688.1",
                }
                row["BASELINE"] = "Y" if hours == "-0.5" else "N"
                if (period, hours, k) == (1, "2", 1):
                    row |= {"PR": "-4294966951", "JTPEAK": "NA"}
                rows.append(row)
                write_record(folder / "raw" / "1001" / identity, beats_mv(seed=len(rows)), 1000, UPPER)
    write_csv(folder / "SCR-002.Clinical.Data.csv", RDVQ_COLUMNS, rows)
    return folder


def write_ecgdmmld(folder: Path) -> Path:
    """Subject 2001 in the arm of mexiletine with dofetilide, which joins at 6.5 h; once no sample was taken."""
    levels = {
        "-0.5": {},
        "2": {"MEXI": "600", "DOF": "0"},
        "6.5": {"MEXI": "900", "DOF": "1200"},
        "8": {"MOXI.M2": "3"},
    }
    rows = []
    for at, (hours, level) in enumerate(levels.items()):
        identity = f"{at}D7B03F2-8830-4BD2-A524-FFDFD3526628"
        row = {
            "EGREFID": identity,
            "RANDID": "2001",
            **PERSON,
            "ARMCD": "C-A-B-D-E",
            "VISIT": "PERIOD-1-DOSING",
        }
        rows.append(row | {"TRTA": "Mexiletine + Dofetilide", "TPT": hours, **level, **MEASURED})
        write_record(folder / "raw" / "2001" / identity, beats_mv(seed=at), 1000, UPPER)
    write_csv(folder / "SCR-003.Clinical.Data.csv", DMMLD_COLUMNS, rows)
    return folder


def write_ecgcipa(folder: Path) -> Path:
    """Subject 1001, another person than ecgrdvq's: diltiazem with dofetilide, before, at 6 h and, on day 3, at 54 h."""
    times = {"-1": ("1", "-1"), "6": ("2", "6"), "54": ("3", "6")}
    rows = []
    for at, (hours, (number, of_day)) in enumerate(times.items()):
        identity = f"00689D3{at}-8491-4643-B3C8-45241FBBD47C"
        where = {"USUBJID": "1001", "TRTA": "Diltiazem+Dofetilide", "APERIOD": "1", "ATPT": f"{hours} hrs"}
        where |= {"ATPTN": number, "NRRLT": of_day, "ADTM": f"2017-04-0{at + 1}T09:00:00"}
        for name, value in {"HR": "60", "RR": "1000", "QT": "390", "JTP": "220", "PR": ""}.items():
            rows.append({**where, "PARAMCD": name, "AVAL": value, "EGREFID": identity})
        rows.append({**where, "PARAMCD": "QT", "AVAL": "391", "DTYPE": "AVERAGE", "BASE": "380", "CHG": "11"})
        write_record(
            folder / "raw" / "1001" / identity, beats_mv(seed=at), 1000, LEADS, "0.26595744680851063(0)/uV"
        )
    columns = names("USUBJID,TRTA,APERIOD,ATPT,ATPTN,NRRLT,ADTM,PARAMCD,AVAL,BASE,CHG,DTYPE,EGREFID")
    write_csv(folder / "adeg.csv", columns, rows, missing="")
    plasma = [
        {"ATPTN": "2", "PARAMCD": "DOF", "AVAL": "1500", "PCSTRESU": "pg/mL"},
        {"ATPTN": "2", "PARAMCD": "DIL", "AVAL": "0", "LLOQFL": "Y", "PCSTRESU": "ng/mL"},
    ]
    plasma = [{"USUBJID": "1001", "APERIOD": "1", **row} for row in plasma]
    write_csv(
        folder / "adpc.csv",
        names("USUBJID,APERIOD,ATPTN,PARAMCD,AVAL,LLOQFL,PCSTRESU"),
        plasma,
        missing="",
    )
    person = [{"USUBJID": "1001", "AGE": "44", "SEX": "M", "RACE": "  WHITE"}]
    write_csv(folder / "adsl.csv", ["USUBJID", "AGE", "SEX", "RACE"], person)
    write_csv(
        folder / "addm.csv",
        ["USUBJID", "PARAMCD", "AVAL"],
        [{"USUBJID": "1001", "PARAMCD": "WEIGHT", "AVAL": "80"}],
    )
    return folder
