"""The face of the world model with its shipped weights."""

from dataclasses import replace

import numpy as np
import pytest

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_PR, PROLONG_QT
from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.evaluation.effects import evaluate_effects
from worldmodel.measurement import Measurement
from worldmodel.model import WorldModel
from worldmodel.pharmacology import PatientContext
from worldmodel.virtual import demo_ecg

NOTHING_KNOWN = PatientContext()


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return WorldModel.load()


def test_a_seed_reproduces_its_samples_and_another_gives_others(model: WorldModel) -> None:
    ecg = demo_ecg()
    measured = measure(ecg)
    one, again, other = (
        model.simulate(ecg, measured, [NO_DRUG, PROLONG_PR], NOTHING_KNOWN, 2, seed).samples_mv
        for seed in (1, 1, 2)
    )
    assert one.shape == (2, 2, 12, 2500)
    assert np.array_equal(one, again)
    assert not np.allclose(one, other)


def test_limb_leads_obey_einthoven_and_goldberger(model: WorldModel) -> None:
    ecg = demo_ecg()
    samples = model.simulate(ecg, measure(ecg), [PROLONG_PR], NOTHING_KNOWN, 1, 0).samples_mv[0, 0]
    lead = dict(zip(LEADS, samples, strict=True))
    assert np.allclose(lead["I"] + lead["III"], lead["II"], atol=1e-5)
    assert np.allclose(lead["aVR"] + lead["aVL"] + lead["aVF"], 0.0, atol=1e-5)


def test_effects_have_the_right_sign_and_size_on_unseen_patients(model: WorldModel) -> None:
    """The whole chain: response, rhythm, prior, diffusion, decoder, delineator."""
    actions = {"none": NO_DRUG, "hERG": PROLONG_QT, "AV": PROLONG_PR}
    rows = evaluate_effects(model, actions, patients=5, k=3, seed=1)
    change = {(r.action, r.interval): r.simulated_mean or 0.0 for r in rows}
    assert 50.0 < change["hERG", "qtcf_ms"] < 105.0
    assert 15.0 < change["AV", "pr_ms"] < 55.0
    assert abs(change["AV", "qtcf_ms"]) < 15.0
    assert abs(change["none", "qtcf_ms"]) < 8.0
    assert abs(change["none", "hr_bpm"]) < 4.0


def test_the_patient_stays_recognisable(model: WorldModel) -> None:
    """Without a drug the median beat of a simulation is the patient's own."""
    ecg = demo_ecg()
    measured = measure(ecg)
    simulation = model.simulate(ecg, measured, [NO_DRUG], NOTHING_KNOWN, 1, 3)
    (after,) = measure_batch(simulation.samples_mv[0].astype(np.float64), simulation.fs_hz)
    assert measured.median_beat is not None and after.median_beat is not None
    window = slice(-40, 100)
    own, simulated = (
        b.samples_mv[:, b.r_index + window.start : b.r_index + window.stop].ravel()
        for b in (measured.median_beat, after.median_beat)
    )
    assert np.corrcoef(own, simulated)[0, 1] > 0.95


def test_a_missing_lead_comes_out_and_is_named_in_the_support(model: WorldModel) -> None:
    ecg = demo_ecg()
    samples = ecg.samples_mv.copy()
    samples[LEADS.index("V3")] = np.nan
    without = replace(ecg, samples_mv=samples, missing_leads=("V3",))
    simulation = model.simulate(without, measure(without), [NO_DRUG], NOTHING_KNOWN, 1, 0)
    assert np.isfinite(simulation.samples_mv).all()
    assert any("V3" in reason for reason in simulation.support[0].reasons)


def test_nothing_measured_nothing_simulated(model: WorldModel) -> None:
    flat = Ecg(np.zeros((12, 2500)), 250.0, LEADS)
    with pytest.raises(NotSimulatableError):
        model.simulate(flat, Measurement(), [NO_DRUG], NOTHING_KNOWN, 1, 0)


def test_progress_ends_at_one(model: WorldModel) -> None:
    ecg = demo_ecg()
    seen: list[float] = []
    model.simulate(ecg, measure(ecg), [NO_DRUG], NOTHING_KNOWN, 1, 0, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)
