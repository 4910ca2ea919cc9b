"""World model and rivals on unseen patients: the same responses, and what each rival stands for."""

from itertools import islice

import numpy as np
import pytest
import torch

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_QT
from worldmodel.evaluation import comparison, rivals
from worldmodel.evaluation.comparison import compare
from worldmodel.evaluation.missing_leads import evaluate_missing_leads
from worldmodel.evaluation.roll_outs import StepRow, evaluate_roll_outs
from worldmodel.evaluation.unseen import (
    EVALUATED,
    FITTED,
    MEASURED,
    QTCF,
    expected_change,
    true_change,
    unseen_patients,
)
from worldmodel.model import WorldModel
from worldmodel.pharmacology import EFFECTS

ACTIONS = {"none": NO_DRUG, "hERG": PROLONG_QT}


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return WorldModel.load()


def test_patients_are_the_same_for_a_seed_and_others_in_another_stream() -> None:
    one, again = next(unseen_patients(3)), next(unseen_patients(3))
    other = next(unseen_patients(3, FITTED))
    assert np.array_equal(one.before.samples_mv, again.before.samples_mv)
    assert not np.allclose(one.before.samples_mv, other.before.samples_mv)
    assert one.measured.rhythm.label == "sinus" and EVALUATED != FITTED


def test_the_true_change_of_an_interval_is_that_of_its_landmarks() -> None:
    patient = next(unseen_patients(0)).patient
    response = torch.zeros(1, len(EFFECTS))
    response[0, EFFECTS.index("tpeak_tend_ms")] = 20.0
    change = dict(zip(MEASURED, true_change(patient, response)[0].tolist(), strict=True))
    rr_s = float(patient.timing.rr_s)
    assert change["tpeak_tend_ms"] == 20.0
    assert change["qtcf_ms"] == pytest.approx(20.0 / rr_s ** (1 / 3), abs=1e-3)
    expected = expected_change(patient, [NO_DRUG, PROLONG_QT], torch.Generator().manual_seed(0))
    assert abs(float(expected[0, QTCF])) < 1.0 and 60.0 < float(expected[1, QTCF]) < 120.0


def test_rivals_share_responses_and_rhythm_and_differ_in_what_draws_the_ecg(model: WorldModel) -> None:
    one = next(unseen_patients(0))
    variants = [model, rivals.anchor_alone(model), rivals.prior_alone(model), rivals.prior_scaled(model, 0.0)]
    simulated = [v.simulate(one.before, one.measured, [PROLONG_QT], one.context, 1, 5) for v in variants]
    assert all(np.array_equal(s.responses, simulated[0].responses) for s in simulated)
    drawn = [s.samples_mv for s in simulated]
    assert all(not np.allclose(a, b, atol=1e-3) for i, a in enumerate(drawn) for b in drawn[:i])
    whole = rivals.prior_scaled(model, 1.0).simulate(
        one.before, one.measured, [PROLONG_QT], one.context, 1, 5
    )
    assert np.allclose(whole.samples_mv, drawn[0], atol=1e-5)


def test_everyone_is_measured_on_the_same_patients(
    model: WorldModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "FITTED_PATIENTS", 6)
    monkeypatch.setattr(comparison, "GALLERY", 3)
    seen: list[float] = []
    compared = compare({"anchor": (rivals.anchor_alone(model), 2)}, ACTIONS, 2, 0, seen.append)
    assert seen[-1] == pytest.approx(1.0) and seen == sorted(seen)
    assert compared.predicted["anchor"].shape == (2, 2, 2, 7)
    assert {"oracle", "persistence", "mean effect", "regression"} < set(compared.predicted)
    persisted = compared.predicted["persistence"][..., 0, :6] - compared.before[:, None, :6]
    assert np.allclose(persisted, 0.0)
    told = compared.predicted["mean effect"][..., 0, QTCF] - compared.before[:, None, QTCF]
    assert told[0, 1] > 40.0 and np.allclose(told[0], told[1])
    oracle = np.abs(compared.predicted["oracle"][:, :, 0, QTCF] - compared.truth[:, :, 0, QTCF])
    assert np.median(oracle) < 6.0
    assert len(compared.gallery) == 3 and np.isfinite(compared.gallery).all()
    assert list(compared.actions) == list(ACTIONS)


def test_a_lead_that_follows_from_others_costs_nothing_and_a_chest_lead_little(model: WorldModel) -> None:
    rows = {row.leads: row for row in evaluate_missing_leads(rivals.anchor_alone(model), PROLONG_QT, 1, 1, 0)}
    assert len(rows) == 18
    assert rows[("aVL",)].bias_ms == pytest.approx(0.0, abs=0.5)
    assert all(row.bias_ms is not None and abs(row.bias_ms) < 30.0 for row in rows.values())


def test_a_roll_out_takes_every_step_from_the_one_before(model: WorldModel) -> None:
    rows = evaluate_roll_outs(rivals.anchor_alone(model), [PROLONG_QT, NO_DRUG], 2, 2, 0)
    assert [row.step for row in rows] == [1, 2]
    assert all(row.patients == 2 and 0 < row.rolled_rmse_ms < 100 for row in rows)


def test_few_patients_excuse_more_than_many() -> None:
    few, many = (StepRow(5, n, *[1.0] * 6).largest_by_chance for n in (3, 300))
    assert few > 1.4 and 1.0 < many < 1.1


def test_the_stream_never_ends() -> None:
    assert len(list(islice(unseen_patients(1), 3))) == 3
