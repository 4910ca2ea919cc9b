"""The prior and the anchor: fitted, moved and rendered as their equations say."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worldmodel.virtual_patients import generator, transitions
from worldmodel import anchor, epk
from worldmodel.beat import LANDMARKS, RESPONSE_LIMITS, BeatTiming, clamp_response, move, room_ms
from worldmodel.conditioning import model_times, render_conditions
from worldmodel.grid import Rhythm, sample_r_times
from worldmodel.ode import wave_response
from worldmodel.pharmacology import EFFECTS

TIMING = BeatTiming(
    torch.tensor([[-200.0, -95.0, -45.0, 0.0, 50.0, 275.0, 350.0]]), torch.tensor([0.9]), torch.tensor([True])
)


def response(**effects: float) -> torch.Tensor:
    return torch.tensor([[effects.get(name, 0.0) for name in EFFECTS]])


def at(timing: BeatTiming, landmark: str) -> float:
    return float(timing.landmarks_ms[0, LANDMARKS.index(landmark)])


def test_each_effect_moves_its_interval_and_no_other() -> None:
    moved = move(TIMING, response(pr_ms=30.0))
    assert at(moved, "qrs_on") - at(moved, "p_on") == pytest.approx(155.0 + 30.0)
    assert at(moved, "t_end") == pytest.approx(350.0)
    moved = move(TIMING, response(qrs_ms=19.0))
    assert at(moved, "qrs_off") - at(moved, "qrs_on") == pytest.approx(95.0 + 19.0)
    assert at(moved, "t_peak") - at(moved, "qrs_off") == pytest.approx(225.0, abs=1e-3)
    moved = move(TIMING, response(tpeak_tend_ms=12.0))
    assert at(moved, "t_end") - at(moved, "t_peak") == pytest.approx(75.0 + 12.0)


def test_jtpeakc_is_what_moves_not_jtpeak() -> None:
    """A faster rate shortens J-Tpeak by RR^0.58 while J-Tpeakc stays."""
    moved = move(TIMING, response(hr_bpm=20.0))
    jtpeak = at(moved, "t_peak") - at(moved, "qrs_off")
    assert float(moved.rr_s) == pytest.approx(60 / (60 / 0.9 + 20))
    assert jtpeak / float(moved.rr_s) ** 0.58 == pytest.approx(225.0 / 0.9**0.58, rel=1e-4)


def test_room_is_what_is_left_before_the_next_p_or_without_p_the_next_qrs() -> None:
    assert float(room_ms(TIMING)) == pytest.approx(900.0 - 200.0 - 350.0)
    without_p = replace(TIMING, has_p=torch.tensor([False]))
    assert float(room_ms(without_p)) == pytest.approx(900.0 - 45.0 - 350.0)
    assert float(room_ms(move(TIMING, response(hr_bpm=60.0, tpeak_tend_ms=80.0)))) < 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6))
def test_landmarks_stay_in_order_under_any_response(fractions: list[float]) -> None:
    limits = [RESPONSE_LIMITS[name] for name in EFFECTS]
    extreme = torch.tensor([[f * max(abs(a), b) for f, (a, b) in zip(fractions, limits, strict=True)]])
    moved = move(TIMING, clamp_response(extreme)).landmarks_ms[0]
    assert (torch.diff(moved) > 0).all()


def test_prior_on_a_steady_rhythm_is_the_sum_of_its_waves() -> None:
    """With a constant RR the phase is linear in time, so each wave can be written down directly."""
    rr = 0.9
    r_times = rr * (torch.arange(14) - 4.0)[None]
    times = torch.linspace(0.0, 5.0, 400)
    basis = epk.basis_on_grid(TIMING, r_times, times)[0]
    centres, widths = epk.wave_geometry(TIMING)
    t_wave = torch.zeros(len(times))
    for r in r_times[0]:
        phase = 2 * math.pi * (times - r - centres[0, 4] / 1000) / rr
        t_wave += wave_response(phase, 2 * math.pi * widths[0, 4] / 1000 / rr)
    assert torch.allclose(basis[:, 4], t_wave, atol=2e-3)


def test_fit_recovers_the_amplitudes_it_was_rendered_from() -> None:
    true = torch.randn(1, 5, 8, generator=generator(3))
    times = torch.arange(-0.4, 0.6, 0.002)
    steady = TIMING.rr_s[:, None] * (torch.arange(8) - 4.0)
    beat = (epk.basis_on_grid(TIMING, steady, times) @ true).transpose(1, 2)
    fitted = epk.fit_theta(beat, times, TIMING)
    assert torch.allclose(fitted.amplitudes_mv, true, atol=0.05)


def test_action_map_scales_only_the_t_wave() -> None:
    theta = epk.Theta(TIMING, torch.ones(1, 5, 8))
    moved = epk.act(theta, response(t_amplitude_fraction=-0.25))
    assert torch.allclose(moved.amplitudes_mv[0, :4], torch.ones(4, 8))
    assert torch.allclose(moved.amplitudes_mv[0, 4], torch.full((8,), 0.75))


def test_no_p_wave_no_p_in_the_prior() -> None:
    without = BeatTiming(TIMING.landmarks_ms, TIMING.rr_s, torch.tensor([False]))
    basis = epk.basis_on_grid(without, 0.9 * (torch.arange(10) - 2.0)[None], model_times()[:500])
    assert basis[..., 0].abs().max() == 0
    assert basis[..., 4].abs().max() > 0.5


def test_anchor_without_a_drug_is_the_patients_own_ecg() -> None:
    """The warped beats of a virtual patient repeat the clean recording when nothing changes."""
    trial = transitions(batch=4, seed=5)
    nothing = torch.zeros(4, 6)
    rhythm = trial.patients.rhythm
    r_times = sample_r_times(rhythm, 10.0, generator(1))
    warped, _ = render_conditions(trial.beat, nothing, r_times)
    from worldmodel.virtual import waveforms

    clean = waveforms.render(
        trial.patients.timing, trial.patients.waves, torch.ones(4), r_times, model_times()
    )
    error = (warped - clean).pow(2).mean().sqrt() / clean.pow(2).mean().sqrt()
    assert error < 0.1


def test_a_beat_that_ends_off_the_baseline_leaves_no_slope_before_p() -> None:
    """Faded to zero as it is, an offset of 30 uV reads as a P wave that begins 5 to 18 ms early."""
    at_ms = torch.arange(-400.0, 600.0, 2.0)
    wave = torch.exp(-0.5 * (at_ms / 15.0) ** 2)
    drifting = (wave + 0.03 - 0.0001 * at_ms)[None, None].repeat(1, 8, 1)
    level = anchor.level_ends(drifting, 500.0, 200, TIMING)
    before_p = (at_ms > -240.0) & (at_ms < -210.0)
    after_t = (at_ms > 390.0) & (at_ms < 430.0)
    assert level[..., before_p].abs().max() < 0.002
    assert level[..., after_t].abs().max() < 0.002
    assert float(level[0, 0, 200]) == pytest.approx(1.0, abs=0.01)


def test_interpolation_maps_its_knots_and_continues_with_slope_one() -> None:
    knots = torch.tensor([[0.0, 10.0, 20.0]])
    values = torch.tensor([[5.0, 10.0, 40.0]])
    mapped = anchor.interpolate(torch.tensor([[-3.0, 0.0, 5.0, 10.0, 15.0, 20.0, 24.0]]), knots, values)
    assert torch.allclose(mapped, torch.tensor([[2.0, 5.0, 7.5, 10.0, 25.0, 40.0, 44.0]]))


def test_rhythm_has_the_mean_and_spread_it_was_asked_for() -> None:
    n = 400
    for irregular, sd in ((False, 0.04), (True, 0.15)):
        rhythm = Rhythm(
            torch.full((n,), 0.8), torch.full((n,), sd), torch.full((n,), irregular), torch.full((n,), 0.3)
        )
        rr = torch.diff(sample_r_times(rhythm, 10.0, generator(2)), dim=1)
        assert float(rr.mean()) == pytest.approx(0.8, abs=0.01)
        assert float(rr.std()) == pytest.approx(sd, rel=0.12)


def test_first_r_peak_falls_where_the_recording_had_it() -> None:
    rhythm = Rhythm(torch.tensor([0.8]), torch.tensor([0.03]), torch.tensor([False]), torch.tensor([0.37]))
    r_times = sample_r_times(rhythm, 10.0, generator(4))
    assert (r_times - 0.37).abs().min() < 1e-5
    assert float(r_times[0, 0]) < 0 and float(r_times[0, -1]) > 10
