"""The three risks of an ECG, which of them is gone by, and who judged the labels."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from tests.worldmodel.labels.made_checkpoint import SMALL, saved, tensors
from tools import model as models
from tools.case import Case
from tools.judging import RiskChoice
from tools.model import ECG_FM, label_model
from tools.outcomes import pre_dose_risk
from tools.rank import rank_candidates
from tools.simulate import roll_out, simulate_actions
from worldmodel.checkpoint import sha256_of
from worldmodel.errors import WeightsError
from worldmodel.labels.definition import NAMES
from worldmodel.labels.ecg_fm_checkpoint import load_ecg_fm
from worldmodel.labels.model import WEIGHTS
from worldmodel.labels.pooling import POOLINGS, label_risk
from worldmodel.scoring import PoolingName, RiskName

DOFETILIDE = "dofetilide 500 ug oral"


@pytest.fixture
def ecg_fm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint of the published layout, but small, which the loader is told of."""
    monkeypatch.setattr(
        "worldmodel.labels.ecg_fm_checkpoint.load_ecg_fm", lambda path: load_ecg_fm(path, SMALL)
    )
    models._ecg_fm.cache_clear()
    return saved(tmp_path / "mimic_iv_ecg_finetuned.pt", tensors())


def test_the_names_on_the_command_line_are_the_poolings_there_are() -> None:
    assert set(get_args(PoolingName)) == set(POOLINGS)


@pytest.mark.parametrize("risk", get_args(RiskName))
def test_score_mean_and_spread_are_of_the_chosen_risk(case: Case, model: Any, risk: RiskName) -> None:
    result = rank_candidates(case, drugs=["dofetilide"], model=model, choice=RiskChoice(risk))
    assert result.judged_by.risk == risk
    for row in result.ranking:
        chosen = row.risks[risk]
        assert chosen is not None
        assert chosen.sd is not None
        assert (row.risk_mean, row.risk_sd) == (chosen.mean, chosen.sd)
        assert row.score == pytest.approx(chosen.mean + 0.6 * chosen.sd, abs=2e-4)
    assert (
        result.pre.risk
        == result.pre.model_dump()[
            {"intervals": "interval_risk", "labels": "label_risk"}.get(risk, "combined_risk")
        ]
    )


def test_intervals_rank_where_nothing_is_said_and_combined_stands_beside(case: Case, model: Any) -> None:
    result = rank_candidates(case, drugs=["dofetilide"], model=model)
    assert (result.judged_by.risk, result.judged_by.pooling) == ("intervals", "signed")
    for row in result.ranking:
        intervals, combined = row.risks["intervals"], row.risks["combined"]
        assert intervals is not None
        assert combined is not None
        assert row.risk_mean == intervals.mean <= combined.mean


def test_labels_alone_cannot_see_a_long_qt(case: Case, model: Any) -> None:
    """Why they are not the default: dofetilide moves the intervals' risk, and theirs hardly at all."""
    result = rank_candidates(case, drugs=["dofetilide"], model=model, choice=RiskChoice("labels"))
    worst = max(
        result.ranking, key=lambda row: row.risks["intervals"].mean if row.risks["intervals"] else 0.0
    )
    assert worst.risks["intervals"] is not None
    assert worst.risks["intervals"].mean > 0.4
    assert worst.delta_risk == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("pooling", get_args(PoolingName))
def test_labels_are_pooled_as_asked(case: Case, pooling: PoolingName) -> None:
    risk = pre_dose_risk(case, RiskChoice("labels", pooling))
    assert risk.value == label_risk(risk.labels, pooling=pooling)
    signed = pre_dose_risk(case, RiskChoice("labels")).value
    assert (risk.value == signed) is (pooling == "signed")


def test_a_drug_that_prolongs_qt_adds_points_and_combined_risk(case: Case, model: Any) -> None:
    """In a prone patient the same ECG is worse with a QT drug: at 8 points without it, at 11 with it."""
    assert case.patient is not None
    prone = case.patient.model_copy(update={"age_years": 70.0, "sex": "female"})
    document = prone.model_dump(exclude_none=True) | {
        "conditions": [{"text": "sepsis"}, {"text": "heart failure"}]
    }
    ill = replace(case, patient=type(prone).model_validate(document))
    nothing, given = simulate_actions(ill, ["no drug", "ondansetron 4 mg iv"], k=1, model=model).actions
    assert (nothing.tisdale.points, given.tisdale.points) == (8, 11)
    assert (nothing.tisdale.level, given.tisdale.level) == ("moderate", "high")
    sample = given.samples[0]
    assert sample.combined_risk is not None
    assert sample.interval_risk is not None
    assert sample.combined_risk > max(sample.interval_risk, 0.4)


def test_a_chain_counts_all_that_was_given(case: Case, model: Any) -> None:
    chained = {"no drug": 0, "ranolazine 500 mg oral": 3, "ondansetron 4 mg iv": 6}
    result = roll_out(case, list(chained), k=1, model=RollingModel(model))
    assert [action.tisdale.points for action in result.actions] == list(chained.values())


class RollingModel:
    """Whose roll-out is its simulation of each step by itself."""

    def __init__(self, made: Any) -> None:
        self.made, self.info = made, made.info

    def roll_out(self, *arguments: Any, **options: Any) -> Any:
        return self.made.simulate(*arguments, **options)


def test_nothing_seen_is_no_combined_risk(case: Case, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Circumstances are known all the same; alone they would make a flat line look safe."""
    honest = model.simulate

    def flat(*arguments: Any, **options: Any) -> Any:
        simulation = honest(*arguments, **options)
        return replace(simulation, samples_mv=np.zeros_like(simulation.samples_mv))

    monkeypatch.setattr(model, "simulate", flat)
    (action,) = simulate_actions(case, [DOFETILIDE], k=1, model=model, choice=RiskChoice("combined")).actions
    assert action.samples[0].combined_risk is None
    assert action.summary["risk"] is None
    assert "risk" in action.not_measurable


def test_the_result_names_the_shipped_label_model(case: Case, model: Any) -> None:
    used = simulate_actions(case, ["no drug"], k=1, model=model).judged_by.label_model
    assert (used.name, used.file, used.sha256) == ("ecgwm labels", WEIGHTS.name, sha256_of(WEIGHTS))


@pytest.mark.parametrize("named_by", ["choice", "environment"])
def test_ecg_fm_judges_where_its_checkpoint_is_named(
    case: Case, model: Any, ecg_fm: Path, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    if named_by == "environment":
        monkeypatch.setenv(ECG_FM, str(ecg_fm))
    choice = RiskChoice("labels", "mean", ecg_fm if named_by == "choice" else None)
    result = simulate_actions(case, [DOFETILIDE], k=2, model=model, choice=choice)
    used = result.judged_by.label_model
    assert (used.name, used.file, used.sha256) == ("ECG-FM", ecg_fm.name, sha256_of(ecg_fm))
    network = load_ecg_fm(ecg_fm, SMALL)
    ecg, _ = case.pre_dose()
    expected = network.judge(ecg).probabilities
    assert result.pre.labels == {name: pytest.approx(p, abs=1e-4) for name, p in expected.items()}
    first, second = result.actions[0].samples
    assert list(first.labels) == list(NAMES)
    assert first.labels != second.labels
    assert first.risk == pytest.approx(
        float(np.mean([p for p in first.labels.values() if p is not None])), abs=2e-4
    )


def test_ecg_fm_judges_nothing_where_leads_were_not_recorded(case: Case, model: Any, ecg_fm: Path) -> None:
    """The simulation fills them in, but before the dose nothing was judged that after could be compared with."""
    assert case.ecg is not None
    assert case.measurement is not None
    samples_mv = case.ecg.samples_mv.copy()
    samples_mv[6] = np.nan
    part = replace(
        case,
        ecg=replace(case.ecg, samples_mv=samples_mv),
        measurement=replace(case.measurement, missing_leads=("V1",)),
    )
    choice = RiskChoice("labels", ecg_fm=ecg_fm)
    result = simulate_actions(part, [DOFETILIDE], k=1, model=model, choice=choice)
    assert result.pre.risk is None
    assert "V1" in result.pre.labels_unknown["Infarction"]
    assert "V1" in result.actions[0].not_measurable["risk"]


def test_a_checkpoint_that_is_none_is_refused_before_anything_is_simulated(
    case: Case, model: Any, tmp_path: Path
) -> None:
    choice = RiskChoice("labels", ecg_fm=tmp_path / "gone.pt")
    for run in (
        lambda: rank_candidates(case, drugs=["verapamil"], model=model, choice=choice),
        lambda: simulate_actions(case, [DOFETILIDE], model=model, choice=choice),
    ):
        with pytest.raises(WeightsError, match="no file") as refused:
            run()
        assert "mimic_iv_ecg_finetuned.pt" in refused.value.hint
    assert model.calls == []


def test_a_label_model_is_loaded_once(ecg_fm: Path) -> None:
    assert label_model(ecg_fm) is label_model(ecg_fm)
    assert label_model() is label_model()
