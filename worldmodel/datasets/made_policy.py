"""The clinician of the made data set: a known policy, averse to risk and not always the same, that can be read back.

For each patient the utility of a drug c is

    u(c) = -|HR + dHR(c) - 75| / 12
           - aversion * (sigma((QTcF + dQTcF(c) - 470) / 20) + sigma((PR + dPR(c) - 230) / 20))

from the true intervals before the dose and the drug's true mean effect, and P(c) is the softmax of u / noise. The
effects are made up for this purpose; they are not those of the drugs whose names they carry.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.pharmacology import EFFECTS

TARGET_HR_BPM, HR_SCALE_BPM = 75.0, 12.0
LONG_QTCF_MS, LONG_PR_MS, SCALE_MS = 470.0, 230.0, 20.0
POLICIES = ("risk-averse", "random")


@dataclass(frozen=True)
class Candidate:
    """effects: mean change in the order of EFFECTS. itemid: of icu/inputevents, "" where the ICU has none."""

    drug: str
    dose: float
    unit: str
    itemid: str
    effects: tuple[float, float, float, float, float, float]

    @property
    def qtcf_change_ms(self) -> float:
        return sum(self.effects[EFFECTS.index(name)] for name in ("qrs_ms", "jtpeakc_ms", "tpeak_tend_ms"))


CANDIDATES = (
    Candidate("metoprolol", 5.0, "mg", "225974", (-14.0, 6.0, 0.0, 0.0, 0.0, 0.0)),
    Candidate("diltiazem", 20.0, "mg", "221468", (-20.0, 16.0, 0.0, -3.0, 0.0, 0.0)),
    Candidate("amiodarone", 150.0, "mg", "221347", (-10.0, 8.0, 4.0, 22.0, 10.0, -0.05)),
    Candidate("esmolol", 35.0, "mg", "221429", (-17.0, 5.0, 0.0, 0.0, 0.0, 0.0)),
    Candidate("verapamil", 5.0, "mg", "", (-16.0, 22.0, 0.0, -6.0, 2.0, 0.0)),
)


@dataclass(frozen=True)
class Policy:
    """name: one of POLICIES; the random one takes each candidate alike."""

    name: str = "risk-averse"
    aversion: float = 3.0
    noise: float = 0.4

    def probabilities(self, hr_bpm: float, qtcf_ms: float, pr_ms: float | None) -> NDArray[np.float64]:
        """P of each of CANDIDATES; pr_ms None where there is no P wave, and then PR risks nothing."""
        if self.name == "random":
            return np.full(len(CANDIDATES), 1.0 / len(CANDIDATES))
        scaled = np.array([self._utility(c, hr_bpm, qtcf_ms, pr_ms) for c in CANDIDATES]) / self.noise
        weights = np.exp(scaled - scaled.max())
        return np.asarray(weights / weights.sum())

    def _utility(self, of: Candidate, hr_bpm: float, qtcf_ms: float, pr_ms: float | None) -> float:
        rate = hr_bpm + of.effects[EFFECTS.index("hr_bpm")]
        risk = _sigma(qtcf_ms + of.qtcf_change_ms - LONG_QTCF_MS)
        if pr_ms is not None:
            risk += _sigma(pr_ms + of.effects[EFFECTS.index("pr_ms")] - LONG_PR_MS)
        return -abs(rate - TARGET_HR_BPM) / HR_SCALE_BPM - self.aversion * risk

    def described(self) -> dict[str, Any]:
        """All that is needed to work out the probabilities again."""
        return {
            **asdict(self),
            "target_hr_bpm": TARGET_HR_BPM,
            "hr_scale_bpm": HR_SCALE_BPM,
            "long_qtcf_ms": LONG_QTCF_MS,
            "long_pr_ms": LONG_PR_MS,
            "scale_ms": SCALE_MS,
            "effects": EFFECTS,
            "candidates": [asdict(candidate) for candidate in CANDIDATES],
        }


def _sigma(beyond_ms: float) -> float:
    return float(1.0 / (1.0 + np.exp(-beyond_ms / SCALE_MS)))
