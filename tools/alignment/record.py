"""What is kept of one episode: every candidate with the risk of every sample, so that nothing is simulated twice.

Scores, ranks and metrics are worked out of these later, for any lambda, fewer samples, or another risk.
"""

from typing import Literal

from pydantic import Field

from tools.results import Result, RuleFired, VerdictName

Standing = Literal["ranked", "blocked", "cannot_evaluate", "not_among"]
RISKS = ("intervals", "labels", "combined", "labels_mean", "labels_max", "labels_top3")


class CandidateKept(Result):
    """A candidate and its verdict; risks are empty where the mask refused it and it was not simulated.

    drugs: ids, sorted. risks: by the names of RISKS, of each sample, None where it could not be judged. full: whether
    the sample shows what the pre-dose ECG shows. reaches: the goal, None where the sample cannot show it.
    """

    action: str
    drugs: tuple[str, ...]
    verdict: VerdictName
    rules: tuple[str, ...] = ()
    hours: float | None = None
    risks: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    full: tuple[bool, ...] = ()
    reaches: tuple[bool | None, ...] = ()


class PrescribedKept(Result):
    """What was prescribed. action: as understood; candidate: the one it counts as; why: it stands as it does."""

    text: str
    standing: Standing
    action: str | None = None
    drugs: tuple[str, ...] = ()
    candidate: str | None = None
    rules: tuple[RuleFired, ...] = ()
    why: str = ""


class Failure(Result):
    """Why an episode could not be scored; code: the kind of error."""

    code: str
    message: str


class EpisodeKept(Result):
    """One episode. failure: where there is one, nothing was simulated. before: of the pre-dose ECG and the patient."""

    id: str
    subject: str
    indication: str = ""
    goal: str | None = None
    severity: str | None = None
    sex: str = ""
    age_years: float | None = None
    seed: int
    ecg: str = ""
    patient: str = ""
    before: dict[str, float | None] = Field(default_factory=dict)
    prescribed: PrescribedKept
    candidates: tuple[CandidateKept, ...] = ()
    left_out: int = 0
    failure: Failure | None = None
