"""An episode: one decision that was made for one patient, with what was known then."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from worldmodel.ecg import Ecg

BUILT_IN = "built-in"  # in the place of an ECG's path: the synthetic ECG of `demo`


class EpisodesError(ToolError):
    """The file of episodes cannot be read, or does not say which episode is whose."""


class AlignmentError(ToolError):
    """A run cannot be begun or gone on with."""


@dataclass(frozen=True)
class Episode:
    """What a data set says of one decision; texts are as written, and read when the episode's turn comes.

    id: unique, and the seed of its simulations together with the run's. subject: whose it is; intervals are
    clustered by it. ecg: the ECG before the dose, a path, BUILT_IN, or samples. patient: a file, or its content.
    prescribed: what was given together, such as "metoprolol 50 mg oral + digoxin 0.25 mg oral". time, ecg_time: of the
    decision and of the ECG, ISO 8601; what the record says of later is left out. indication, goal, severity: None
    takes goal and indication from the patient file, and severity from the risk of the ECG.
    """

    id: str
    subject: str
    ecg: Path | Ecg | str
    patient: Path | dict[str, Any]
    prescribed: str
    time: str | None = None
    ecg_time: str | None = None
    indication: str | None = None
    goal: str | None = None
    severity: str | None = None
