"""The built-in patient's ECG: atrial fibrillation with a rapid ventricular response, drawn from a fixed seed."""

from dataclasses import replace

import torch

from worldmodel.beat import JT_RR_EXPONENT
from worldmodel.ecg import LEADS, Ecg
from worldmodel.grid import Rhythm, sample_r_times
from worldmodel.pharmacology import EFFECTS
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_twelve
from worldmodel.virtual.patients import Patients, sample_patients
from worldmodel.virtual.surface import F_WAVE_IN_LEADS
from worldmodel.virtual.trial import record

SEED = 7
HR_BPM = 128.0
QRS_MS, JTPEAKC_MS, TPEAK_TEND_MS = 92.0, 235.0, 78.0


def demo_ecg() -> Ecg:
    """Ten seconds, twelve leads, of the same made-up patient every time; no recording of a person is in it."""
    generator = torch.Generator().manual_seed(SEED)
    patient = _in_rapid_fibrillation(sample_patients(1, generator, "atrial_fibrillation"))
    r_times = sample_r_times(patient.rhythm, SAMPLES / FS_HZ, generator)
    eight = record(patient, torch.zeros(1, len(EFFECTS)), r_times, generator)
    return Ecg(to_twelve(eight)[0].double().numpy(), FS_HZ, LEADS, source="built-in synthetic patient")


def _in_rapid_fibrillation(patient: Patients) -> Patients:
    """The drawn patient with this rhythm, a narrow QRS, and f waves of usual size."""
    rr_s = 60.0 / HR_BPM
    qrs_on, qrs_off = -0.46 * QRS_MS, 0.54 * QRS_MS
    t_peak = qrs_off + JTPEAKC_MS * rr_s**JT_RR_EXPONENT
    landmarks = torch.tensor(
        [[qrs_on - 160.0, qrs_on - 60.0, qrs_on, 0.0, qrs_off, t_peak, t_peak + TPEAK_TEND_MS]]
    )
    timing = replace(
        patient.timing, landmarks_ms=landmarks, rr_s=torch.tensor([rr_s]), has_p=torch.tensor([False])
    )
    f_size = 0.05 * F_WAVE_IN_LEADS[None]
    surface = replace(patient.surface, f_size_mv=f_size, f_rate_hz=torch.tensor([6.0]))
    rhythm = Rhythm(
        torch.tensor([rr_s]), torch.tensor([0.18 * rr_s]), torch.tensor([True]), torch.tensor([0.2])
    )
    return replace(patient, timing=timing, rhythm=rhythm, surface=surface)
