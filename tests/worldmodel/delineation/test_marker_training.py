"""Training examples: marks stay on their waves, and what nobody marked is not taught as absent."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldmodel.checkpoint import load_tensors
from worldmodel.delineation.marker import FOLDS, LEADS, MARKED, STEPS, Marker
from worldmodel.delineation.marker_training import (
    TIMES_MS,
    Examples,
    augment,
    batch,
    examples_of,
    loss_of,
    made_example,
    train_marker,
    train_markers,
)
from worldmodel.errors import WorldModelError
from worldmodel.evaluation.annotated_sets import AnnotatedSet
from worldmodel.evaluation.marks import MarkedRecord, Marks

P_PEAK, T_PEAK = MARKED.index("p_peak"), MARKED.index("t_peak")


@pytest.fixture
def record(heart, make) -> MarkedRecord:
    """A made recording, every wave marked but the first P and the last T, in every lead."""
    h = heart(noise_mv=0.005)
    qrs_on = np.arange(-200.0, 10_000, 60_000 / h.hr_bpm) / 1000
    qrs_on = qrs_on[(qrs_on > 0.3) & (qrs_on < 9.4)]
    ms = 0.001
    p = np.stack([qrs_on - 160 * ms, qrs_on - 110 * ms, qrs_on - 60 * ms], axis=1)
    qrs = np.stack([qrs_on, qrs_on + 40 * ms, qrs_on + 90 * ms], axis=1)
    t = np.stack([qrs_on + 170 * ms, qrs_on + 305 * ms, qrs_on + 390 * ms], axis=1)
    waves = {"p": p[1:], "qrs": qrs, "t": t[:-1]}
    return MarkedRecord("made", make(h), h.fs_hz, tuple(Marks((lead,), waves) for lead in range(LEADS)))


def test_the_marks_of_a_recording_become_marks_of_its_beats(record):
    (kind,) = examples_of(record)
    assert kind.beats_mv.shape == (len(kind.marks_ms), LEADS, STEPS)
    length = kind.marks_ms[:, 0, MARKED.index("qrs_off")] - kind.marks_ms[:, 0, MARKED.index("qrs_on")]
    np.testing.assert_allclose(length, 90.0, atol=1e-6)
    on = kind.marks_ms[1:-1, 0, MARKED.index("qrs_on")]
    assert np.abs(on + 40.0).max() < 6.0


def test_an_unmarked_wave_at_the_ends_is_unknown_and_inside_it_is_absent(record):
    (kind,) = examples_of(record)
    first, last = kind.marks_ms[0], kind.marks_ms[-1]
    assert np.isnan(first[:, P_PEAK]).all() and not kind.p_known[0].any() and kind.t_known[0].all()
    assert np.isnan(last[:, T_PEAK]).all() and not kind.t_known[-1].any() and kind.p_known[-1].all()


def test_augmentation_moves_marks_with_their_waves():
    """The peak of a lone T wave stays under its mark, however it was stretched."""
    rng = np.random.default_rng(0)
    peak_ms, end_ms = 250.0, 350.0
    wave = np.exp(-0.5 * ((TIMES_MS - peak_ms) / 30.0) ** 2)
    marks = np.full((1, LEADS, len(MARKED)), np.nan)
    marks[..., 3:] = [-40.0, 40.0, peak_ms, end_ms]
    everywhere = np.ones((1, LEADS), dtype=bool)
    drawn = Examples(np.tile(wave, (1, LEADS, 1)), marks, everywhere, everywhere, everywhere[0])
    for _ in range(40):
        beat, _, aim, shares = augment(drawn, rng)
        marked = (aim[0, T_PEAK] * TIMES_MS).sum()
        found = TIMES_MS[np.argmax(np.abs(beat[0] - np.median(beat[0])))]
        assert abs(marked - found) < 25.0  # noise moves the highest sample of so broad a wave
        assert shares[0].tolist() == [0.0, 1.0]
        assert aim[0, :3].sum() == 0.0 and aim[0, 3:].sum() == pytest.approx(4.0, abs=1e-4)


def test_one_batch_has_the_shapes_of_the_marker_and_its_loss_falls_with_training():
    parts = batch([], np.random.default_rng(1))
    assert [tuple(part.shape[1:]) for part in parts] == [
        (12, STEPS),
        (12,),
        (12, len(MARKED), STEPS),
        (12, 2),
    ]
    torch.manual_seed(0)
    before = float(loss_of(Marker(), parts).detach())
    trained = train_marker([], 12, 0, lambda _: None)
    assert float(loss_of(trained, parts).detach()) < before


def test_training_is_the_same_for_the_same_seed():
    one, other = (
        train_marker([[made_example(np.random.default_rng(5))]], 2, 3, lambda _: None) for _ in range(2)
    )
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_run_is_kept_and_gone_on_with(record, tmp_path):
    annotated = AnnotatedSet("made", "", (0, 1), lambda number: replace(record, name=str(number)))
    said: list[str] = []
    weights = train_markers(annotated, 1, 0, tmp_path, resume=False, report=said.append)
    tensors, header = load_tensors(weights)
    assert {name.split(".")[0] for name in tensors} == {"all", *(f"fold{fold}" for fold in range(FOLDS))}
    assert (header["set"], header["recordings"], header["steps"]) == ("made", ["0", "1"], 1)
    with pytest.raises(WorldModelError, match="already holds a run"):
        train_markers(annotated, 1, 0, tmp_path, resume=False, report=said.append)
    (tmp_path / "marker_fold2.safetensors").unlink()
    said.clear()
    train_markers(annotated, 1, 0, tmp_path, resume=True, report=said.append)
    assert [line for line in said if line.startswith("marker ")] == ["marker fold2"]
    for name, tensor in load_tensors(weights)[0].items():
        torch.testing.assert_close(tensor, tensors[name], rtol=0, atol=0)
