"""The virtual trial: what it says of its patients is true of their recordings."""

import pytest
import torch

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_QT, generator, transitions
from worldmodel.beat import LANDMARKS
from worldmodel.conditioning import CONTEXT
from worldmodel.delineation.measure import measure_batch
from worldmodel.grid import sample_r_times
from worldmodel.pharmacology import EFFECTS
from worldmodel.preprocessing import FS_HZ, to_twelve
from worldmodel.virtual import demo_ecg
from worldmodel.virtual.patients import sample_patients
from worldmodel.virtual.trial import record, sample_transitions


def test_a_seed_gives_the_same_trial() -> None:
    assert torch.equal(transitions(seed=3).after, transitions(seed=3).after)
    assert not torch.equal(transitions(seed=3).after, transitions(seed=4).after)


def test_transitions_are_finite_and_of_physiological_size() -> None:
    trial = transitions(batch=24, seed=1)
    for ecg in (trial.before, trial.after):
        assert torch.isfinite(ecg).all()
        peak = ecg.abs().amax(dim=(1, 2))
        assert (peak > 0.2).all() and (peak < 15.0).all()
    assert trial.context.shape == (24, CONTEXT)
    assert torch.isfinite(trial.context).all()


def test_potassium_and_t_wave_agree() -> None:
    """Covariates are worth conditioning on only if the ECG knows them."""
    patients = sample_patients(2000, generator(2))
    t_size = patients.waves.t[:, 0].abs().max(dim=1).values
    low, high = patients.covariates.potassium_mmol_l < 3.5, patients.covariates.potassium_mmol_l > 5.0
    assert float(t_size[high].median()) > 1.3 * float(t_size[low].median())


def test_measured_intervals_are_those_the_patient_was_given() -> None:
    """Two independent pieces, the generator and the delineator, must agree to a few ms in sinus rhythm."""
    patients = sample_patients(30, generator(5))
    r_times = sample_r_times(patients.rhythm, 10.0, generator(6))
    recordings = to_twelve(record(patients, torch.zeros(30, len(EFFECTS)), r_times, generator(7)))
    measured = measure_batch(recordings.double().numpy(), FS_HZ)
    marks = dict(zip(LANDMARKS, patients.timing.landmarks_ms.unbind(1), strict=True))
    qt_error = [  # the generator ends T where the tangent does
        m.intervals.qt_tangent_ms - float(marks["t_end"][i] - marks["qrs_on"][i])
        for i, m in enumerate(measured)
        if m.intervals.qt_tangent_ms is not None and not patients.rhythm.irregular[i]
    ]
    assert len(qt_error) >= 18
    assert abs(float(torch.tensor(qt_error).median())) < 8.0


def test_drug_responses_reach_the_recording() -> None:
    """The mean post-dose J-Tpeak and Tpeak-Tend of the drug's share is what its profile says."""
    trial = sample_transitions(400, [PROLONG_QT], generator(8))
    of_drug = trial.response[:, EFFECTS.index("jtpeakc_ms")]
    assert float(of_drug.mean()) == pytest.approx(0.5 * 39.0, rel=0.35)  # half of them are free responses
    nothing = sample_transitions(400, [NO_DRUG], generator(8)).response[:, EFFECTS.index("jtpeakc_ms")]
    assert abs(float(nothing.mean())) < 4.0


def test_the_built_in_patient_is_in_rapid_atrial_fibrillation() -> None:
    ecg = demo_ecg()
    (measured,) = measure_batch(ecg.samples_mv[None], ecg.fs_hz)
    assert measured.rhythm.label == "atrial_fibrillation"
    assert measured.intervals.hr_bpm is not None and measured.intervals.hr_bpm > 110
    assert measured.intervals.pr_ms is None and "pr_ms" in measured.not_measurable
