"""ECGs of this person on a drug, as the user gives them, for the world model to learn the person from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from knowledge.doses import parse_action
from knowledge.drugs import Catalogue, explain
from tools.case import Case
from tools.common_leads import Recording, compare
from tools.errors import MissingInputError
from tools.exposure import action_of
from tools.stretch import stretch_of
from worldmodel.ecg import standard_twelve
from worldmodel.measurement import Intervals
from worldmodel.readers.stated import NOTHING_STATED, Stated
from worldmodel.seeing import ObservedEcg

USE = 'Give "HOURS:FILE" for an ECG so many hours after the dose, or a JSON file of measured intervals.'
Milliseconds = Annotated[float, Field(gt=0, lt=2000)]
MOST_HOURS = 240.0  # after the dose; later nothing of it is left to learn from


class ObservedIntervals(BaseModel):
    """One entry of a JSON file: intervals in ms, measured `hours` after the dose of `action`.

    action: None for the one that is simulated. period: 0 for the day that is simulated, another number for another
    day, which needs an entry with the action "no drug" to compare with.
    """

    model_config = ConfigDict(extra="forbid")

    hours: float = Field(ge=0, le=MOST_HOURS)
    action: str | None = None
    period: int = Field(default=0, ge=0)
    hr_bpm: float = Field(gt=15, lt=350)
    pr_ms: Milliseconds | None = None
    qrs_ms: Milliseconds | None = None
    jtpeak_ms: Milliseconds | None = None
    tpeak_tend_ms: Milliseconds | None = None

    @model_validator(mode="after")
    def _end_within_the_beat(self) -> Self:
        qt_ms = sum(part or 0.0 for part in (self.qrs_ms, self.jtpeak_ms, self.tpeak_tend_ms))
        if qt_ms > 60_000.0 / self.hr_bpm:
            raise ValueError(f"a QT of {qt_ms:g} ms is longer than a beat at {self.hr_bpm:g} bpm")
        return self


@dataclass(frozen=True)
class Observed:
    """What was given, read: one ECG or set of intervals. action: as text, None for the one that is simulated.

    recording: of an ECG. before: the pre-dose intervals to compare with, where they are others than those of all its
    leads.
    """

    hours: float
    intervals: Intervals
    action: str | None = None
    period: int = 0
    recording: Recording | None = None
    before: Intervals | None = None


def read_observed(texts: Sequence[str], stated: Stated = NOTHING_STATED) -> list[Observed]:
    """Read "HOURS:FILE" and JSON files. stated: what the user says of tables of numbers, as of the pre-dose ECG.

    Raises MissingInputError, EcgFileError.
    """
    found: list[Observed] = []
    for text in texts:
        hours, colon, file = text.partition(":")
        if colon and _is_number(hours):
            if not file or float(hours) > MOST_HOURS:
                raise MissingInputError(
                    f"{text!r} is no ECG at 0 to {MOST_HOURS:g} hours after the dose.", USE
                )
            recording = _recording(Path(file), stated)
            found.append(Observed(float(hours), recording.measured.intervals, recording=recording))
        else:
            found += _from_json(Path(text))
    return found


def observed_ecgs(
    observed: Sequence[Observed], simulated: Sequence[str], catalogue: Catalogue
) -> list[ObservedEcg]:
    """The observations with their actions. simulated: what is to be simulated, as text; where an observation names
    no action, it has to be one. Raises MissingInputError, UnknownDrugError, DoseError."""
    drugs = [text for text in simulated if parse_action(text, catalogue).doses]
    ecgs = []
    for one in observed:
        if one.action is None and len(set(drugs)) != 1:
            raise MissingInputError(
                "It is not clear which drug the observed ECG is of, as not exactly one is simulated.",
                'Give a JSON file whose entries have an "action".',
            )
        given = parse_action(one.action if one.action is not None else drugs[0], catalogue)
        action = action_of(given, catalogue, one.hours)
        ecgs.append(ObservedEcg(action, one.intervals, one.period, one.before))
    _check_periods(ecgs)
    return ecgs


def on_common_leads(observed: Sequence[Observed], case: Case) -> tuple[list[Observed], list[str]]:
    """The observations, those ECGs that have other leads than the pre-dose ECG measured on what both have, and
    what is to be said of it. Intervals in a JSON file do not say what leads they are of, and stay.

    Raises MissingInputError where there is no common lead or nothing to measure.
    """
    before = Recording(*case.pre_dose())
    compared: list[Observed] = []
    warnings: list[str] = []
    for one in observed:
        if one.recording is not None:
            name = f"the ECG {one.hours:g} h after the dose"
            pair = compare(before, one.recording, name)
            one = replace(one, intervals=pair.after, before=pair.before)
            warnings += pair.warnings
        compared.append(one)
    return compared, warnings


def _check_periods(ecgs: Sequence[ObservedEcg]) -> None:
    for period in {ecg.period for ecg in ecgs} - {0}:
        if all(ecg.action.drugs for ecg in ecgs if ecg.period == period):
            raise MissingInputError(
                f"Period {period} has no ECG without a drug to compare with.",
                f'Add an entry with "period": {period}, "action": "no drug" and "hours": 0.',
            )


def _recording(file: Path, stated: Stated) -> Recording:
    from worldmodel.delineation.measure import measure
    from worldmodel.readers import read_ecg

    ecg = stretch_of(standard_twelve(read_ecg(file, stated)), None).part
    return Recording(ecg, measure(ecg))


def _from_json(file: Path) -> list[Observed]:
    """The entries of a JSON file: one object or a list. Raises MissingInputError."""
    try:
        document: Any = json.loads(file.read_text("utf-8"))
        entries = [ObservedIntervals.model_validate(entry) for entry in _as_list(document)]
    except OSError as error:
        raise MissingInputError(f"{file} cannot be read: {error.strerror}.", USE) from error
    except UnicodeDecodeError as error:
        raise MissingInputError(f"{file} is no text file.", USE) from error
    except json.JSONDecodeError as error:
        raise MissingInputError(f"{file}, line {error.lineno}: {error.msg}.", USE) from error
    except RecursionError as error:
        raise MissingInputError(f"{file} is nested too deeply.", USE) from error
    except ValidationError as error:
        fields = ", ".join(ObservedIntervals.model_fields)
        raise MissingInputError(f"{file}: {explain(error)}.", f"An entry may have: {fields}.") from error
    if not entries:
        raise MissingInputError(f"{file} holds no entry.", USE)
    return [
        Observed(
            entry.hours,
            Intervals(
                hr_bpm=entry.hr_bpm,
                rr_ms=60_000.0 / entry.hr_bpm,
                pr_ms=entry.pr_ms,
                qrs_ms=entry.qrs_ms,
                jtpeak_ms=entry.jtpeak_ms,
                tpeak_tend_ms=entry.tpeak_tend_ms,
            ),
            entry.action,
            entry.period,
        )
        for entry in entries
    ]


def _as_list(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False
