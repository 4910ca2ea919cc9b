"""A made table of the layout of ecgrdvq, shared by tests: three subjects, two arms, known effects."""

import csv
from pathlib import Path

HOURS = (-0.5, 1.0, 2.5, 6.0)
COLUMNS = [
    "RANDID",
    "EXTRT",
    "TPT",
    "PCSTRESN",
    "PCSTRESU",
    "RR",
    "PR",
    "QT",
    "QRS",
    "JTPEAK",
    "TPEAKTEND",
    "Twave_amplitude",
]


def write_table(path: Path, subjects: tuple[int, ...] = (1, 2, 3), **changed: str) -> Path:
    """Dofetilide lengthens J-Tpeak and Tpeak-Tend by 20 and 18 ms at 2.5 h; triplicates scatter by 1 ms."""
    size = {-0.5: 0.0, 1.0: 0.3, 2.5: 1.0, 6.0: 0.6}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for subject in subjects:
            for arm in ("Placebo", "Dofetilide"):
                for hours in HOURS:
                    effect = size[hours] if arm == "Dofetilide" else 0.0
                    for extra in (-1, 0, 1):
                        jt, tt = 220 + 20 * effect + extra, 70 + 18 * effect
                        given = hours > 0 and arm == "Dofetilide"
                        row = {
                            "RANDID": subject,
                            "EXTRT": arm,
                            "TPT": hours,
                            "PCSTRESN": 2700 * effect if given else "NA",
                            "PCSTRESU": "pg/mL" if given else "NA",
                            "RR": 1000,
                            "PR": 160 + 2 * subject,
                            "QT": 95 + jt + tt,
                            "QRS": 95,
                            "JTPEAK": jt,
                            "TPEAKTEND": tt,
                            "Twave_amplitude": 500,
                        }
                        writer.writerow({**row, **changed})
    return path
