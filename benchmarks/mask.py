"""How long the mask takes on one core: every drug, dose and pair of the catalogue, and bounded triples; the same with
a quarter of a million imported pairs; and how long the search index takes to open.

Seconds are of the processor, so that other work on the machine does not count.

python benchmarks/mask.py
"""

import csv
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

from knowledge.candidates import candidates
from knowledge.doses import GivenAction
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.findings import EcgFindings
from knowledge.imported import NOTHING, Imported, load_imported, store_import
from knowledge.importing import read_import
from knowledge.mask import judge
from knowledge.patient import Patient, load_patient
from knowledge.rules import load_rules

TRIPLES = 20_000
IMPORTED = 250_000
PATIENT = Path(__file__).parents[1] / "examples" / "digoxin_low_potassium.json"
ECG = EcgFindings(
    hr_bpm=96,
    qrs_ms=94,
    qt_ms=360,
    qtcf_ms=421,
    qtcb_ms=455,
    rhythm="atrial_fibrillation",
    av_block_2_or_3=False,
)


def combined(singles: Sequence[GivenAction], size: int) -> list[GivenAction]:
    """Every combination of different drugs of that size; of three, TRIPLES drawn at random."""
    if size < 3:
        groups: Iterable[Sequence[GivenAction]] = combinations(singles, size)
    else:
        draw = random.Random(0)
        groups = (draw.sample(list(singles), size) for _ in range(TRIPLES))
    return [
        GivenAction.model_construct(doses=tuple(single.doses[0] for single in group))
        for group in groups
        if len({single.doses[0].drug_id for single in group}) == size
    ]


def timed(
    actions: Sequence[GivenAction], patient: Patient, catalogue: Catalogue, imported: Imported = NOTHING
) -> None:
    """Print the verdicts of some actions and the time they took, best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        verdicts = judge(actions, patient, ECG, catalogue, load_rules(), imported)
        best = min(best, time.process_time() - started)
    counts = ", ".join(
        f"{name} {count}" for name, count in sorted(Counter(v.verdict for v in verdicts).items())
    )
    print(f"{len(actions):>7} actions  {best * 1000:7.1f} ms   {counts}")


def imported_pairs(catalogue: Catalogue, folder: Path) -> Imported:
    """A file of DDInter's layout, of IMPORTED pairs among the catalogue and 1,600 other drugs, imported and loaded."""
    draw = random.Random(0)
    names = [*(drug.name for drug in catalogue), *(f"other {number}" for number in range(1600))]
    path = folder / "ddinter.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["DDInterID_A", "Drug_A", "DDInterID_B", "Drug_B", "Level"])
        for _ in range(IMPORTED):
            one, other = draw.sample(names, 2)
            rows.writerow(["A", one, "B", other, draw.choice(["Major", "Moderate", "Minor", "Unknown"])])
    started = time.process_time()
    store_import(read_import(path, catalogue), folder)
    print(f"{IMPORTED} pairs imported in {time.process_time() - started:.1f} s", end="")
    started = time.process_time()
    imported = load_imported(catalogue, folder)
    loaded = time.process_time() - started
    print(f", loaded in {loaded * 1000:.0f} ms: {len(imported.pairs)} of drugs of the catalogue")
    return imported


def time_store(folder: Path) -> None:
    """Print how long the search index takes to build, and to open again."""
    from knowledge.store import open_store

    for what in ("chromadb imported, index built", "index opened"):
        started = time.process_time()
        open_store(folder)
        print(f"{what} in {(time.process_time() - started) * 1000:.0f} ms")


def main() -> None:
    """Time singles, pairs and triples; then again with imported pairs; then the store."""
    started = time.process_time()
    catalogue, rules = load_catalogue(), load_rules()
    loaded = time.process_time() - started
    print(f"{len(catalogue.drugs)} drugs and {len(rules)} rules loaded in {loaded * 1000:.0f} ms")
    patient = load_patient(PATIENT)
    singles = candidates("all", None, catalogue)
    for size in (1, 2, 3):
        timed(combined(singles, size), patient, catalogue)
    with tempfile.TemporaryDirectory() as folder:
        imported = imported_pairs(catalogue, Path(folder))
        timed(combined(singles, 2), patient, catalogue, imported)
        time_store(Path(folder))


if __name__ == "__main__":
    main()
