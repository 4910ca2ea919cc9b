"""Fitted beats: what was fitted is found again, and what ships holds parameters only."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.worldmodel.virtual_patients import generator
from worldmodel.beat import BeatTiming
from worldmodel.checkpoint import load_tensors
from worldmodel.ecg import TWELVE_FROM_EIGHT
from worldmodel.errors import WorldModelError
from worldmodel.measurement import Intervals, Measurement, MedianBeat
from worldmodel.virtual.morphologies import SHIPPED, sample_morphologies, shipped
from worldmodel.virtual.morphology_fit import CLASSES, fit_beat, fit_morphologies, layout
from worldmodel.virtual.patients import sample_patients
from worldmodel.virtual.waves import COMPONENTS, QRS, ST, T, Waves, beat, place_waves, settle

DATA = Path(os.environ.get("ECGWM_DATA", Path(__file__).parents[3].parent / "shared/data"))
TIMING = BeatTiming(
    torch.tensor([[-210.0, -110.0, -42.0, 0.0, 52.0, 270.0, 345.0]]),
    torch.tensor([0.9]),
    torch.tensor([True]),
)


def test_a_beat_made_of_waves_is_fitted_again() -> None:
    known = shipped()
    waves = Waves(
        *layout(known["rise"][:1]), known["mv"][:1], torch.zeros(1, 8), torch.zeros(1, dtype=torch.bool)
    )
    at_ms = torch.arange(-400.0, 802.0, 2.0)
    eight = beat(TIMING, waves, torch.ones(1), at_ms)[0].double().numpy()
    marks = TIMING.landmarks_ms[0].tolist()
    median = MedianBeat(
        TWELVE_FROM_EIGHT @ eight,
        500.0,
        200,
        p_on_ms=marks[0],
        p_off_ms=marks[1],
        qrs_on_ms=marks[2],
        qrs_off_ms=marks[4],
        t_peak_ms=marks[5],
        t_end_tangent_ms=marks[6],
    )
    fitted = fit_beat(median, Measurement(Intervals(rr_ms=900.0)))
    assert fitted is not None
    assert fitted.rms_mv < 0.004 and fitted.share > 0.999
    assert CLASSES[fitted.kind] == "narrow"
    flat = np.where(np.arange(12)[:, None] == 8, 0.0, median.samples_mv)
    assert fit_beat(MedianBeat(**{**vars(median), "samples_mv": flat}), Measurement()) is None


def test_landmarks_are_where_the_waves_have_them() -> None:
    """T peak and tangent end of a single T wave are known; settling must find them, wherever it starts."""
    mv = torch.zeros(1, COMPONENTS, 8)
    mv[:, QRS.start + 5], mv[:, T.start] = 1.0, 0.3
    waves = Waves(*layout(torch.tensor([0.3])), mv, torch.zeros(1, 8), torch.zeros(1, dtype=torch.bool))
    off = BeatTiming(TIMING.landmarks_ms + torch.tensor([0, 0, 0, 0, 0, 0, 14.0]), TIMING.rr_s, TIMING.has_p)
    waves.width[:, T.start] *= 0.8
    settled, same = settle(off, waves)
    placed, again = place_waves(off, waves), place_waves(settled, same)
    shift = placed.centre - again.centre
    assert float(shift.std()) < 1e-3, "the waves themselves stay where they are"
    main = float(again.centre[0, T.start])
    assert float(settled.landmarks_ms[0, 5]) == pytest.approx(main, abs=2.0)
    assert float(settled.landmarks_ms[0, 6]) == pytest.approx(
        main + 2 * float(again.width[0, T.start]), abs=2.0
    )


def test_what_ships_is_small_and_names_no_recording() -> None:
    tensors, header = load_tensors(SHIPPED)
    assert SHIPPED.stat().st_size < 200_000
    assert tensors["mv"].shape[1:] == (COMPONENTS, 8)
    assert set(header) == {"layout", "recordings", "classes"}


def test_paced_ventricles_get_wide_beats_and_sinus_all_classes() -> None:
    seen = sample_morphologies(torch.ones(200, dtype=torch.bool), generator(1))
    assert CLASSES.index("narrow") not in seen.kind.tolist()
    usual = Counter(sample_morphologies(torch.zeros(600, dtype=torch.bool), generator(1)).kind.tolist())
    assert usual[CLASSES.index("narrow")] > 380
    assert usual[CLASSES.index("rbbb")] > 30 and usual[CLASSES.index("lbbb")] > 30
    assert CLASSES.index("paced") not in usual


def test_no_two_patients_are_alike_and_none_is_a_source() -> None:
    mv = sample_patients(100, generator(3), "sinus").waves.mv[:, QRS.start : ST.start].flatten(1)
    distance = torch.cdist(mv, mv) + 1e3 * torch.eye(100)
    assert float(distance.min()) > 0.1
    sources = shipped()["mv"][:, QRS.start : ST.start].flatten(1)
    assert float(torch.cdist(mv, sources).min()) > 0.1


def test_folders_without_enough_recordings_are_refused(tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(WorldModelError, match="Only 0 recordings"):
        fit_morphologies([tmp_path / "none.hea"], tmp_path, lines.append)
    assert "left out" in lines[0]


@pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the project")
def test_real_recordings_are_fitted_to_a_few_hundredths_of_a_millivolt(tmp_path: Path) -> None:
    files = sorted((DATA / "cinc2021").glob("*.hea"))[:8]
    lines: list[str] = []
    first = fit_morphologies(files, tmp_path / "a", lines.append).read_bytes()
    assert lines[-1].startswith("8 fitted"), lines
    assert fit_morphologies(reversed(files), tmp_path / "b", lines.append).read_bytes() == first
    assert float(lines[len(files)].split("RMS ")[1].split(" uV")[0]) < 20.0
