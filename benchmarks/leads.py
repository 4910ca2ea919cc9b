"""How well missing leads are estimated, on real recordings, each left out of what the estimate is learned from.

    python benchmarks/leads.py FOLDER

All recordings in and below the folder with twelve good leads are used. Leads are taken away from each, estimated
from the rest by the moments of the other recordings, and by Dower's matrix for comparison. Then the whole
recording is measured with the estimated leads in the place of the true ones.
"""

import argparse
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tools.find import find_recordings
from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, TWELVE_FROM_EIGHT, standard_twelve
from worldmodel.leads import LeadModel, eight_leads
from worldmodel.leads_fitting import lead_moments
from worldmodel.preprocessing import DOWER, FS_HZ, to_model
from worldmodel.readers import read_ecg

CHEST = LEADS[6:]
INTERVALS = ("qtcf_ms", "qrs_ms", "pr_ms", "tpeak_tend_ms")
CASES: tuple[tuple[str, ...], ...] = (
    *((lead,) for lead in CHEST),
    *combinations(CHEST, 2),
    ("V1", "V2", "V3"),
    ("V4", "V5", "V6"),
    CHEST,
    LEADS[1:],  # lead I alone
    LEADS[:1] + LEADS[2:],  # lead II alone
    tuple(lead for lead in LEADS if lead != "V2"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    ecgs = [standard_twelve(read_ecg(path)) for path in find_recordings([parser.parse_args().data]).files]
    known = [(ecg, moments) for ecg in ecgs if (moments := lead_moments(ecg)) is not None]
    total = np.sum([moments for _, moments in known], axis=0)
    models = [LeadModel((total - moments) / (len(known) - 1)) for _, moments in known]
    eights = [to_model(ecg).double().numpy() for ecg, _ in known]
    before = intervals(np.stack([TWELVE_FROM_EIGHT @ eight for eight in eights]))
    expected = LeadModel(total / len(known))
    print(f"{len(known)} recordings; medians over them. Errors of intervals: mean ± SD in ms.")
    print(
        f"{'missing':18}{'RMS, uV':>9}{'Dower':>7}{'r':>7}{'Dower':>7}{'told':>7}",
        *(f"{n:>15}" for n in INTERVALS),
    )
    for gone in CASES:
        rows = [LEADS.index(lead) for lead in gone]
        filled = [fill(eight, rows, model) for eight, model in zip(eights, models, strict=True)]
        own = np.array([errors(a, b, rows) for a, b in zip(eights, filled, strict=True)])
        dower = np.array([errors(eight, by_dower(eight, rows), rows) for eight in eights])
        told = np.mean(list(expected.expected_r(gone).values()))
        change = intervals(np.stack([TWELVE_FROM_EIGHT @ eight for eight in filled])) - before
        spread = (f"{np.nanmean(c):+7.1f} ±{np.nanstd(c):6.1f}" for c in change.T)
        rms, r, rms_dower, r_dower = *np.median(own, axis=0), *np.median(dower, axis=0)
        print(
            f"{name(gone):18}{rms:9.0f}{rms_dower:7.0f}{r:7.3f}{r_dower:7.3f}{told:7.3f}", *spread, flush=True
        )


def fill(eight_mv: NDArray[np.float64], rows: list[int], model: LeadModel) -> NDArray[np.float64]:
    twelve = TWELVE_FROM_EIGHT @ eight_mv
    twelve[rows] = np.nan
    return eight_leads(twelve, FS_HZ, model)


def by_dower(eight_mv: NDArray[np.float64], rows: list[int]) -> NDArray[np.float64]:
    """What the dipole that the other leads see projects on the missing ones."""
    gone = np.isin(INDEPENDENT_LEADS, [LEADS[row] for row in rows])
    seen = DOWER[~gone]
    dipole = np.linalg.solve(seen.T @ seen + 0.01 * np.eye(3), seen.T @ eight_mv[~gone])
    return np.where(gone[:, None], DOWER @ dipole, eight_mv)


def errors(
    true_mv: NDArray[np.float64], filled_mv: NDArray[np.float64], rows: list[int]
) -> tuple[float, float]:
    """RMS error in uV and correlation, means over the leads that were taken away."""
    true, filled = (TWELVE_FROM_EIGHT[rows] @ eight for eight in (true_mv, filled_mv))
    rms = 1000 * np.sqrt(((true - filled) ** 2).mean(axis=1))
    return float(rms.mean()), float(
        np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(true, filled, strict=True)])
    )


def intervals(samples_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """(recording, INTERVALS) in ms, NaN where not measurable."""
    measured = measure_batch(samples_mv, FS_HZ)
    return np.array([[getattr(m.intervals, n) for n in INTERVALS] for m in measured], dtype=np.float64)


def name(gone: tuple[str, ...]) -> str:
    there = [lead for lead in LEADS if lead not in gone]
    return " ".join(gone) if len(gone) <= 3 else "V1 to V6" if gone == CHEST else f"all but {there[0]}"


if __name__ == "__main__":
    main()
