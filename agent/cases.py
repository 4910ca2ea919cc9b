"""Opening the case of a thread: files, or the built-in synthetic patient."""

import hashlib
from functools import lru_cache
from pathlib import Path

from agent.state import CaseReference
from tools.case import Case, load_case
from tools.window import Window, parse_window
from worldmodel.readers.stated import NOTHING_STATED, Stated

BUILT_IN = "built-in"
BUILT_IN_PATIENT = Path(__file__).parent / "data" / "demo_patient.json"


def reference(
    ecg: Path | None, patient: Path | None, stated: Stated = NOTHING_STATED, window: Window | None = None
) -> CaseReference:
    """Where a case lies and how it is read, with absolute paths: a thread can be resumed from another folder."""
    said = {"fs_hz": stated.fs_hz, "unit": stated.unit, "leads": list(stated.leads)}
    return CaseReference(
        ecg=None if ecg is None else str(ecg.absolute()),
        patient=None if patient is None else str(patient.absolute()),
        stated=said if stated.anything else None,
        window=None if window is None else str(window),
    )


def open_case(where: CaseReference) -> Case:
    if where.get("ecg") == BUILT_IN:
        return built_in_case()
    said, window = where.get("stated"), where.get("window")
    stated = Stated(said["fs_hz"], said["unit"], tuple(said["leads"])) if said else NOTHING_STATED
    return load_case(where.get("ecg"), where.get("patient"), stated, parse_window(window) if window else None)


@lru_cache(maxsize=1)
def built_in_case() -> Case:
    """The synthetic patient of `demo`: 71 years, female, atrial fibrillation with a rapid ventricular response."""
    from knowledge.patient import load_patient
    from worldmodel.delineation.measure import measure
    from worldmodel.ecg import standard_twelve
    from worldmodel.virtual import demo_ecg

    ecg = standard_twelve(demo_ecg())
    return Case(ecg=ecg, measurement=measure(ecg), patient=load_patient(BUILT_IN_PATIENT))


def fingerprint(case: Case) -> dict[str, str | None]:
    """Hashes of the samples and of the record, to tell later whether a thread still speaks of the same case."""
    ecg, patient = case.ecg, case.patient
    return {
        "ecg_sha256": None if ecg is None else hashlib.sha256(ecg.samples_mv.tobytes()).hexdigest(),
        "patient_sha256": None
        if patient is None
        else hashlib.sha256(patient.model_dump_json().encode()).hexdigest(),
    }
