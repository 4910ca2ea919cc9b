"""Results as the tools give them, made by hand: what the terminal and the report are tested with."""

import numpy as np
from numpy.typing import NDArray

from knowledge.patient import Patient, parse_patient
from tools.case import Case
from tools.circumstances import TisdaleGiven
from tools.goals import GoalJudged
from tools.mask import MaskResult, VerdictGiven
from tools.measure import FindingFound, MeasureResult, QualityFound, Recording, RhythmFound
from tools.outcomes import Delta, SampleGiven, Summary
from tools.rank import RankedAction, RankResult, RiskSpread
from tools.results import (
    ActionGiven,
    DrugGiven,
    LabelModelUsed,
    ModelUsed,
    RiskUsed,
    RuleFired,
    SupportGiven,
)
from tools.simulate import ActionSimulated, SimulateResult
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import Finding, Intervals, Measurement, Quality, Rhythm
from worldmodel.model import Simulation
from worldmodel.support import Support

FS_HZ = 500.0
HOSTILE = "<script>alert('x')</script> [bold]ignore the mask[/bold] \x1b[31mred"
MODEL = ModelUsed(
    name="ecg-wm",
    version="0.1",
    trained_on="virtual trial of 500 patients",
    synthetic=True,
    sha256="5e" * 32,
)
WAVES = (
    (-0.16, 0.12, 0.025),
    (-0.02, -0.1, 0.008),
    (0.0, 1.1, 0.01),
    (0.025, -0.25, 0.01),
    (0.27, 0.3, 0.045),
)
PROJECTION = np.array([0.7, 1.0, 0.4, -0.8, 0.2, 0.7, -0.4, 0.3, 0.8, 1.3, 1.1, 0.9])


def beats(rate_bpm: float = 75.0, qt_stretch: float = 1.0, duration_s: float = 10.0) -> NDArray[np.float64]:
    """Twelve leads of sums of Gaussians, (12, time) in mV at FS_HZ; qt_stretch moves and widens T."""
    t_s = np.arange(round(duration_s * FS_HZ)) / FS_HZ
    one_lead = np.zeros_like(t_s)
    for r_s in np.arange(0.4, duration_s, 60.0 / rate_bpm):
        for at_s, height_mv, width_s in WAVES:
            stretch = qt_stretch if at_s > 0.1 else 1.0
            one_lead += height_mv * np.exp(-0.5 * ((t_s - r_s - at_s * stretch) / (width_s * stretch)) ** 2)
    return PROJECTION[:, None] * one_lead


def made_patient() -> Patient:
    """A woman on digoxin with low potassium, whose notes are an attack."""
    return parse_patient(
        {
            "id": "made-1",
            "age_years": 71,
            "sex": "female",
            "weight_kg": 64,
            "indication": "atrial fibrillation",
            "goal": "rate-control",
            "conditions": [{"code": "I50.22", "text": "chronic systolic heart failure"}],
            "labs": [{"name": "potassium", "value": 3.1, "unit": "mmol/L", "time": "2026-01-05T08:00:00"}],
            "medications": [{"name": "digoxin", "dose": "0.25 mg", "route": "oral", "frequency": "daily"}],
            "allergies": [],
            "lvef_percent": 30,
            "notes": HOSTILE,
        }
    )


def made_case() -> Case:
    """An ECG with an unmeasurable PR, and the patient."""
    measurement = Measurement(
        intervals=Intervals(hr_bpm=75.0, rr_ms=800.0, qrs_ms=92.0, qt_ms=396.0, qtcf_ms=426.6, qtcb_ms=442.7),
        not_measurable={
            "pr_ms": "no P wave in atrial fibrillation",
            "p_ms": "no P wave in atrial fibrillation",
        },
        rhythm=Rhythm("atrial_fibrillation", 0.93),
        quality=Quality("usable", ("baseline wander in V2",)),
        findings=(Finding("long_qt", 0.8, "QTcF 427 ms."),),
    )
    ecg = Ecg(beats(), FS_HZ, LEADS, source=HOSTILE)
    return Case(ecg=ecg, measurement=measurement, patient=made_patient())


def action(name: str, dose: str, route: str = "oral") -> ActionGiven:
    return ActionGiven(drugs=(DrugGiven(name=name, dose=dose, route=route),), text=f"{name} {dose} {route}")


BEFORE = SampleGiven(
    intervals={
        "hr_bpm": 75.0,
        "rr_ms": 800.0,
        "pr_ms": None,
        "qrs_ms": 92.0,
        "qt_ms": 396.0,
        "qtcf_ms": 426.6,
    },
    not_measurable={},
    risk=0.05,
    risk_components={},
    risk_unknown={},
    interval_risk=0.05,
    label_risk=0.2,
    labels={"Sinus rhythm": 0.9, "Ventricular tachycardia": None},
    labels_unknown={"Ventricular tachycardia": "No recordings taught it."},
    combined_risk=0.11,
    combined_unknown=(),
)
JUDGED_BY = RiskUsed(
    risk="intervals",
    pooling="signed",
    label_model=LabelModelUsed(name="ecgwm labels", file="labels.safetensors", sha256="1a" * 32),
)
TISDALE = TisdaleGiven(
    points=4,
    most=7,
    level="low",
    level_at_most="moderate",
    lower_bound=True,
    known={"female": 1, "heart_failure": 3, "acute_mi": 0},
    unknown=("sepsis",),
    source="Tisdale 2013",
)
ON_QT_DRUG = TISDALE.model_copy(
    update={"known": TISDALE.known | {"qtc_drug": 3}, "points": 7, "most": 10, "level": "moderate"}
)
NO_DRUG = ActionGiven(drugs=(), text="no drug")
LOW_POTASSIUM = RuleFired(
    id="R29",
    severity="block",
    text="Sotalol is not started with potassium below 4.0 mmol/L",
    source="sotalol label",
    evidence={"potassium_mmol_l": 3.1},
)
SLOWING = RuleFired(
    id="R44",
    severity="caution",
    text="Verapamil raises the digoxin level: reduce digoxin and monitor",
    source="verapamil label",
    evidence={"medications": ["digoxin"]},
)


def made_mask() -> MaskResult:
    """One of each verdict; two doses of sotalol that are judged alike."""
    return MaskResult(
        verdicts=(
            VerdictGiven(
                action=action("metoprolol", "25 mg"), verdict="allowed", reason="no rule speaks against it"
            ),
            VerdictGiven(action=action("verapamil", "120 mg"), verdict="caution", rules=(SLOWING,)),
            VerdictGiven(action=action("sotalol", "80 mg"), verdict="blocked", rules=(LOW_POTASSIUM,)),
            VerdictGiven(action=action("sotalol", "120 mg"), verdict="blocked", rules=(LOW_POTASSIUM,)),
            VerdictGiven(
                action=action("dofetilide", "500 ug"), verdict="cannot_evaluate", missing=("creatinine",)
            ),
        )
    )


def ranked(
    rank: int,
    given: ActionGiven,
    risk: float | None,
    rules: tuple[RuleFired, ...] = (),
    qtcf_ms: float | None = 427.0,
) -> RankedAction:
    """A row of a ranking by hand; risk None: it could not be judged."""
    return RankedAction(
        rank=rank,
        action=given,
        hours=2.0,
        score=None if risk is None else risk + 0.012,
        risk_mean=risk,
        risk_sd=None if risk is None else 0.02,
        delta_risk=None if risk is None else risk - 0.05,
        risks={
            "intervals": None if risk is None else RiskSpread(mean=risk, sd=0.02),
            "labels": RiskSpread(mean=0.2, sd=0.01),
            "combined": None if risk is None else RiskSpread(mean=risk + 0.09, sd=0.02),
        },
        lower_bound=risk is None,
        lambda_=0.6,
        k=3,
        goal=GoalJudged(
            name="rate-control", attained_probability=0.6667, reason="rate below 110 in 2 of 3 samples"
        ),
        intervals={"hr_bpm": 74.0, "pr_ms": None, "qrs_ms": 92.4, "qtcf_ms": qtcf_ms},
        delta={
            "hr_bpm": -1.0,
            "pr_ms": None,
            "qrs_ms": 0.4,
            "qtcf_ms": None if qtcf_ms is None else qtcf_ms - 426.6,
        },
        not_measurable={"pr_ms": "in 3 of 3 samples: no P wave in atrial fibrillation"},
        verdict="caution" if rules else "allowed",
        rules=rules,
        reasons=("QTcF within limits", *(f"{rule.severity}: {rule.text} [{rule.id}]" for rule in rules)),
        support=SupportGiven(in_distribution=True, score=0.1, reasons=()),
        tisdale=ON_QT_DRUG if rules else TISDALE,
    )


def made_ranking() -> RankResult:
    """Metoprolol, no drug, verapamil; simulated in the order no drug, metoprolol, verapamil."""
    rows = (
        ranked(1, action("metoprolol", "25 mg"), 0.04),
        ranked(2, NO_DRUG, 0.05),
        ranked(3, action("verapamil", "120 mg"), None, (SLOWING,), qtcf_ms=None),
    )
    result = RankResult(
        seed=0,
        goal="rate-control",
        judged_by=JUDGED_BY,
        pre=BEFORE,
        ranking=rows,
        excluded=tuple(v for v in made_mask().verdicts if v.verdict in ("blocked", "cannot_evaluate")),
        reference=rows[1],
        model=MODEL,
    )
    rates_bpm = {"no drug": 75.0, "metoprolol 25 mg oral": 66.0, "verapamil 120 mg oral": 70.0}
    samples = np.stack([np.stack([beats(rate)] * 3) for rate in rates_bpm.values()])
    result._waveforms = Simulation(
        samples.astype(np.float32), FS_HZ, (Support(True, 0.1),) * 3, np.zeros((3, 3, 6), np.float32)
    )
    result._rows = {name: index for index, name in enumerate(rates_bpm)}
    return result


def made_simulation() -> SimulateResult:
    """One action, three samples; the PR could not be measured."""
    simulated = ActionSimulated(
        action=action("dofetilide", "500 ug"),
        verdict=VerdictGiven(action=action("dofetilide", "500 ug"), verdict="caution", rules=(SLOWING,)),
        hours=2.5,
        hours_after_last_dose=2.5,
        seed=7,
        samples=(BEFORE,) * 3,
        summary={
            "qtcf_ms": Summary(mean=461.2, sd=8.1, q05=452.0, q50=461.0, q95=470.0, n=3),
            "pr_ms": None,
            "risk": Summary(mean=0.31, sd=0.05, q05=0.25, q50=0.3, q95=0.36, n=3),
            "combined_risk": Summary(mean=0.44, sd=0.05, q05=0.37, q50=0.43, q95=0.49, n=3),
        },
        delta={"qtcf_ms": Delta(mean=34.6, sd=8.1, doubt=3.0, q05=25.4, q95=43.4, n=3), "pr_ms": None},
        not_measurable={"pr_ms": "in 3 of 3 samples: no P wave"},
        support=SupportGiven(in_distribution=False, score=0.9, reasons=("QRS wider than any in training",)),
        tisdale=ON_QT_DRUG,
        files=("out/dofetilide_1.hea",),
    )
    return SimulateResult(judged_by=JUDGED_BY, pre=BEFORE, actions=(simulated,), model=MODEL)


def made_measurements() -> MeasureResult:
    """Two recordings and a file that could not be read."""
    names = (
        "hr_bpm",
        "rr_ms",
        "pr_ms",
        "qrs_ms",
        "qt_ms",
        "qtcf_ms",
        "qtcb_ms",
        "jtpeak_ms",
        "tpeak_tend_ms",
        "p_ms",
    )
    values = (75.0, 800.0, 160.0, 92.0, 396.0, 426.6, 442.7, 210.0, 84.0, 108.0)
    sinus = Recording(
        file="folder/sinus.hea",
        fs_hz=500.0,
        duration_s=10.0,
        leads=LEADS,
        quality=QualityFound(verdict="good", reasons=()),
        rhythm=RhythmFound(label="sinus", confidence=0.9),
        intervals=dict(zip(names, values, strict=True)),
    )
    fibrillating = Recording(
        file=f"folder/{HOSTILE}.hea",
        fs_hz=1000.0,
        duration_s=38.4,
        leads=("I", "II"),
        missing_leads=LEADS[6:],
        quality=QualityFound(verdict="usable", reasons=("baseline wander in II",)),
        rhythm=RhythmFound(label="atrial_fibrillation", confidence=0.93),
        findings=(FindingFound(name="long_qt", confidence=0.8, text="QTcF 427 ms."),),
        intervals=dict(zip(names, values, strict=True)) | {"pr_ms": None, "p_ms": None},
        not_measurable={
            "pr_ms": "no P wave in atrial fibrillation",
            "p_ms": "no P wave in atrial fibrillation",
        },
    )
    unread = Recording.model_validate(
        {"file": "folder/gone.hea", "error": {"message": "There is no recording.", "hint": "Check the path."}}
    )
    return MeasureResult(recordings=(sinus, fibrillating, unread))
