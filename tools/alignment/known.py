"""The case as it was known when the decision was made: nothing that the record says of later."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from knowledge.patient import Patient, load_patient, parse_patient
from tools.alignment.episode import BUILT_IN, Episode, EpisodesError
from tools.case import Case, load_case
from tools.errors import MissingInputError
from worldmodel.delineation.measure import measure
from worldmodel.ecg import Ecg, standard_twelve


def case_at_decision(episode: Episode) -> tuple[Case, int]:
    """The case as it was known at the time of the decision, and how many entries of the record are of later.

    Raises EpisodesError, MissingInputError, EcgFileError, PatientFileError.
    """
    decided = _moment(episode.time, "time")
    recorded = _moment(episode.ecg_time, "ecg_time")
    if decided and recorded and recorded > decided:
        raise EpisodesError("The ECG is of after the decision.", "Give the last one before it.")
    if isinstance(episode.patient, Path):
        patient = load_patient(episode.patient)
    elif episode.patient:
        patient = parse_patient(episode.patient)
    else:
        raise MissingInputError("The episode has no patient.", "Name a patient file.")
    known = patient if decided is None else _as_known_at(patient, decided)
    left_out = sum(len(getattr(patient, name)) - len(getattr(known, name)) for name in ("labs", "qt_history"))
    if isinstance(episode.ecg, Path):
        return replace(load_case(episode.ecg), patient=known), left_out
    ecg = standard_twelve(_given_ecg(episode.ecg))
    return Case(ecg=ecg, measurement=measure(ecg), patient=known), left_out


def _given_ecg(ecg: Ecg | str) -> Ecg:
    if isinstance(ecg, Ecg):
        return ecg
    if ecg != BUILT_IN:
        raise MissingInputError("The episode has no ECG.", f'Name a recording, or "{BUILT_IN}".')
    return _built_in()


@lru_cache(maxsize=1)
def _built_in() -> Ecg:
    from worldmodel.virtual import demo_ecg

    return demo_ecg()


def _as_known_at(patient: Patient, decided: datetime) -> Patient:
    """Without laboratory values and QTc of later; those without a time are taken to be of before."""

    def before(time: datetime | None) -> bool:
        return time is None or time.replace(tzinfo=None) <= decided

    labs = tuple(lab for lab in patient.labs if before(lab.time))
    return patient.model_copy(
        update={"labs": labs, "qt_history": tuple(qt for qt in patient.qt_history if before(qt.time))}
    )


def _moment(text: str | None, name: str) -> datetime | None:
    """Local time without its zone, as a record's own times are compared."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise EpisodesError(f"{name} {text!r} is no time.", "Write it as 2026-01-05T08:00:00.") from error
