"""How long the mask takes on one core: every drug, dose and pair of the catalogue, and bounded triples.

python benchmarks/mask.py
"""

import time
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, islice
from pathlib import Path

from knowledge.candidates import candidates
from knowledge.doses import GivenAction
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.findings import EcgFindings
from knowledge.mask import judge
from knowledge.patient import Patient, load_patient
from knowledge.rules import load_rules

TRIPLES = 20_000
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
    """Every combination of different drugs of that size, the first TRIPLES of them from three on."""
    groups = (
        GivenAction.model_construct(doses=tuple(single.doses[0] for single in group))
        for group in combinations(singles, size)
        if len({single.doses[0].drug_id for single in group}) == size
    )
    return list(groups if size < 3 else islice(groups, TRIPLES))


def timed(actions: Sequence[GivenAction], patient: Patient, catalogue: Catalogue) -> None:
    """Print the verdicts of some actions and the time they took, best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        verdicts = judge(actions, patient, ECG, catalogue, load_rules())
        best = min(best, time.perf_counter() - started)
    counts = ", ".join(
        f"{name} {count}" for name, count in sorted(Counter(v.verdict for v in verdicts).items())
    )
    print(f"{len(actions):>7} actions  {best * 1000:7.1f} ms   {counts}")


def main() -> None:
    """Time singles, pairs and triples."""
    started = time.perf_counter()
    catalogue, rules = load_catalogue(), load_rules()
    loaded = time.perf_counter() - started
    print(f"{len(catalogue.drugs)} drugs and {len(rules)} rules loaded in {loaded * 1000:.0f} ms")
    patient = load_patient(PATIENT)
    singles = candidates("all", None, catalogue)
    for size in (1, 2, 3):
        timed(combined(singles, size), patient, catalogue)


if __name__ == "__main__":
    main()
