"""What `align` says: exactly the JSON of the command line, and what the page draws."""

from pydantic import Field

from tools.alignment.language import LanguageUse
from tools.alignment.metrics import Estimate
from tools.alignment.overlap import Overlap
from tools.alignment.store import Manifest
from tools.results import Answer, Result

STATEMENT = (
    "Agreement is not benefit. A prescription is what a clinician chose, not what was best: it follows from what the "
    "record does not show, from habit and from supply, and nothing here has looked at what became of the patients."
)

Metrics = dict[str, Estimate]


class Group(Result):
    """Episodes that share a drug, an indication, a severity, a sex or an age band; metrics of the pipeline."""

    episodes: int
    ranked: int
    blocked: int
    cannot_evaluate: int
    not_among: int
    metrics: Metrics


class CurvePoint(Result):
    """The pipeline's metrics with one setting changed; x: lambda, K, or the name of a risk."""

    x: float | str
    metrics: Metrics


class RankShare(Result):
    """How many prescriptions stand at a rank, and how many would by chance; both as shares of those ranked."""

    rank: int
    share: float
    chance: float


class Listed(Result):
    """One episode to look into. first: what the pipeline ranks first; why: the mask's reason, where there is one."""

    id: str
    prescribed: str
    standing: str
    first: str | None
    rank: float | None
    candidates: int
    why: str
    look: str


class Control(Result):
    """The pipeline's metrics where prescriptions were dealt out again by lot among patients of the same indication.

    Mean, least and greatest over the permutations: what agreement there is without any of these patients' reasons.
    """

    permutations: int
    metrics: dict[str, tuple[float, float, float]]


class AlignResult(Answer):
    """Agreement of rankings with prescriptions; see metrics.METRICS.

    metrics: of the pipeline over all scored episodes, where a prescription that is not ranked counts as agreed with by
    nothing; among_ranked: over the others. drugs: whatever the dose and route. skipped: episodes that failed, by the
    kind of error; prescriptions: how many stand where (record.Standing).
    """

    episodes: int
    done: int
    scored: int
    skipped: dict[str, int]
    prescriptions: dict[str, int]
    metrics: Metrics
    among_ranked: Metrics
    drugs: Metrics
    baselines: dict[str, Metrics]
    baselines_drugs: dict[str, Metrics]
    by_drug: dict[str, Group]
    by_indication: dict[str, Group]
    by_severity: dict[str, Group]
    by_sex: dict[str, Group]
    by_age: dict[str, Group]
    sensitivity: dict[str, tuple[CurvePoint, ...]]
    ranks: tuple[RankShare, ...]
    overlap: Overlap
    permuted: Control
    not_ranked: tuple[Listed, ...]
    disagreements: tuple[Listed, ...]
    failures: tuple[str, ...]
    lambda_: float = Field(serialization_alias="lambda")
    goals: dict[str, int]
    language_model: LanguageUse | None = None
    manifest: Manifest
    statement: str = STATEMENT
    folder: str = ""
    page: str = ""
