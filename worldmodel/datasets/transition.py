"""The one transition that every data set gives: an ECG before the dose, what was given, an ECG after it.

Recordings are kept by reference; a `Room` (a data set as it was published) or a `Store` (a prepared one) reads them.
Hours count from the dose, hour zero, unless they say otherwise. What is not known is None or absent, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from worldmodel.ecg import Ecg
from worldmodel.pharmacology import PatientContext

UNKNOWN = PatientContext()


@dataclass(frozen=True)
class Recording:
    """One ECG by reference.

    id: unique within the data set. path: of its WFDB record, from the data set's folder; "" where it is made.
    time: as the data set writes it, which may be shifted. measured: what the data set says of it, by name with unit
    (`qt_ms`), only what could be measured. labels: statements or codes of the ECG itself. patient: at that time.
    """

    id: str
    path: str = ""
    time: str = ""
    measured: dict[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    patient: PatientContext = UNKNOWN


@dataclass(frozen=True)
class Dose:
    """One drug as given.

    drug: in lower case. amount in `unit`: None where it is not said, or no number; then `text` holds what is said.
    route: oral, iv, ... given_h: None where the time is not said. plasma_ng_ml: total concentration at the time of the
    ECG after the dose; below_lloq: it was looked for and too little to be measured. rate in `rate_unit`: of an
    infusion. source: the protocol, or the table it was read from; an order (prescriptions) is no administration.
    """

    drug: str
    amount: float | None = None
    unit: str = ""
    route: str = ""
    given_h: float | None = None
    plasma_ng_ml: float | None = None
    below_lloq: bool = False
    rate: float | None = None
    rate_unit: str = ""
    source: str = ""
    text: str = ""


@dataclass(frozen=True)
class Given:
    """The action. doses: what is on board of it at the ECG after it; () is placebo, or nothing.

    arm: of a trial, in its own words, which is not what is on board. later: what else was given before the ECG after
    the dose; it is part of the exposure and was not known when the dose was given.
    """

    doses: tuple[Dose, ...] = ()
    arm: str = ""
    later: tuple[Dose, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A laboratory value or vital sign known at hour zero; hours <= 0 says when it was taken, None where at entry."""

    name: str
    value: float
    unit: str
    hours: float | None = None


@dataclass(frozen=True)
class Context:
    """What was known at hour zero. diagnoses: codes such as `icd10:I48.0`; on_board: given before, hours negative.

    What is on board since the ECG before the dose (given_h > before_h) is not seen in that ECG.

    rhythm: what the monitor's chart says. weight_kg and height_cm are among the facts.
    """

    patient: PatientContext = UNKNOWN
    facts: tuple[Fact, ...] = ()
    diagnoses: tuple[str, ...] = ()
    on_board: tuple[Dose, ...] = ()
    rhythm: str = ""


@dataclass(frozen=True)
class Transition:
    """id: unique in the data set. subject: with the data set's name, as numbers of different sets collide.

    before_h: of the ECG before the dose, negative. hours: of the ECG after it. occasion: what near-duplicates share
    (triplicates of one time); average within it before counting.
    """

    id: str
    dataset: str
    subject: str
    before: Recording
    before_h: float
    given: Given
    context: Context
    hours: float
    after: Recording
    occasion: str = ""


@dataclass(frozen=True)
class SubjectRecords:
    """What a data set holds of one subject; transitions use some of the recordings, or none."""

    recordings: tuple[Recording, ...]
    transitions: tuple[Transition, ...] = ()


class Room(Protocol):
    """A data set. Opening it raises DataSetError where its layout is another."""

    @property
    def name(self) -> str:
        """Its own name, which stands before the subject's."""

    @property
    def subjects(self) -> Sequence[str]:
        """All subjects, `name/number`, in a fixed order."""

    def read(self, subject: str) -> SubjectRecords:
        """What there is of one subject."""

    def ecg(self, recording: Recording) -> Ecg:
        """Its samples. Raises EcgFileError where they cannot be read."""

    def split_of(self, subject: str) -> str:
        """train, validation or test: one split for all of a subject."""
