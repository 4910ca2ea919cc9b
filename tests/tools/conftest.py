"""A made ECG, and a world model that does exactly what the drug's mean effect says, with a little spread."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.patient import Patient, parse_patient
from tools.case import Case
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT, Ecg
from worldmodel.measurement import Measurement
from worldmodel.model import Simulation, WorldModel
from worldmodel.networks import ModelInfo
from worldmodel.pharmacology import EFFECTS, Action, PatientContext
from worldmodel.seeing import ObservedEcg
from worldmodel.support import Support

FS_HZ = 500.0
QT_READ_LONGER_MS = 16.8  # a Gaussian has no end; this is where the measurement puts it
# Weights of P, QRS and T in the leads I, II, V1 ... V6.
P_MV = np.array([0.08, 0.15, 0.05, 0.06, 0.07, 0.08, 0.08, 0.08])
R_MV = np.array([0.7, 1.1, -0.6, -0.3, 0.4, 1.2, 1.3, 1.0])
T_MV = np.array([0.25, 0.35, 0.1, 0.3, 0.4, 0.4, 0.35, 0.3])


def made_samples(hr_bpm: float = 70.0, pr_ms: float = 160.0, qt_ms: float = 390.0) -> NDArray[np.float64]:
    """Ten seconds of a steady rhythm, (12, time) in mV: Gaussian waves whose distances follow PR and QT."""
    time_s = np.arange(0.0, 10.0, 1.0 / FS_HZ)
    samples = np.zeros((8, time_s.size))
    for r_s in np.arange(0.4, 10.0, 60.0 / hr_bpm):
        for weights, at_s, width_s in (
            (P_MV, r_s - pr_ms / 1000.0 + 0.005, 0.020),
            (R_MV, r_s, 0.012),
            (-0.2 * R_MV, r_s + 0.03, 0.008),
            (T_MV, r_s + qt_ms / 1000.0 - 0.12, 0.040),
        ):
            samples += weights[:, None] * np.exp(-0.5 * ((time_s - at_s) / width_s) ** 2)
    return np.asarray(TWELVE_FROM_EIGHT @ samples)


class MadeModel(WorldModel):
    """Moves rate, PR and QT by the mean effects times the relative dose; sample k differs by k ms of QT."""

    def __init__(self) -> None:
        self.info = ModelInfo("made", "0", "nothing", True, "0" * 64)
        self.calls: list[list[Action]] = []

    def simulate(
        self,
        pre: Ecg,  # noqa: ARG002
        measured: Measurement,
        actions: Sequence[Action],
        context: PatientContext,  # noqa: ARG002
        k: int,
        seed: int,
        progress: Callable[[float], None] | None = None,
        observed: Sequence[ObservedEcg] = (),  # noqa: ARG002
    ) -> Simulation:
        self.calls.append(list(actions))
        before = measured.intervals
        rows = []
        for action in actions:
            moved = {"hr_bpm": 0.0, "pr_ms": 0.0, "jtpeakc_ms": 0.0, "tpeak_tend_ms": 0.0}
            for drug in action.drugs:
                mean = dict(drug.effects.mean)
                if measured.rhythm.label == "atrial_fibrillation" and drug.effects.hr_bpm_af is not None:
                    mean["hr_bpm"] = drug.effects.hr_bpm_af
                for name in moved:
                    moved[name] += drug.relative_dose * mean.get(name, 0.0)
            qt_ms = (before.qt_ms or 0.0) - QT_READ_LONGER_MS + moved["jtpeakc_ms"] + moved["tpeak_tend_ms"]
            pr_ms = (before.pr_ms or 0.0) + moved["pr_ms"]
            hr_bpm = (before.hr_bpm or 0.0) + moved["hr_bpm"]
            rows.append([made_samples(hr_bpm, pr_ms, qt_ms + 3.0 * sample + seed % 2) for sample in range(k)])
        if progress:
            progress(1.0)
        support = tuple(Support(True, 0.1) for _ in actions)
        responses = np.zeros((len(actions), k, len(EFFECTS)), dtype=np.float32)
        return Simulation(np.asarray(rows, dtype=np.float32), FS_HZ, support, responses)


@pytest.fixture
def model() -> MadeModel:
    return MadeModel()


@pytest.fixture
def made_ecg() -> Callable[..., Ecg]:
    """Makes an ECG of a given hr_bpm, pr_ms and qt_ms."""
    return lambda **timing: Ecg(made_samples(**timing), FS_HZ, LEADS)


@pytest.fixture
def healthy() -> Patient:
    """Nothing is unknown that a rule could ask for."""
    return parse_patient(
        {
            "age_years": 50,
            "sex": "male",
            "weight_kg": 80,
            "height_cm": 180,
            "pregnant": False,
            "conditions": [],
            "medications": [],
            "allergies": [],
            "lvef_percent": 60,
            "systolic_bp_mmhg": 125,
            "pacemaker": False,
            "continuous_ecg": True,
            "labs": [
                {"name": "potassium", "value": 4.4, "unit": "mmol/L"},
                {"name": "magnesium", "value": 0.9, "unit": "mmol/L"},
                {"name": "calcium", "value": 2.4, "unit": "mmol/L"},
                {"name": "creatinine", "value": 80, "unit": "umol/L"},
                {"name": "alt", "value": 20, "unit": "U/L"},
            ],
        }
    )


@pytest.fixture
def case(healthy: Patient, made_ecg: Callable[..., Ecg]) -> Case:
    """A healthy man with a normal ECG."""
    ecg = made_ecg()
    return Case(ecg=ecg, measurement=measure(ecg), patient=healthy)
