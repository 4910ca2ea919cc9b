"""The face of the world model with its shipped weights."""

from dataclasses import replace

import numpy as np
import pytest

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_PR, PROLONG_QT
from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.evaluation.effects import evaluate_effects
from worldmodel.evaluation.rivals import anchor_alone
from worldmodel.evaluation.unseen import unseen_patients
from worldmodel.measurement import Measurement, Rhythm
from worldmodel.model import Request, WorldModel
from worldmodel.pharmacology import EFFECTS, EffectProfile, PatientContext
from worldmodel.seeing import ObservedEcg
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


def test_a_roll_out_carries_exposure_and_person_forward(model: WorldModel) -> None:
    """The second step holds what is left of the first drug, and the same seed gives the same course."""
    ecg = demo_ecg()
    measured = measure(ecg)
    steps = [PROLONG_QT, replace(NO_DRUG, hours=1.0)]
    rolled = model.roll_out(ecg, measured, steps, NOTHING_KNOWN, 2, 5)
    again = model.roll_out(ecg, measured, steps, NOTHING_KNOWN, 2, 5)
    assert rolled.samples_mv.shape == (2, 2, 12, 2500)
    assert np.array_equal(rolled.samples_mv, again.samples_mv)
    jt = rolled.responses[:, :, EFFECTS.index("jtpeakc_ms")].mean(axis=1)
    assert 0.6 * jt[0] < jt[1] < jt[0]


def test_the_oracle_of_a_roll_out_starts_from_the_ecgs_it_is_given(model: WorldModel) -> None:
    ecg = demo_ecg()
    measured = measure(ecg)
    steps = [replace(NO_DRUG, hours=1.0)] * 2
    free = model.roll_out(ecg, measured, steps, NOTHING_KNOWN, 1, 5)
    led = model.roll_out(ecg, measured, steps, NOTHING_KNOWN, 1, 5, starts=[ecg])
    assert np.array_equal(free.samples_mv[0], led.samples_mv[0])
    assert not np.array_equal(free.samples_mv[1], led.samples_mv[1])


def test_someone_seen_to_react_strongly_is_simulated_so(model: WorldModel) -> None:
    ecg = demo_ecg()
    measured = measure(ecg)
    later = replace(PROLONG_QT, hours=4.0)
    before = measured.intervals
    assert before.jtpeak_ms is not None
    strong = replace(before, jtpeak_ms=before.jtpeak_ms + 60.0, qt_tangent_ms=None)
    seen = [ObservedEcg(PROLONG_QT, strong)]
    jt = EFFECTS.index("jtpeakc_ms")
    usual = model.simulate(ecg, measured, [later], NOTHING_KNOWN, 6, 1).responses[0, :, jt]
    theirs = model.simulate(ecg, measured, [later], NOTHING_KNOWN, 6, 1, observed=seen).responses[0, :, jt]
    assert theirs.mean() > usual.mean() + 5.0


def test_doubt_is_told_apart_only_where_nothing_was_observed(model: WorldModel) -> None:
    ecg = demo_ecg()
    measured = measure(ecg)
    drug = replace(
        PROLONG_QT.drugs[0],
        effects=EffectProfile({"jtpeakc_ms": 39.0}, {"jtpeakc_ms": 6.0}, {"jtpeakc_ms": 4.0}),
    )
    action = replace(PROLONG_QT, drugs=(drug,))
    none, some = model.simulate(ecg, measured, [NO_DRUG, action], NOTHING_KNOWN, 1, 1).doubts
    assert set(none.values()) == {0.0}
    assert 2.0 < some["qtcf_ms"] < 5.0
    seen = [ObservedEcg(action, measured.intervals)]
    assert model.simulate(ecg, measured, [action], NOTHING_KNOWN, 1, 1, observed=seen).doubts == ()


def test_an_observed_ecg_that_nobody_shows_lowers_the_support(model: WorldModel) -> None:
    ecg = demo_ecg()
    measured = measure(ecg)
    assert measured.intervals.qrs_ms is not None
    wide = replace(measured.intervals, qrs_ms=measured.intervals.qrs_ms + 90.0)
    seen = [ObservedEcg(PROLONG_QT, wide)]
    simulated = model.simulate(ecg, measured, [PROLONG_QT], NOTHING_KNOWN, 1, 1, observed=seen)
    rolled = model.roll_out(ecg, measured, [PROLONG_QT], NOTHING_KNOWN, 1, 1, observed=seen)
    for support in (*simulated.support, *rolled.support):
        assert not support.in_distribution
        assert any("QRS" in reason and "SDs" in reason for reason in support.reasons)


def test_an_unchanged_ecg_says_the_same_with_and_without_the_tangent(model: WorldModel) -> None:
    """T ends some 20 ms later to readers than by the tangent; taken for an effect, that prolonged QT by a third."""
    ecg = demo_ecg()
    measured = measure(ecg)
    assert measured.intervals.qt_tangent_ms is not None
    later = replace(PROLONG_QT, hours=4.0)
    by_tangent, by_readers = (
        model.simulate(
            ecg, measured, [later], NOTHING_KNOWN, 6, 1, observed=[ObservedEcg(PROLONG_QT, intervals)]
        ).responses.mean(axis=(0, 1))
        for intervals in (measured.intervals, replace(measured.intervals, qt_tangent_ms=None))
    )
    assert by_readers == pytest.approx(by_tangent, abs=0.5)


def test_guidance_draws_towards_the_prior(model: WorldModel) -> None:
    ecg = demo_ecg()
    measured = measure(ecg)
    plain, guided, more = (
        model.simulate(ecg, measured, [NO_DRUG], NOTHING_KNOWN, 1, 2, gamma=gamma).samples_mv
        for gamma in (0.0, 1.0, 1e6)
    )
    assert not np.array_equal(plain, guided)
    assert np.abs(more - plain).mean() > np.abs(guided - plain).mean()


def test_a_pacemaker_keeps_its_rate(model: WorldModel) -> None:
    ecg = demo_ecg()
    measured = measure(ecg)
    paced = replace(measured, rhythm=replace(measured.rhythm, label="paced"))
    responses = model.simulate(ecg, paced, [PROLONG_PR], NOTHING_KNOWN, 2, 0).responses[0]
    assert (responses[:, EFFECTS.index("hr_bpm")] == 0).all()
    assert (responses[:, EFFECTS.index("pr_ms")] != 0).any()


def test_no_beat_is_made_up(model: WorldModel) -> None:
    """What is drawn around the patient's own beats is noise: no extra beats, no steps of an electrode."""
    one = next(unseen_patients(3))
    drawn, own_beats = (
        some.simulate(one.before, one.measured, [NO_DRUG], NOTHING_KNOWN, 6, 0).samples_mv
        for some in (model, anchor_alone(model))
    )
    assert np.abs(drawn - own_beats).max() < 0.35


def test_patients_of_one_batch_are_what_each_is_alone(model: WorldModel) -> None:
    """One whose rhythm is drawn anew, one whose own beats go on, and one whose beat is of another length and rate."""
    ecg = demo_ecg()
    measured = measure(ecg)
    flutter = replace(measured, rhythm=Rhythm("atrial_flutter", 0.9))
    other = next(unseen_patients(seed=5))
    assert measured.median_beat is not None and other.measured.median_beat is not None
    assert measured.median_beat.samples_mv.shape != other.measured.median_beat.samples_mv.shape
    asked = [
        (ecg, measured, [NO_DRUG, PROLONG_PR], NOTHING_KNOWN, 1),
        (ecg, flutter, [PROLONG_QT], PatientContext(70.0, True, 3.4), 2),
        (other.before, other.measured, [PROLONG_PR], other.context, 3),
    ]
    requests = [Request(model.encode(pre, before), pre, before, *more) for pre, before, *more in asked]
    together = model.simulate_many(requests, k=1)
    for one, among in zip(requests, together, strict=True):
        alone = model.simulate(one.pre, one.measured, one.actions, one.context, 1, one.seed)
        assert among.samples_mv.shape == alone.samples_mv.shape
        assert np.allclose(among.samples_mv, alone.samples_mv, atol=1e-3)
        assert np.array_equal(among.responses, alone.responses)
    again = model.simulate_many(requests, k=1)
    assert [s.samples_mv.tobytes() for s in again] == [s.samples_mv.tobytes() for s in together]
    assert model.simulate_many([], k=1) == []
