"""The case: one patient and one ECG, read, measured, and put into the words of both lower wings."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from knowledge.chart import Chart
from knowledge.findings import EcgFindings
from knowledge.patient import Patient, load_patient
from tools.errors import MissingInputError
from tools.findings import findings_of
from tools.results import unique
from tools.stretch import stretch_of
from tools.window import Window
from worldmodel.ecg import Ecg, standard_twelve
from worldmodel.measurement import Measurement
from worldmodel.pharmacology import PatientContext
from worldmodel.readers.stated import NOTHING_STATED, Stated


@dataclass(frozen=True)
class Case:
    """What is known. Each part is None where it was not given; ecg is in standard lead order."""

    ecg: Ecg | None = None
    measurement: Measurement | None = None
    patient: Patient | None = None
    ecg_path: Path | None = None
    patient_path: Path | None = None

    @cached_property
    def findings(self) -> EcgFindings | None:
        """The ECG as the mask reads it."""
        return None if self.measurement is None else findings_of(self.measurement)

    @cached_property
    def context(self) -> PatientContext:
        """The patient as the world model reads them."""
        if self.patient is None:
            return PatientContext()
        return PatientContext(
            age_years=self.patient.age_years,
            female=None if self.patient.sex == "unknown" else self.patient.sex == "female",
            potassium_mmol_l=self.patient.lab_facts().get("potassium_mmol_l"),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What reader and measurement had to doubt, and what of the chart no rule looks at."""
        read = self.ecg.warnings if self.ecg else ()
        measured = self.measurement.warnings if self.measurement else ()
        unread = Chart(self.patient, self.findings).not_understood()
        chart = (f"No rule looks at this entry of the chart: {entry}" for entry in unread)
        return unique([*read, *measured, *chart])

    def pre_dose(self) -> tuple[Ecg, Measurement]:
        """The ECG to simulate from. Raises MissingInputError where there is none."""
        if self.ecg is None or self.measurement is None:
            raise MissingInputError(
                "Without a pre-dose ECG there is nothing to simulate from.", "Give one with --ecg."
            )
        return self.ecg, self.measurement


def load_case(
    ecg: str | Path | None = None,
    patient: str | Path | None = None,
    stated: Stated = NOTHING_STATED,
    window: Window | None = None,
) -> Case:
    """Read and measure what is given: of a long recording its cleanest ten seconds, within `window` if one is given.

    stated: what the user says of a table of numbers. Raises EcgFileError, PatientFileError, and MissingInputError
    where something is said of a recording and none is given.
    """
    recording = measurement = None
    if ecg is None and (stated.anything or window is not None):
        raise MissingInputError(
            "--fs, --unit, --leads and --window speak of a recording, and none is given.",
            "Give it with --ecg.",
        )
    if ecg is not None:
        from worldmodel.delineation.measure import measure
        from worldmodel.readers import read_ecg

        # What is measured is also what is simulated from.
        recording = stretch_of(standard_twelve(read_ecg(ecg, stated)), window).part
        measurement = measure(recording)
    return Case(
        ecg=recording,
        measurement=measurement,
        patient=None if patient is None else load_patient(patient),
        ecg_path=None if ecg is None else Path(ecg),
        patient_path=None if patient is None else Path(patient),
    )
