"""The trial: twins differ by the action alone, covariates fit each other, lost leads are filled as a reader would."""

import torch

from tests.worldmodel.virtual_patients import generator, transitions
from worldmodel.beat import LANDMARKS
from worldmodel.delineation.measure import measure_batch
from worldmodel.pharmacology import EFFECTS
from worldmodel.preprocessing import DOWER, FS_HZ, to_twelve
from worldmodel.virtual.covariates import creatinine_of, sample_covariates
from worldmodel.virtual.patients import sample_patients
from worldmodel.virtual.surface import coloured
from worldmodel.virtual.trial import lose_leads, measured_beat, twins


def test_twins_differ_by_the_action_alone() -> None:
    patients = sample_patients(16, generator(1))
    responses = torch.zeros(3, 16, len(EFFECTS))
    responses[1, :, EFFECTS.index("jtpeakc_ms")] = 40.0
    ecgs, r_times = twins(patients, responses, generator(2))
    assert torch.equal(ecgs[0], ecgs[2]) and torch.equal(r_times[0], r_times[1])
    at_r = (r_times[0] > 0.3) & (r_times[0] < 9.5)
    for row in range(16):
        if patients.labels[row] == "sinus":
            r = (r_times[0, row][at_r[row]] * FS_HZ).round().long()
            difference = (ecgs[1, row] - ecgs[0, row]).abs()
            assert difference[:, r].max() < 0.1 * difference.max().clamp(min=0.1)


def test_truth_of_a_twin_is_measured() -> None:
    """40 ms on J-Tpeak are 40 ms when two recordings are measured."""
    patients = sample_patients(12, generator(4), "sinus")
    responses = torch.zeros(2, 12, len(EFFECTS))
    responses[1, :, EFFECTS.index("jtpeakc_ms")] = 40.0
    ecgs, _ = twins(patients, responses, generator(2))
    before, after = (measure_batch(to_twelve(x).double().numpy(), FS_HZ) for x in ecgs)
    change = [
        b.intervals.jtpeakc_ms - a.intervals.jtpeakc_ms
        for a, b in zip(before, after, strict=True)
        if a.intervals.jtpeakc_ms is not None and b.intervals.jtpeakc_ms is not None
    ]
    assert len(change) >= 10
    assert abs(float(torch.tensor(change).median()) - 40.0) < 4.0


def test_intervals_of_fitted_beats_are_measured_as_they_were_given() -> None:
    patients = sample_patients(24, generator(5), "sinus")
    ecgs, _ = twins(patients, torch.zeros(1, 24, len(EFFECTS)), generator(6))
    marks = dict(zip(LANDMARKS, patients.timing.landmarks_ms.unbind(1), strict=True))
    truth = {
        "pr_ms": marks["qrs_on"] - marks["p_on"],
        "qrs_ms": marks["qrs_off"] - marks["qrs_on"],
        "qt_tangent_ms": marks["t_end"] - marks["qrs_on"],
        "jtpeak_ms": marks["t_peak"] - marks["qrs_off"],
    }
    found = [m.intervals for m in measure_batch(to_twelve(ecgs[0]).double().numpy(), FS_HZ)]
    for name, true in truth.items():
        errors = [getattr(m, name) - float(t) for m, t in zip(found, true, strict=True) if getattr(m, name)]
        assert len(errors) >= 20
        assert abs(float(torch.tensor(errors).median())) < 8.0, name


def test_potassium_follows_kidneys_and_diuretics() -> None:
    people = sample_covariates(4000, generator(3))
    failing = people.egfr_ml_min < 30
    assert float(people.potassium_mmol_l[failing].mean()) > float(people.potassium_mmol_l.mean()) + 0.2
    assert float(people.creatinine_mg_dl[failing].min()) > 1.3
    assert float(people.age_years[people.heart_failure].mean()) > float(people.age_years.mean()) + 5
    # CKD-EPI 2021: a woman of 50 with 0.7 mg/dL has 142 x 0.9938^50 x 1.012 = 105 mL/min.
    one = creatinine_of(torch.tensor([105.3]), torch.tensor([50.0]), torch.tensor([True]))
    assert abs(float(one) - 0.7) < 0.01


def test_noise_has_the_levels_it_was_asked_for() -> None:
    level = torch.tensor([0.02, 0.01, 0.006, 0.004, 0.003]).repeat(40, 8, 1)
    rms = coloured(level, 2500, generator(1)).square().mean().sqrt()
    assert abs(float(rms) / float(level[0, 0].norm()) - 1.0) < 0.03


def test_lost_leads_are_what_the_other_leads_project_on_them() -> None:
    patients = sample_patients(60, generator(9))
    ecgs = torch.randn(60, 8, 100, generator=generator(1))
    filled, beat = lose_leads(ecgs.clone(), measured_beat(patients, generator(2)), generator(3))
    changed = (filled != ecgs).any(dim=2)
    assert 1 <= int(changed.any(dim=1).sum()) <= 15 and int(changed.sum(dim=1).max()) <= 3
    row = int(changed.any(dim=1).nonzero()[0])
    inside = torch.linalg.lstsq(torch.from_numpy(DOWER).float(), filled[row]).residuals
    assert torch.isfinite(beat.mv).all() and torch.isfinite(inside).all()
    assert torch.equal(filled[~changed], ecgs[~changed])


def test_a_batch_of_the_trial_holds_both_priors_and_many_rhythms() -> None:
    trial = transitions(batch=200, seed=1)
    assert torch.isfinite(trial.after).all() and torch.isfinite(trial.beat.mv).all()
    assert len(set(trial.patients.labels)) >= 5
    assert (trial.r_times_s.diff(dim=1) > 0).all()
