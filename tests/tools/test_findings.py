"""What the mask is told of an ECG: what was not seen stays unknown, and never becomes normal."""

from dataclasses import replace

import pytest

from tools.findings import findings_of
from worldmodel.measurement import Finding, Intervals, Measurement, Rhythm

SINUS = Measurement(
    intervals=Intervals(hr_bpm=70, pr_ms=160, qrs_ms=92, qt_ms=400, qtcf_ms=421, qtcb_ms=432),
    rhythm=Rhythm("sinus", 0.9),
)


def with_intervals(measured: Measurement, **values: float | None) -> Measurement:
    return replace(measured, intervals=replace(measured.intervals, **values))


def test_nothing_measured_is_nothing_known() -> None:
    findings = findings_of(Measurement())
    assert findings.rhythm == "unknown"
    assert {value for name, value in findings.model_dump().items() if name != "rhythm"} == {None}


def test_a_normal_ecg_excludes_what_its_intervals_exclude() -> None:
    findings = findings_of(SINUS)
    assert findings.qtcf_ms == 421
    absent = ("lbbb", "rbbb", "bifascicular", "preexcitation", "paced", "av_block_2_or_3")
    assert {name: getattr(findings, name) for name in absent} == dict.fromkeys(absent, False)


@pytest.mark.parametrize("name", ["brugada", "st_elevation"])
def test_intervals_say_nothing_about_the_st_segment(name: str) -> None:
    assert getattr(findings_of(SINUS), name) is None


def test_a_wide_qrs_leaves_the_block_open_until_it_is_named() -> None:
    wide = with_intervals(SINUS, qrs_ms=150)
    assert findings_of(wide).lbbb is None
    named = replace(wide, findings=(Finding("lbbb", 0.9),))
    assert findings_of(named).lbbb is True
    assert findings_of(named).rbbb is None


def test_a_suspicion_is_neither_present_nor_absent() -> None:
    suspected = replace(SINUS, findings=(Finding("preexcitation", 0.3),))
    assert findings_of(suspected).preexcitation is None


def test_a_slow_rate_or_a_pause_may_hide_a_block() -> None:
    assert findings_of(with_intervals(SINUS, hr_bpm=42)).av_block_2_or_3 is None
    paused = replace(SINUS, findings=(Finding("pause", 0.9),))
    assert findings_of(paused).av_block_2_or_3 is None


def test_a_short_pr_leaves_preexcitation_open() -> None:
    assert findings_of(with_intervals(SINUS, pr_ms=100)).preexcitation is None


@pytest.mark.parametrize(
    ("hr_bpm", "qrs_ms", "expected"),
    [
        (130, 140, True),
        (130, 90, False),
        (80, 140, False),
        (None, 140, None),
        (130, None, None),
        (None, 90, False),
    ],
)
def test_wide_complex_tachycardia_needs_both(
    hr_bpm: float | None, qrs_ms: float | None, expected: bool | None
) -> None:
    findings = findings_of(with_intervals(SINUS, hr_bpm=hr_bpm, qrs_ms=qrs_ms))
    assert findings.wide_complex_tachycardia is expected


def test_an_unsure_rhythm_is_unknown() -> None:
    assert findings_of(replace(SINUS, rhythm=Rhythm("sinus", 0.4))).rhythm == "unknown"


def test_p_waves_without_beats_are_a_block_although_the_rhythm_is_sinus() -> None:
    blocked = replace(SINUS, findings=(Finding("av_block_2_or_3", 0.7),))
    assert findings_of(blocked).av_block_2_or_3 is True


def test_without_beats_fibrillation_of_the_ventricles_is_not_excluded() -> None:
    assert findings_of(Measurement()).ventricular_fibrillation is None
    suspected = Measurement(findings=(Finding("ventricular_fibrillation", 0.6),))
    assert findings_of(suspected).ventricular_fibrillation is True


def test_a_paced_beat_says_nothing_about_the_bundle_branches() -> None:
    paced = replace(with_intervals(SINUS, qrs_ms=170, pr_ms=None), rhythm=Rhythm("paced", 0.9))
    findings = findings_of(paced)
    assert findings.paced is True
    assert findings.lbbb is None and findings.rbbb is None and findings.av_block_2_or_3 is None
