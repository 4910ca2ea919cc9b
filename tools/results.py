"""Parts that several results share. A result is exactly what `--json` prints under `data`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from knowledge.policy import REFUSED as REFUSED
from knowledge.policy import VerdictName as VerdictName
from worldmodel.scoring import PoolingName, RiskName

if TYPE_CHECKING:
    from knowledge.doses import GivenAction
    from worldmodel.measurement import Intervals


class Result(BaseModel):
    """Base of the results: frozen, printed by the names scripts rely on."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)


class Answer(Result):
    """A whole result. `warnings` go beside `data`, not into it."""

    warnings: tuple[str, ...] = Field(default=(), exclude=True)


class DrugGiven(Result):
    """One drug of an action, as people write it: dose "500 ug"; None where it could not be understood."""

    name: str
    dose: str | None
    route: str | None


class ActionGiven(Result):
    """What is given together; no drugs is "no drug". text: the whole in one line."""

    drugs: tuple[DrugGiven, ...]
    text: str

    @classmethod
    def of(cls, action: "GivenAction", names: Mapping[str, str]) -> "ActionGiven":
        """From an action of the knowledge base; names: drug id to name."""
        drugs = tuple(
            DrugGiven(
                name=names.get(dose.drug_id, dose.drug_id),
                dose=f"{dose.dose:g} {dose.unit}",
                route=dose.route,
            )
            for dose in action.doses
        )
        return cls(drugs=drugs, text=str(action))


class RuleFired(Result):
    """A rule that holds, with the patient's values it looked at; or, with `missing`, one that may hold."""

    id: str
    severity: str
    text: str
    source: str
    evidence: dict[str, Any]
    missing: tuple[str, ...] = ()


class SupportGiven(Result):
    """Whether the model has seen anything like this; score 0 (as in training) .. 1 (nothing like it)."""

    in_distribution: bool
    score: float
    reasons: tuple[str, ...]


class ModelUsed(Result):
    """Which world model, and whether it has ever seen real post-dose ECGs. sha256: of the weights' file."""

    name: str
    version: str
    trained_on: str
    synthetic: bool
    sha256: str


class LabelModelUsed(Result):
    """Who judged the 17 labels. sha256: of the weights' file."""

    name: str
    file: str
    sha256: str


class RiskUsed(Result):
    """Which of the risks `risk`, score and order go by; pooling: how the labels became one number."""

    risk: RiskName
    pooling: PoolingName
    label_model: LabelModelUsed


def rounded(value: float | None, digits: int = 1) -> float | None:
    """For printing: intervals to 0.1 ms, which is finer than anything measures."""
    return None if value is None else round(float(value), digits)


def interval_values(intervals: "Intervals") -> dict[str, float | None]:
    """The intervals by name, rounded."""
    return {name: rounded(value) for name, value in intervals.as_dict().items()}


def unique(texts: Sequence[str]) -> tuple[str, ...]:
    """Each text once, in the order of its first appearance."""
    return tuple(dict.fromkeys(texts))
