"""Leads that were not recorded, estimated from those that were: a Gaussian model of the eight independent leads.

What a lead shows at one moment is foretold from the other leads at that moment and shortly before and after, since
the heart's loop in space turns: two leads know more of a third than their values at the same moment. The second
moments of the leads, with these delays, come from real recordings; conditioning them on the leads that are there
is a linear filter, so that a median beat and the recording it is of are filled alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.checkpoint import load_tensors
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, derive_limb_leads
from worldmodel.errors import NotSimulatableError
from worldmodel.measurement import Measurement

SHIPPED = Path(__file__).parent / "weights" / "leads.safetensors"
DELAYS_MS = (0, -12, 12, -32, 32)  # within QRS, and across it
RIDGE = 1e-3  # of the mean power of the leads that are there


@dataclass(frozen=True)
class LeadModel:
    """moments: (delays x 12, same) second moments of the standard leads at each delay, delay by delay.

    In units of the mean power of the eight independent leads of a recording, so that each counts alike.
    """

    moments: NDArray[np.float64]

    def weights(self, seen: list[int], wanted: list[int]) -> NDArray[np.float64]:
        """(wanted, delays x seen): the conditional mean of leads given others; both are indices into LEADS."""
        known = _delayed(seen)
        power = self.moments[np.ix_(known, known)]
        ridge = RIDGE * np.trace(power) / len(known) * np.eye(len(known))
        return np.asarray(np.linalg.solve(power + ridge, self.moments[np.ix_(known, wanted)]).T)

    def expected_r(self, estimated: Iterable[str]) -> dict[str, float]:
        """The correlation to expect between each of these standard leads and its estimate from all others."""
        wanted = [LEADS.index(name) for name in estimated]
        seen = _independent([row for row in range(len(LEADS)) if row not in wanted])
        if not seen:
            return {LEADS[row]: 0.0 for row in wanted}
        explained = np.diag(self.weights(seen, wanted) @ self.moments[np.ix_(_delayed(seen), wanted)])
        r = np.sqrt(np.clip(explained / np.diag(self.moments)[wanted], 0.0, 1.0))
        return {LEADS[row]: float(value) for row, value in zip(wanted, r, strict=True)}

    def incoherence(self, eight_mv: NDArray[np.float64], fs_hz: float) -> float:
        """How ill the independent leads (8, time) go together: the share of each that the other seven do not foretell,
        in the mean. A lead's own power counts with a tenth of all leads' added, so that a small one cannot rule it.
        """
        rows = [LEADS.index(name) for name in INDEPENDENT_LEADS]
        delayed = delay(eight_mv, fs_hz)
        power = (eight_mv**2).mean(axis=1)
        shares = []
        for index, row in enumerate(rows):
            others = np.arange(len(delayed)) % len(rows) != index
            foretold = self.weights([other for other in rows if other != row], [row]) @ delayed[others]
            shares.append(((foretold[0] - eight_mv[index]) ** 2).mean() / (power[index] + 0.1 * power.mean()))
        return float(np.mean(shares))


def eight_leads(
    twelve_mv: NDArray[np.float64], fs_hz: float, model: LeadModel | None = None
) -> NDArray[np.float64]:
    """The independent leads, (8, time) in mV, of (12, time) in standard order, NaN rows where no lead is.

    Limb leads follow from any two of them; the rest is the conditional mean given what is there, from one lead on.
    model: another than the shipped one, to evaluate it.
    Raises NotSimulatableError where there is none.
    """
    known = {name: row for name, row in zip(LEADS, twelve_mv, strict=True) if np.isfinite(row).all()}
    known |= derive_limb_leads(known)
    if not known:
        raise NotSimulatableError(
            "No lead is recorded throughout, so there is nothing to simulate from.",
            "Give a recording with at least one lead of ten seconds, better all twelve.",
        )
    wanted = [LEADS.index(name) for name in INDEPENDENT_LEADS if name not in known]
    filled = dict(known)
    if wanted:
        seen = _independent([LEADS.index(name) for name in known])
        estimates = (model or shipped_leads()).weights(seen, wanted) @ delay(
            np.stack([known[LEADS[row]] for row in seen]), fs_hz
        )
        filled |= {LEADS[row]: estimate for row, estimate in zip(wanted, estimates, strict=True)}
    return np.stack([filled[name] for name in INDEPENDENT_LEADS])


def estimated_leads(measured: Measurement) -> tuple[str, ...]:
    """The standard leads that are missing or of no use and cannot be derived from others."""
    beat = measured.median_beat
    bad = (
        set()
        if beat is None
        else {LEADS[row] for row in np.flatnonzero(np.isnan(beat.samples_mv).any(axis=1))}
    )
    used = {name: np.zeros(0) for name in LEADS if name not in bad and name not in measured.missing_leads}
    used |= derive_limb_leads(used)
    return tuple(name for name in LEADS if name not in used)


def delay(rows_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.float64]:
    """(delays x leads, time) of (leads, time): each lead at each of DELAYS_MS; beyond the ends the last value stays."""
    at = np.arange(rows_mv.shape[1])
    shifted = (at + round(ms * fs_hz / 1000.0) for ms in DELAYS_MS)
    return np.concatenate([rows_mv[:, shift.clip(0, at.size - 1)] for shift in shifted])


def _independent(rows: list[int]) -> list[int]:
    """Of these rows of LEADS the chest leads and at most two limb leads, since the others say nothing new."""
    limb = [row for row in rows if row < 6]
    return limb[:2] + [row for row in rows if row >= 6]


def _delayed(rows: list[int]) -> list[int]:
    return [block * len(LEADS) + row for block in range(len(DELAYS_MS)) for row in rows]


@cache
def shipped_leads() -> LeadModel:
    """The model that comes with the package. Raises WeightsError."""
    tensors, _ = load_tensors(SHIPPED)
    return LeadModel(tensors["moments"].double().numpy())
