"""The arguments of the tools as a chat model writes them; each docstring is what the model is told of the tool."""

from pydantic import BaseModel, ConfigDict, Field

from agent.assumptions import Assumptions

MAX_ACTIONS = 24
MAX_K = 50


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Assuming(Arguments):
    assume: Assumptions | None = Field(
        default=None, description="what the user only supposes about the patient"
    )


class MeasureArgs(Arguments):
    """Measure the ECG: rate, intervals, rhythm, quality."""


class RecordArgs(Arguments):
    """Read the patient's record: age, sex, conditions, labs, medications, allergies, notes."""


class MaskArgs(_Assuming):
    """Check which actions are allowed for this patient, with the rules and the patient's values behind each verdict."""

    actions: list[str] = Field(
        default_factory=list, max_length=MAX_ACTIONS, description='such as "verapamil 120 mg oral"'
    )
    drugs: list[str] = Field(
        default_factory=list, max_length=MAX_ACTIONS, description="names, to check all usual doses"
    )
    goal: str | None = Field(default=None, description='such as "rate-control"')


class SimulateArgs(_Assuming):
    """Simulate the ECG after each action, after checking the mask: intervals, their change, risk, and spread."""

    actions: list[str] = Field(
        min_length=1, max_length=MAX_ACTIONS, description='such as "verapamil 120 mg oral"'
    )
    hours: float | None = Field(
        default=None, gt=0, le=72, description="hours after the dose; default: at its peak effect"
    )
    k: int | None = Field(default=None, ge=1, le=MAX_K, description="samples for each action")


class CourseArgs(_Assuming):
    """Simulate actions given one after the other, after checking the mask of each with all that was given before."""

    steps: list[str] = Field(
        min_length=2, max_length=6, description='in order, such as "verapamil 120 mg oral"'
    )
    hours: float | None = Field(
        default=None,
        gt=0,
        le=72,
        description="from each dose to the next, and from the last to its ECG; default: until each peaks",
    )
    k: int | None = Field(default=None, ge=1, le=MAX_K, description="simulated courses")


class ShowArgs(_Assuming):
    """Draw leads of the ECG for the user; with an action, as recorded and as simulated after it."""

    leads: list[str] = Field(
        default_factory=list, max_length=12, description="such as V2; default: all twelve"
    )
    action: str | None = Field(default=None, description='such as "verapamil 120 mg oral"')
    hours: float | None = Field(default=None, gt=0, le=72)


class RankArgs(_Assuming):
    """Rank the candidate drugs for a goal, or the drugs named, by simulated risk; unsafe ones are excluded."""

    goal: str | None = Field(default=None, description='such as "rate-control"; default: the goal on record')
    drugs: list[str] = Field(default_factory=list, max_length=MAX_ACTIONS)
    without: list[str] = Field(default_factory=list, max_length=MAX_ACTIONS, description="drugs to leave out")
    hours: float | None = Field(default=None, gt=0, le=72)
    k: int | None = Field(default=None, ge=1, le=MAX_K)


class SearchArgs(Arguments):
    """Search the knowledge base: interactions, contraindications, doses, effects, with their sources."""

    query: str = Field(min_length=2, max_length=400)
    drugs: list[str] = Field(
        default_factory=list,
        max_length=4,
        description="for interactions: one drug with any other, or two with each other",
    )
    n: int = Field(default=5, ge=1, le=20)


class ExcludeArgs(_Assuming):
    """Say why a drug, or one dose of it, is excluded or warned of, and which information is missing."""

    action: str = Field(
        description='a drug, such as "ibutilide", or an action, such as "verapamil 120 mg oral"'
    )
