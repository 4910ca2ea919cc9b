"""The recording: samples in millivolts with lead names, and the algebra between limb leads.

Leads are addressed by name everywhere; orders differ between archives (MIMIC stores aVF before aVL).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FRANK_LEADS = ("vx", "vy", "vz")
INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

# Every limb lead is a combination of I and II (Einthoven 1912; Goldberger 1942).
LIMB_FROM_I_II = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}

# (12, 8): the standard leads from the independent ones.
TWELVE_FROM_EIGHT: NDArray[np.float64] = np.zeros((12, 8))
for _row, _lead in enumerate(LEADS):
    if _lead in LIMB_FROM_I_II:
        TWELVE_FROM_EIGHT[_row, :2] = LIMB_FROM_I_II[_lead]
    else:
        TWELVE_FROM_EIGHT[_row, INDEPENDENT_LEADS.index(_lead)] = 1.0


@dataclass(frozen=True)
class Ecg:
    """A recording.

    samples_mv: (lead, time) in mV, rows in the order of `leads`; NaN where nothing was recorded.
    leads: canonical names ("aVR", "V1", "vx", ...). missing_leads: standard leads that are neither
    recorded nor derivable; their rows, once in standard order, are NaN.
    warnings: what the reader had to doubt or repair, in sentences for the user.
    amplitudes_trusted: False where the file's gain cannot be true; times still hold, millivolts do not.
    """

    samples_mv: NDArray[np.float64]
    fs_hz: float
    leads: tuple[str, ...]
    missing_leads: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    source: str = ""
    amplitudes_trusted: bool = True

    def __post_init__(self) -> None:
        if self.samples_mv.ndim != 2 or self.samples_mv.shape[0] != len(self.leads):
            raise ValueError(f"{self.samples_mv.shape} samples do not match {len(self.leads)} leads")

    @property
    def duration_s(self) -> float:
        return float(self.samples_mv.shape[1] / self.fs_hz)

    def lead(self, name: str) -> NDArray[np.float64]:
        """Samples of one lead in mV, shape (time,). Raises KeyError where it is not there."""
        if name not in self.leads:
            raise KeyError(name)
        return np.asarray(self.samples_mv[self.leads.index(name)])

    def window(self, start_s: float, duration_s: float) -> "Ecg":
        """The part from `start_s` on, cut at the end of the recording."""
        a = round(start_s * self.fs_hz)
        return replace(self, samples_mv=self.samples_mv[:, a : a + round(duration_s * self.fs_hz)])


def derive_limb_leads(known: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """All six limb leads from any two of them (Einthoven, Goldberger); as given where fewer are known.

    Recorded leads are returned untouched; only absent ones are computed.
    """
    given = [name for name in LIMB_FROM_I_II if name in known]
    if len(given) in (0, 1, len(LIMB_FROM_I_II)):
        return {name: known[name] for name in given}
    basis = np.array([LIMB_FROM_I_II[name] for name in given])
    with np.errstate(invalid="ignore", over="ignore"):  # NaN where a given lead has no finite value
        lead_i_ii = np.linalg.pinv(basis) @ np.stack([known[name] for name in given])
    return {
        name: known[name] if name in known else np.asarray(np.array(weights) @ lead_i_ii)
        for name, weights in LIMB_FROM_I_II.items()
    }


def standard_twelve(ecg: Ecg) -> Ecg:
    """The twelve standard leads in standard order: limb leads derived where possible, others NaN and named missing."""
    recorded = {name: ecg.lead(name) for name in LEADS if name in ecg.leads}
    known = {name: row for name, row in recorded.items() if np.isfinite(row).any()}
    known |= derive_limb_leads(known)
    nothing = np.full(ecg.samples_mv.shape[1], np.nan)
    rows = np.stack([known.get(name, nothing) for name in LEADS])
    missing = tuple(name for name in LEADS if name not in known)
    return replace(ecg, samples_mv=rows, leads=LEADS, missing_leads=missing)
