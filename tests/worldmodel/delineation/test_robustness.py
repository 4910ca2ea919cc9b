"""No array makes `measure` raise; what is not measurable says why, lead by lead and interval by interval."""

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import LEADS, Ecg


def check(measured):
    """Every interval is a positive finite number or has a reason, never both, never neither."""
    for name, value in measured.intervals.as_dict().items():
        assert (value is None) == (name in measured.not_measurable), name
        assert value is None or (np.isfinite(value) and value > 0), name
    assert (measured.shape.t_amplitude_mv is None) == ("t_amplitude_mv" in measured.not_measurable)
    assert all(measured.not_measurable.values())


def spoil(samples: np.ndarray, how: str, rng: np.random.Generator) -> np.ndarray:
    x = samples.copy()
    length = x.shape[-1]
    if how == "constants":
        x[:] = rng.normal(size=(12, 1)) * 10.0 ** rng.integers(-9, 10)
    elif how == "noise":
        x = rng.normal(size=x.shape) * 10.0 ** rng.integers(-9, 10)
    elif how == "all nan":
        x[:] = np.nan
    elif length == 0:
        pass
    elif how == "nan runs":
        x[:, rng.integers(length) : rng.integers(length) + length // 3] = np.nan
    elif how == "scattered nan":
        x[rng.random(x.shape) < 0.3] = np.nan
    elif how == "empty leads":
        x[rng.permutation(12)[: rng.integers(1, 13)]] = np.nan
    elif how == "spikes":
        x[rng.integers(12, size=6), rng.integers(length, size=6)] = rng.choice(
            [1e9, -1e9, np.inf, -np.inf, 1e300]
        )
    elif how == "huge leads":
        x[rng.permutation(12)[:5]] *= 10.0 ** rng.integers(-12, 12)
    elif how == "clipped":
        x = np.clip(x, -0.1, 0.1)
    return x


KINDS = [
    "constants",
    "noise",
    "all nan",
    "nan runs",
    "scattered nan",
    "empty leads",
    "spikes",
    "huge leads",
    "clipped",
]


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    how=st.sampled_from(KINDS),
    length=st.sampled_from([0, 1, 2, 3, 7, 40, 260, 500, 1300, 2500]),
    fs_hz=st.sampled_from([100.0, 102.4, 250.0, 500.0, 2000.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_array_raises(heart, make, how, length, fs_hz, seed):
    rng = np.random.default_rng(seed)
    samples = spoil(make(heart(duration_s=5.0))[:, :length], how, rng)
    for measured in measure_batch(np.stack([samples, samples[::-1]]), fs_hz):
        check(measured)
    check(measure(Ecg(samples, fs_hz, LEADS)))


def test_an_empty_batch_gives_an_empty_list():
    assert measure_batch(np.zeros((0, 12, 5000)), 500.0) == []


@pytest.mark.parametrize("value", [0.0, np.nan, 1e9])
def test_a_recording_of_nothing_is_unusable_with_a_reason(value):
    measured = measure(Ecg(np.full((12, 5000), value), 500.0, LEADS))
    assert measured.quality.verdict == "unusable"
    assert measured.quality.reasons
    assert set(measured.not_measurable) >= set(measured.intervals.as_dict())
    assert measured.median_beat is None


def test_each_bad_lead_is_named_and_the_rest_measured(heart, make_ecg):
    ecg = make_ecg(heart())
    samples = ecg.samples_mv.copy()
    samples[LEADS.index("V1")] = 0.0
    samples[LEADS.index("V2"), 1000:3000] = np.nan
    samples[LEADS.index("V3")] = np.clip(3 * samples[LEADS.index("V3")], -0.3, 0.3)
    samples[LEADS.index("V4")] *= 1000
    samples[LEADS.index("V5")] = np.nan
    measured = measure(replace(ecg, samples_mv=samples))
    told = " ".join(measured.quality.reasons)
    for text in ("V1: flat", "V2: not recorded", "V3: saturated", "V4: beyond", "V5: missing"):
        assert text in told
    assert measured.quality.verdict == "usable"
    assert measured.missing_leads == ("V5",)
    assert measured.intervals.qt_ms == pytest.approx(390.0, abs=14.0)


def test_one_very_noisy_lead_does_not_move_the_intervals(heart, make_ecg):
    ecg = make_ecg(heart())
    samples = ecg.samples_mv.copy()
    samples[LEADS.index("V4")] += np.random.default_rng(3).normal(size=5000)
    clean, noisy = measure(ecg).intervals, measure(replace(ecg, samples_mv=samples)).intervals
    for name in ("pr_ms", "qrs_ms", "qt_ms"):
        assert getattr(noisy, name) == pytest.approx(getattr(clean, name), abs=5.0)
