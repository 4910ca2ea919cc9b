"""The marker: what it gives, that gain does not move it, and that its weights are those of the package."""

import numpy as np
import pytest
import torch

from worldmodel.checkpoint import load_tensors
from worldmodel.delineation.made_beats import make_beat
from worldmodel.delineation.marker import (
    FOLDS,
    LEADS,
    MARKED,
    START_MS,
    STEP_MS,
    STEPS,
    WEIGHTS,
    Marker,
    fold_of,
    mark_beats,
    read_marks,
    shipped_marker,
    unseen_marker,
)
from worldmodel.measurement import FIDUCIALS

TIMES_MS = START_MS + STEP_MS * np.arange(STEPS)


def made(count: int, seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    """(count, 12, STEPS) beats and (count, 12, MARKED) marks."""
    rng = np.random.default_rng(seed)
    beats = [make_beat(TIMES_MS, rng) for _ in range(count)]
    columns = [FIDUCIALS.index(name) for name in MARKED]
    samples = torch.from_numpy(np.stack([b.samples_mv for b in beats]).astype(np.float32))
    return samples, np.stack([b.marks_ms for b in beats])[..., columns]


def test_a_mark_is_the_mean_of_its_distribution_and_the_spread_its_sd():
    steps = torch.arange(STEPS, dtype=torch.float32)
    where = (-0.5 * ((steps - 120.25) / 2.0) ** 2).expand(1, LEADS, len(MARKED), STEPS)
    marks = read_marks(where, torch.zeros(1, LEADS, 2))
    np.testing.assert_allclose(marks.marks_ms, START_MS + 120.25 * STEP_MS, atol=0.01)
    np.testing.assert_allclose(marks.spread_ms, 2.0 * STEP_MS, atol=0.05)
    np.testing.assert_allclose(marks.certain, 1.0, atol=1e-4)
    assert (marks.p == 0.5).all()
    np.testing.assert_array_equal(marks.of(0).marks_ms, marks.marks_ms[0])


def test_gain_moves_no_mark():
    beats, _ = made(3)
    good = torch.ones(3, LEADS)
    marker = shipped_marker()
    small, large = mark_beats(marker, 0.3 * beats, good), mark_beats(marker, 20.0 * beats, good)
    np.testing.assert_allclose(small.marks_ms, large.marks_ms, atol=0.2)


def test_a_lead_that_does_not_count_moves_no_other():
    beats, _ = made(2)
    good = torch.ones(2, LEADS)
    good[:, 6] = 0.0
    spoiled = beats.clone()
    spoiled[:, 6] = torch.randn(2, STEPS, generator=torch.Generator().manual_seed(0))
    marker = shipped_marker()
    clean, noisy = mark_beats(marker, beats, good), mark_beats(marker, spoiled, good)
    others = [lead for lead in range(LEADS) if lead != 6]
    np.testing.assert_allclose(clean.marks_ms[:, others], noisy.marks_ms[:, others], atol=0.01)


def test_made_beats_are_marked_where_they_were_made():
    """The weights of the package, on beats of a seed that training did not draw."""
    beats, truth = made(200, seed=77_777)
    marks = mark_beats(shipped_marker(), beats, torch.ones(len(beats), LEADS)).marks_ms
    for column, most_ms in enumerate((6, 5, 6, 4, 4, 4, 8)):
        error = (marks - truth)[..., column]
        assert np.nanmedian(np.abs(error)) < most_ms, MARKED[column]
        assert abs(np.nanmedian(error)) < 0.6 * most_ms, MARKED[column]


def test_the_weights_hold_the_marker_of_all_recordings_and_one_for_each_fold():
    tensors, header = load_tensors(WEIGHTS)
    assert {name.split(".")[0] for name in tensors} == {"all", *(f"fold{fold}" for fold in range(FOLDS))}
    assert header["seed"] == 0 and header["recordings"]
    names = Marker().state_dict().keys()
    assert {f"fold3.{name}" for name in names} <= tensors.keys()


def test_a_recording_that_was_learned_from_is_read_by_a_marker_that_has_not_seen_it():
    _, header = load_tensors(WEIGHTS)
    one = header["recordings"][0]
    assert unseen_marker(header["set"], one) is shipped_marker(f"fold{fold_of(one)}")
    assert unseen_marker("another set", one) is shipped_marker()
    assert unseen_marker(header["set"], "no such recording") is shipped_marker()


def test_a_recording_is_always_in_the_same_fold():
    assert [fold_of(str(n)) for n in (1, 3, 5, 7)] == [0, 3, 3, 4]
    assert {fold_of(str(n)) for n in range(1, 200, 2)} == set(range(FOLDS))


def test_weights_of_no_such_marker_are_an_error():
    with pytest.raises(RuntimeError, match="Missing key"):
        shipped_marker("fold9")
