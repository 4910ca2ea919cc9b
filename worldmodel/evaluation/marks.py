"""Human marks of waves: one form for every annotated set, and the intervals that follow from marks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS
from worldmodel.measurement import FIDUCIALS

KINDS = ("p", "qrs", "t")
# Onset, peak and end of each kind of wave among FIDUCIALS; the onset of T is not one of them.
COLUMNS: dict[str, tuple[str | None, str, str]] = {
    "p": ("p_on", "p_peak", "p_off"),
    "qrs": ("qrs_on", "r_peak", "qrs_off"),
    "t": (None, "t_peak", "t_end"),
}
INTERVALS = ("pr_ms", "qrs_ms", "qt_ms", "qt_tangent_ms", "tpeak_ms", "r_tpeak_ms")
# The beat labels of WFDB annotation files; every other symbol marks no QRS complex.
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
_KIND_OF = dict.fromkeys(BEATS, "qrs") | {"p": "p", "t": "t"}
# A P wave that conducts comes at most this long before its QRS complex.
_LONGEST_PR_S = 0.4
# A peak marked just before the onset of its own wave, as hasty hands do.
_SLIP_S = 0.04

# By kind of wave (wave, 3): onset, peak and end in seconds from the start of the samples, NaN where unmarked.
Waves = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Marks:
    """waves as marked for `rows`, leads in standard order: one lead, or several that share their marks.

    No rows: the marks belong to all leads together (a global beat) and are scored as intervals only.
    """

    rows: tuple[int, ...]
    waves: Waves

    @property
    def span_s(self) -> tuple[float, float]:
        """First and last mark of any kind; outside nobody looked. Empty, (inf, -inf), without marks."""
        times = np.concatenate([self.waves[kind].ravel() for kind in KINDS])
        times = times[np.isfinite(times)]
        return (float(times.min()), float(times.max())) if times.size else (np.inf, -np.inf)


@dataclass(frozen=True)
class MarkedRecord:
    """A recording with its marks.

    samples_mv: (12, time), leads in standard order, NaN rows where there is none; a lead of another name
    stands in a free row. rhythm: sinus | no_p (fibrillation, flutter, paced) | None where not told. origin: the
    set it is of.
    """

    name: str
    samples_mv: NDArray[np.float64]
    fs_hz: float
    marks: tuple[Marks, ...]
    rhythm: str | None = None
    origin: str = ""


def waves_of(symbols: Sequence[str], times_s: NDArray[np.float64]) -> Waves:
    """Waves from the symbols of a WFDB annotation file: `(` onset, p N t peaks, `)` end.

    Boundaries belong to the peak beside them and may be missing. Of two T peaks in a row the first is the
    peak and the end follows the second. `N ( )` in LUDB is a QRS complex whose peak slipped before its onset.
    """
    found: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
    padded = [*symbols, "", "", ""]
    after_t = False
    for at, symbol in enumerate(symbols):
        kind = _KIND_OF.get(symbol)
        if kind is None:
            after_t = False
            continue
        onset = times_s[at - 1] if at and symbols[at - 1] == "(" else np.nan
        end = times_s[at + 1] if padded[at + 1] == ")" else np.nan
        slipped = padded[at + 1 : at + 3] == ["(", ")"] and times_s[at + 1] - times_s[at] <= _SLIP_S
        if slipped and not np.isfinite(onset):
            onset, end = times_s[at + 1], times_s[at + 2]
        if kind == "t" and after_t:
            found["t"][-1] = (*found["t"][-1][:2], float(end))
        else:
            found[kind].append((float(onset), float(times_s[at]), float(end)))
        after_t = kind == "t"
    return {kind: np.array(rows, dtype=np.float64).reshape(-1, 3) for kind, rows in found.items()}


def lead_waves(marks_s: NDArray[np.float64], row: int) -> Waves:
    """Waves of one lead out of (beat, lead, FIDUCIALS) seconds; beats without any mark of a wave are left out."""
    waves = {}
    for kind, names in COLUMNS.items():
        columns = [
            np.full(len(marks_s), np.nan) if name is None else marks_s[:, row, FIDUCIALS.index(name)]
            for name in names
        ]
        points = np.stack(columns, axis=1)
        waves[kind] = points[np.isfinite(points).any(axis=1)]
    return waves


def beat_intervals(waves: Waves) -> dict[str, NDArray[np.float64]]:
    """(QRS,) each of INTERVALS in ms, NaN where a mark is missing.

    PR and QT run from onset to onset and onset to end, tpeak from the QRS onset and r_tpeak from the R peak to
    the T peak. qt_tangent repeats qt: a mark of T end is compared with both readings. P is the last one after the
    QRS complex before, at most 400 ms ahead; T the first before the next.
    """
    qrs = waves["qrs"]
    at = _where(qrs)
    qrs, at = qrs[np.argsort(at)], np.sort(at)
    before, after = np.append(-np.inf, at)[:-1], np.append(at, np.inf)[1:]
    p = np.array([_last(waves["p"], max(b, a - _LONGEST_PR_S), a) for a, b in zip(at, before, strict=True)])
    t = np.array([_first(waves["t"], a, b) for a, b in zip(at, after, strict=True)])
    p, t = p.reshape(-1, 3), t.reshape(-1, 3)
    on, r, off = qrs.T
    qt = t[:, 2] - on
    values = (on - p[:, 0], off - on, qt, qt, t[:, 1] - on, t[:, 1] - r)
    return {name: 1000 * value for name, value in zip(INTERVALS, values, strict=True)}


def record_intervals(all_waves: Sequence[Waves]) -> dict[str, float | None]:
    """Each interval of a recording: the median over leads of the medians over beats; None without any."""
    values: dict[str, list[float]] = {name: [] for name in INTERVALS}
    for waves in all_waves:
        for name, beats in beat_intervals(waves).items():
            known = beats[np.isfinite(beats)]
            if known.size:
                values[name].append(float(np.median(known)))
    return {name: float(np.median(leads)) if leads else None for name, leads in values.items()}


def standard_rows(leads: Sequence[str]) -> tuple[int, ...]:
    """A row among the twelve for each lead: its own, or a free one from V1 on where the name is not standard."""
    taken = {LEADS.index(name) for name in leads if name in LEADS}
    free = iter([row for row in (*range(6, 12), *range(6)) if row not in taken])
    return tuple(LEADS.index(name) if name in LEADS else next(free) for name in leads)


def _where(waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """(wave,) when each wave is: at its peak, or at its onset where no peak is marked."""
    return np.where(np.isfinite(waves[:, 1]), waves[:, 1], waves[:, 0])


_NO_WAVE = (np.nan, np.nan, np.nan)


def _last(waves: NDArray[np.float64], start_s: float, end_s: float) -> Sequence[float]:
    at = _where(waves)
    inside = waves[(at > start_s) & (at < end_s)]
    return tuple(inside[-1]) if len(inside) else _NO_WAVE


def _first(waves: NDArray[np.float64], start_s: float, end_s: float) -> Sequence[float]:
    at = _where(waves)
    inside = waves[(at > start_s) & (at < end_s)]
    return tuple(inside[0]) if len(inside) else _NO_WAVE
