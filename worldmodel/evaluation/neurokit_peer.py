"""NeuroKit2 on given leads, run by a Python of its own: it pins versions that this project does not have.

    PYTHON -I neurokit_peer.py

First prints the version. Then each line on stdin is the path of an .npz file with `fs_hz` (record,) and the
leads of record i as `i` (12, time) in mV; it is replaced by one with the marks of record i as `i` (beat, 12,
column) in seconds, NaN where none, `failed` (record,) leads that raised or took too long, `seconds` of work
and the names of the columns; its path is printed when it is there. Imports nothing but numpy and neurokit2.
"""

import signal
import sys
import time
import warnings
from types import FrameType
from typing import Any

import neurokit2 as nk  # type: ignore[import-not-found,unused-ignore]
import numpy as np

# Our names of the points, and NeuroKit2's.
COLUMNS = {
    "p_on": "ECG_P_Onsets",
    "p_peak": "ECG_P_Peaks",
    "p_off": "ECG_P_Offsets",
    "qrs_on": "ECG_R_Onsets",
    "r_peak": "ECG_R_Peaks",
    "qrs_off": "ECG_R_Offsets",
    "t_peak": "ECG_T_Peaks",
    "t_end": "ECG_T_Offsets",
}
LEAD_TIMEOUT_S = 30


def main() -> None:
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _give_up)
    print(nk.__version__, flush=True)
    for line in sys.stdin:
        path = line.rstrip("\n")
        answer = _answer(dict(np.load(path)))
        np.savez(path, **answer)
        print(path, flush=True)


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    rates = asked.pop("fs_hz")
    failed, begun = np.zeros(len(rates), dtype=int), time.perf_counter()
    answer: dict[str, Any] = {}
    for i, fs_hz in enumerate(rates):
        leads = [_delineate_lead(lead, round(float(fs_hz))) for lead in asked[str(i)]]
        failed[i] = sum(lead is None for lead in leads)
        answer[str(i)] = _stack([np.zeros((0, len(COLUMNS))) if lead is None else lead for lead in leads])
    seconds = time.perf_counter() - begun
    return answer | {"failed": failed, "seconds": seconds, "columns": np.array(list(COLUMNS))}


def _delineate_lead(lead: Any, fs_hz: int) -> Any:
    """(beat, column) seconds, no beats where nothing was recorded; None where NeuroKit2 raised or took too long."""
    if not np.isfinite(lead).all():
        return np.zeros((0, len(COLUMNS)))
    signal.alarm(LEAD_TIMEOUT_S)
    try:
        clean = nk.ecg_clean(lead, sampling_rate=fs_hz)
        _, peaks = nk.ecg_peaks(clean, sampling_rate=fs_hz)
        r = np.asarray(peaks["ECG_R_Peaks"])
        _, waves = nk.ecg_delineate(clean, r, sampling_rate=fs_hz, method="dwt")
        found = waves | {"ECG_R_Peaks": r}
        return np.stack([np.asarray(found[name], dtype=float) for name in COLUMNS.values()], axis=1) / fs_hz
    except Exception:  # whatever it raises on a lead is an answer: this lead was not delineated
        return None
    finally:
        signal.alarm(0)


def _stack(leads: list[Any]) -> Any:
    most = max(len(lead) for lead in leads)
    stacked = np.full((most, len(leads), len(COLUMNS)), np.nan)
    for row, lead in enumerate(leads):
        stacked[: len(lead), row] = lead
    return stacked


def _give_up(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main()
