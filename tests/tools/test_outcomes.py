"""Numbers over K samples: closed forms, nothing invented where nothing was measured, and reasons that say why."""

from dataclasses import replace

from knowledge.doses import GivenAction
from tools.judging import EcgRisk
from tools.outcomes import Outcome, changes, summarise, why_not_measurable
from tools.reasons import reasons_for
from tools.results import RuleFired
from worldmodel.labels.definition import NAMES, label_scores, none_judged
from worldmodel.measurement import Intervals, Measurement
from worldmodel.risk import Risk, combined_risk, interval_risk
from worldmodel.scoring import RiskName
from worldmodel.support import Support
from worldmodel.torsade import TorsadeContext, torsade_risk

BEFORE = Intervals(hr_bpm=70, pr_ms=160, qrs_ms=90, qt_ms=400, qtcf_ms=420, tpeak_tend_ms=80)


def judged(intervals: Risk, chosen: RiskName = "intervals", p: float | None = None) -> EcgRisk:
    """Risks of an ECG in which the probability of every label is p, None for no label judged."""
    labels = none_judged("no beat", "made") if p is None else label_scores([p] * len(NAMES), {}, "made")
    return EcgRisk(chosen, intervals, labels, p, combined_risk({"intervals": intervals.value}), frozenset())


def outcome_of(*samples: Intervals, not_measurable: dict[str, str] | None = None) -> Outcome:
    why = not_measurable or {}
    return Outcome(
        action=GivenAction(),
        hours=2.0,
        measurements=tuple(Measurement(intervals=sample, not_measurable=why) for sample in samples),
        risks=tuple(judged(interval_risk(sample, BEFORE)) for sample in samples),
        support=Support(True, 0.1),
        torsade=torsade_risk(TorsadeContext()),
    )


def qtcf(*values_ms: float | None) -> Outcome:
    return outcome_of(
        *(Intervals(70, pr_ms=160, qrs_ms=90, qtcf_ms=value, tpeak_tend_ms=80) for value in values_ms),
        not_measurable={"qtcf_ms": "no T wave"},
    )


def test_summary_of_three_values() -> None:
    """430, 440, 450: sample SD 10, quantiles by linear interpolation."""
    summary = summarise(qtcf(430, 440, 450))["qtcf_ms"]
    assert summary is not None
    assert summary.model_dump() == {"mean": 440, "sd": 10, "q05": 431, "q50": 440, "q95": 449, "n": 3}


def test_change_is_counted_from_the_pre_dose_ecg() -> None:
    delta = changes(qtcf(430, 440, 450), BEFORE.as_dict())["qtcf_ms"]
    assert delta is not None
    assert delta.model_dump() == {"mean": 20, "sd": 10, "doubt": None, "q05": 11, "q95": 29, "n": 3}


def test_a_change_says_how_much_of_its_spread_is_not_knowing_the_drug() -> None:
    outcome = replace(qtcf(430, 440, 450), doubt={"qtcf_ms": 4.04})
    delta = changes(outcome, BEFORE.as_dict())
    assert delta["qtcf_ms"] is not None and delta["qtcf_ms"].doubt == 4.0
    assert delta["hr_bpm"] is not None and delta["hr_bpm"].doubt is None


def test_one_sample_has_no_spread() -> None:
    summary = summarise(qtcf(430))["qtcf_ms"]
    assert summary is not None
    assert summary.sd is None


def test_what_no_sample_shows_is_null_with_a_reason() -> None:
    outcome = qtcf(None, None)
    assert summarise(outcome)["qtcf_ms"] is None
    assert changes(outcome, BEFORE.as_dict())["qtcf_ms"] is None
    assert why_not_measurable(outcome)["qtcf_ms"] == "in 2 of 2 samples: no T wave"


def test_samples_without_the_interval_are_left_out_and_counted() -> None:
    summary = summarise(qtcf(430, None, 450))["qtcf_ms"]
    assert summary is not None
    assert (summary.mean, summary.n) == (440, 2)


def test_no_pre_dose_value_means_no_change() -> None:
    assert changes(qtcf(430), {"qtcf_ms": None})["qtcf_ms"] is None


def test_reasons_name_the_strongest_component_first_then_the_rules() -> None:
    rule = RuleFired(id="R1", severity="caution", text="Watch potassium.", source="label", evidence={})
    first, second, *rest = reasons_for(qtcf(505, 505), judged(interval_risk(BEFORE)), [rule], None)
    assert first.startswith("QTcF change +85 ms")
    assert second.startswith("QTcF 505 ms")
    assert "caution: Watch potassium. [R1]" in rest


def test_reasons_say_what_got_better() -> None:
    fast = Intervals(hr_bpm=150, qrs_ms=90, qtcf_ms=420, tpeak_tend_ms=80)
    (first, *_) = reasons_for(qtcf(420), judged(interval_risk(fast)), [], None)
    assert first == "rate 70 bpm (limit 100, alarm 130): alone a risk of 0.00, 0.85 before the dose"


def test_nothing_moved_is_said() -> None:
    assert reasons_for(qtcf(420), judged(interval_risk(BEFORE)), [], None) == (
        "no interval is beyond its limit",
    )


def test_reasons_hold_qtc_to_the_limit_of_the_sex() -> None:
    before = judged(interval_risk(BEFORE, female=True))
    assert any("(limit 460" in reason for reason in reasons_for(qtcf(505), before, [], True))
    assert any("(limit 450" in reason for reason in reasons_for(qtcf(505), before, [], None))


def test_reasons_name_what_was_lost_but_not_what_was_never_there() -> None:
    """PR in atrial fibrillation is no loss; a QT that a drug makes unmeasurable is."""
    lost = outcome_of(Intervals(hr_bpm=70, qrs_ms=90), not_measurable={"qtcf_ms": "no T wave"})
    shown = Intervals(hr_bpm=70, qrs_ms=90, qtcf_ms=420)
    in_af = judged(interval_risk(shown, rhythm="atrial_fibrillation"))
    told = [reason for reason in reasons_for(lost, in_af, [], None) if "not measurable" in reason]
    assert told == ["QTcF not measurable in 1 of 1 samples: no T wave"]


def test_labels_are_among_the_reasons_where_the_risk_goes_by_them() -> None:
    """And only then: a reader of a ranking by intervals would look for them in vain."""
    after = replace(qtcf(420), risks=(judged(interval_risk(BEFORE), p=0.8),))
    before = judged(interval_risk(BEFORE), "labels", p=0.1)
    moved = "label Infarction: probability 0.80, 0.10 before the dose"
    assert moved in reasons_for(after, before, [], None)
    assert moved not in reasons_for(after, replace(before, chosen="intervals"), [], None)


def test_each_risk_that_could_not_be_judged_says_why() -> None:
    outcome = qtcf(420)
    assert why_not_measurable(outcome)["label_risk"] == "in 1 of 1 samples: no beat"
    assert "interval_risk" not in why_not_measurable(outcome)
    by_labels = replace(outcome, risks=(judged(interval_risk(BEFORE), "labels"),))
    assert why_not_measurable(by_labels)["risk"] == "in 1 of 1 samples: no beat"
    assert summarise(by_labels)["risk"] is None
    assert summarise(by_labels)["interval_risk"] is not None
