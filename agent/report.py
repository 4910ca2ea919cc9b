"""The report: one HTML file without network or script, to read on a screen, a phone, or paper.

Everything from the record is escaped by the template; only the ECGs and bars, which are drawn here, are markup.
"""

import platform
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agent.case_facts import Facts, measured_facts, patient_facts
from agent.wording import (
    because,
    fired_rules,
    group_verdicts,
    interval_name,
    number,
    percent,
    reasons_of_rows,
    spread,
    standing,
    words,
)
from tools.case import Case
from tools.mask import MaskResult, VerdictGiven
from tools.plot import draw_beats, draw_ecg, intervals_line, svg_of
from tools.rank import RankedAction, RankResult
from tools.writing import written_whole
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import Measurement, MedianBeat

STATEMENT = (
    "Research use only. Not a medical device, and no advice: the ECGs after a dose are simulated, and nobody "
    "has tested whether they come true in patients."
)
SHOWN = ("hr_bpm", "pr_ms", "qrs_ms", "qtcf_ms", "tpeak_tend_ms")
PLOTTED = 3  # candidates that are drawn beside "no drug", best first
PACKAGES = ("ecgwm-agent", "torch", "numpy")


@dataclass(frozen=True)
class _Plot:
    """A row, its simulated ECG over the one before, and the median beats of both, where both have one."""

    row: RankedAction
    strips: Markup
    beats: Markup


@dataclass(frozen=True)
class _RiskBars:
    """Bars of mean risk and one SD to either side, drawn on one axis from 0 to `axis`."""

    axis: float
    reference: float | None

    @classmethod
    def of(cls, ranking: RankResult) -> "_RiskBars":
        tops = [(row.risk_mean or 0.0) + (row.risk_sd or 0.0) for row in ranking.ranking]
        axis = next(end for end in (0.05, 0.1, 0.2, 0.5, 1.0) if max(tops) <= end or end == 1.0)
        return cls(axis, ranking.reference.risk_mean)

    def draw(self, row: RankedAction) -> Markup:
        """One bar, 140 units wide; nothing where the risk could not be judged."""
        if row.risk_mean is None:
            return Markup("")
        sd = row.risk_sd or 0.0
        low, mean, high = (self._x(row.risk_mean + step) for step in (-sd, 0.0, sd))
        dashed = (
            "" if self.reference is None else _line(self._x(self.reference), 1, 19, 'stroke-dasharray="2 2"')
        )
        label = f"risk {spread(row.risk_mean, row.risk_sd, 2)}"
        return Markup(
            f'<svg class="bar" viewBox="0 0 140 20" preserveAspectRatio="xMinYMid" role="img" aria-label="{label}">'
            f'<path d="M2 10H138" stroke="#d9dce0" fill="none"/>{dashed}'
            f'<path d="M{low:.1f} 10H{high:.1f}" stroke="#0a3fa8" stroke-width="3" fill="none"/>'
            f'<circle cx="{mean:.1f}" cy="10" r="4.5" fill="#0a3fa8"/></svg>'
        )

    def _x(self, risk: float) -> float:
        return 6.0 + 128.0 * min(max(risk / self.axis, 0.0), 1.0)


def write_report(
    path: str | Path,
    case: Case,
    mask: MaskResult,
    ranking: RankResult,
    explanation: str,
    created: datetime | None = None,
) -> Path:
    """Write the whole case as one HTML file and return its path.

    mask: the verdicts to show, excluded actions among them. created: when, if the report is to say so.
    Raises MissingInputError without a pre-dose ECG, OutputError where the file cannot be written.
    """
    path = Path(path)
    page = _page(case, mask, ranking, explanation, created)
    with written_whole(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path


def _page(
    case: Case, mask: MaskResult, ranking: RankResult, explanation: str, created: datetime | None
) -> str:
    pre, measurement = case.pre_dose()
    common, own = reasons_of_rows(ranking.ranking)
    groups = group_verdicts(_verdicts(mask, ranking))
    bars = _RiskBars.of(ranking)
    return (
        _environment(bars)
        .get_template("report.html.j2")
        .render(
            name=_name(case),
            created=created,
            statement=STATEMENT,
            explanation=explanation.strip(),
            warnings=tuple(dict.fromkeys((*case.warnings, *mask.warnings, *ranking.warnings))),
            ranking=ranking,
            lambda_=ranking.reference.lambda_,
            k=ranking.reference.k,
            risk_axis=bars.axis,
            shown=SHOWN,
            common=common,
            own=list(zip(ranking.ranking, own, strict=True)),
            groups=groups,
            rules=fired_rules(groups),
            patient=[] if case.patient is None else patient_facts(case.patient),
            notes="" if case.patient is None else case.patient.notes,
            measured=measured_facts(pre, measurement),
            pre_svg=Markup(svg_of(draw_ecg(pre, subtitle=intervals_line(measurement.intervals)))),
            plots=_plots(measurement, ranking),
            manifest=_manifest(ranking),
        )
    )


def _verdicts(mask: MaskResult, ranking: RankResult) -> list[VerdictGiven]:
    """The verdicts of the mask, and of actions that the ranking has and the mask was not asked for."""
    shown = {verdict.action.text for verdict in mask.verdicts}
    ranked = [
        VerdictGiven(action=row.action, verdict=row.verdict, rules=row.rules, reason="No rule objects.")
        for row in ranking.ranking
        if row.action.drugs
    ]
    others = [v for v in (*ranking.excluded, *ranked) if v.action.text not in shown]
    return [*mask.verdicts, *others]


def _environment(bars: _RiskBars) -> Environment:
    environment = Environment(
        loader=PackageLoader("agent"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_without_control_characters,
    )
    helpers = (because, interval_name, number, percent, spread, standing, words)
    environment.filters |= {helper.__name__: helper for helper in helpers}
    environment.filters["risk_bar"] = bars.draw
    return environment


def _without_control_characters(value: object) -> object:
    """What a record says, without the characters that HTML cannot hold."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(c for c in value if c.isprintable() or c == "\n")


def _plots(measured: Measurement, ranking: RankResult) -> list[_Plot]:
    """The best candidates and "no drug", each with its first sample and the beat before and after."""
    best = [row for row in ranking.ranking if row.action.drugs][:PLOTTED]
    return [_plot(measured.median_beat, ranking, row) for row in (*best, ranking.reference)]


def _plot(beat: MedianBeat | None, ranking: RankResult, row: RankedAction) -> _Plot:
    waveforms = ranking.waveforms
    sample_mv = waveforms.samples_mv[ranking.row_in_waveforms(row), 0].astype(np.float64)
    after = Ecg(sample_mv, waveforms.fs_hz, LEADS)
    names = ("before the dose", row.action.text)
    measured = measure(after)
    # Alone: both ECGs on one sheet would be too tall to print at true scale, and the beats below compare them.
    strips = Markup(svg_of(draw_ecg(after, subtitle=intervals_line(measured.intervals))))
    beat_after = measured.median_beat
    if beat is None or beat_after is None:
        return _Plot(row, strips, Markup(""))
    return _Plot(row, strips, Markup(svg_of(draw_beats(beat, beat_after, names=names))))


def _name(case: Case) -> str:
    patient = case.patient.id if case.patient else ""
    return " · ".join(filter(None, (patient, case.ecg_path.name if case.ecg_path else "")))


def _manifest(ranking: RankResult) -> Facts:
    model, row = ranking.model, ranking.reference
    taught = "simulated trials, no real post-dose ECG" if model.synthetic else "real post-dose ECGs"
    return [
        ("World model", f"{model.name} {model.version}"),
        ("Trained on", f"{model.trained_on} ({taught})"),
        ("Weights", f"SHA-256 {model.sha256[:16]}..."),
        ("Samples", f"K = {row.k} simulated ECGs for each action, seed {ranking.seed}"),
        ("Score", f"S = mean risk + λ SD, λ = {row.lambda_:g}; lower is better"),
        ("Software", ", ".join((*map(_installed, PACKAGES), f"Python {platform.python_version()}"))),
    ]


def _installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} (not installed as a package)"


def _line(x: float, top: float, bottom: float, more: str) -> str:
    return f'<path d="M{x:.1f} {top:g}V{bottom:g}" stroke="#5a5f66" fill="none" {more}/>'
