"""Speed of measuring, and its agreement with human marks where LUDB is at hand.

    python benchmarks/delineation.py [--ludb FOLDER] [--batch 256]

The folder holds `data/*.hea`, `ludb.csv` and `manual_intervals.csv` (medians of the marks per record and lead).
"""

import argparse
import csv
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import TWELVE_FROM_EIGHT, standard_twelve
from worldmodel.measurement import Measurement
from worldmodel.readers import read_ecg

FS_HZ = 500.0
INTERVALS = ("pr_ms", "qrs_ms", "qt_ms")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ludb", type=Path, default=Path(__file__).parents[2] / "shared/data/ludb")
    parser.add_argument("--batch", type=int, default=256)
    arguments = parser.parse_args()
    report_speed(arguments.batch)
    if arguments.ludb.is_dir():
        report_agreement(arguments.ludb)


def report_speed(batch: int) -> None:
    samples = made_ecgs(batch)
    measure_batch(samples[:2], FS_HZ)
    for size in (1, batch):
        wall, cpu = time.perf_counter(), time.process_time()
        measure_batch(samples[:size], FS_HZ)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(
            f"{size:4d} x 12 leads x 10 s: {1000 * wall / size:.1f} ms each ({1000 * cpu / size:.1f} ms of CPU)"
        )


def made_ecgs(batch: int, seed: int = 0) -> NDArray[np.float64]:
    """(batch, 12, 5000) in mV: Gaussian P, QRS and T in eight leads of random size, 55 to 95 beats a minute."""
    rng = np.random.default_rng(seed)
    time_ms = np.arange(5000) * 1000 / FS_HZ
    samples = np.empty((batch, 12, 5000))
    for ecg in samples:
        waves = np.zeros((3, 5000))
        rr_ms = 60_000 / rng.uniform(55, 95)
        for r_ms in np.arange(rng.uniform(0, 500), 11_000, rr_ms):
            for row, (centre, width) in enumerate(((-150, 20), (0, 12), (270, 38))):
                waves[row] += np.exp(-0.5 * ((time_ms - r_ms - centre) / width) ** 2)
        heights = rng.uniform(0.6, 1.4, (8, 3)) * np.array([0.1, 1.0, 0.3])
        ecg[:] = TWELVE_FROM_EIGHT @ (heights @ waves + 0.01 * rng.normal(size=(8, 5000)))
    return samples


def report_agreement(folder: Path) -> None:
    """Ours against the median over leads of the marks, in unpaced sinus rhythm; and PR where there is none."""
    with (folder / "ludb.csv").open(encoding="utf-8") as file:
        labels = {int(row["ID"]): row for row in csv.DictReader(file)}
    records = sorted(int(path.stem) for path in (folder / "data").glob("*.hea"))
    ecgs = [standard_twelve(read_ecg(folder / "data" / str(record))) for record in records]
    measured = dict(zip(records, measure_batch(np.stack([e.samples_mv for e in ecgs]), FS_HZ), strict=True))
    paced = {r for r in records if labels[r]["Cardiac pacing"].strip()}
    sinus = [r for r in records if labels[r]["Rhythms"].startswith("Sinus") and r not in paced]
    for name in INTERVALS:
        print_agreement(name, {r: measured[r] for r in sinus}, human_medians(folder, name))
    no_pr = [r for r in records if "Atrial f" in labels[r]["Rhythms"] or r in paced]
    null = sum(measured[r].intervals.pr_ms is None for r in no_pr)
    print(f"PR is null in {null} of {len(no_pr)} records in fibrillation, flutter or pacing")


def human_medians(folder: Path, name: str) -> dict[int, float]:
    values = defaultdict(list)
    with (folder / "manual_intervals.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row[name] not in ("", "nan"):
                values[int(row["record"])].append(float(row[name]))
    return {record: float(np.median(leads)) for record, leads in values.items()}


def print_agreement(name: str, measured: dict[int, Measurement], marked: dict[int, float]) -> None:
    both = [
        (getattr(m.intervals, name), marked[record]) for record, m in measured.items() if record in marked
    ]
    errors = np.array([ours - human for ours, human in both if ours is not None])
    print(
        f"{name:7s} answered {errors.size}/{len(both)}, mean absolute error {np.abs(errors).mean():.1f} ms, "
        f"median error {np.median(errors):+.1f} ms, SD {errors.std():.1f} ms"
    )


if __name__ == "__main__":
    main()
