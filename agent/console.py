"""What the terminal shows: results as tables for 80 columns, with every reason below its table.

Nothing is told by colour alone, so that a log file or a screen reader loses nothing, and nothing is cut
with an ellipsis. Text from records may hold terminal escapes or Rich markup: it is printed as it is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.measure_words import (
    LEAD_COLUMNS,
    detail_lines,
    doubts,
    lead_rows,
    passed_over_text,
    signal_text,
    summary_lines,
)
from agent.risk_words import FIELDS, NARROW, beside, risk_legend, tisdale_lines, tisdale_told
from agent.wording import (
    INTERVALS,
    LEGEND,
    UNKNOWN,
    VerdictGroup,
    because,
    by_reason,
    decisive,
    fired_rules,
    group_ranked,
    group_verdicts,
    limits,
    number,
    one_line,
    percent,
    reasons_of_rows,
    rule_ids,
    spread,
    standing,
    words,
)

if TYPE_CHECKING:
    from tools.mask import MaskResult
    from tools.measure import MeasureResult, Recording
    from tools.rank import RankResult
    from tools.results import ModelUsed
    from tools.simulate import ActionSimulated, SimulateResult

VERDICT_STYLES = {
    "allowed": "green",
    "caution": "yellow",
    "warning": "dark_orange",
    "blocked": "bold red",
    "cannot_evaluate": "magenta",
}
PLAIN: dict[str, Any] = {
    "box": box.SIMPLE_HEAD,
    "pad_edge": False,
    "show_edge": False,
    "padding": (0, 1, 0, 0),
    "header_style": "bold",
}


def print_measure(console: Console, result: "MeasureResult", *, per_lead: bool = False) -> None:
    """One line of intervals for each recording; what was found, doubted or not measurable below it."""
    if result.summary:
        for label, text in summary_lines(result, result.summary):
            _print_line(console, label, text)
        return
    table = _table("recording", *(f"{name}\n{unit}" for name, unit in INTERVALS.values()))
    read = [recording for recording in result.recordings if recording.error is None]
    for recording in read:
        values = (number(recording.intervals.get(name)) for name in INTERVALS)
        table.add_row(_text(_file_name(recording.file)), *values)
    if read:
        console.print(table)
        _print_line(console, "legend", LEGEND)
    for recording in result.recordings:
        console.print()
        _print_recording(console, recording, alone=len(result.recordings) == 1)
        if per_lead and recording.error is None:
            _print_leads(console, recording)
    if result.passed_over:
        console.print()
        _print_line(console, "passed over", passed_over_text(result.passed_over))


def print_mask(console: Console, result: "MaskResult") -> None:
    """Verdict by verdict, doses of a drug together; then each rule once with the values it looked at."""
    groups = group_verdicts(result.verdicts)
    _print_verdicts(console, groups)
    console.print()
    _print_rules(console, groups)


def print_simulation(console: Console, result: "SimulateResult") -> None:
    """For each action its intervals before and after, mean ± SD of the samples, and how far to trust them."""
    other = beside(result.judged_by)
    for simulated in result.actions:
        k = len(simulated.samples)
        console.print(_text(f"{simulated.action.text}, {simulated.when}", "bold"))
        table = _table("", "before", "after", "5–95 %", "change", "5–95 %")
        for name, (short, unit) in INTERVALS.items():
            before = number(result.pre.intervals.get(name))
            table.add_row(f"{short} {unit}", before, *_after_and_change(simulated, name))
        for risk, name in (("risk 0–1", "risk"), (other, FIELDS[other])):
            table.add_row(risk, number(getattr(result.pre, name), 2), *_after_and_change(simulated, name))
        console.print(table)
        _print_line(console, "mean ± SD and quantiles", f"over {k} samples, seed {simulated.seed}")
        _print_doubt(console, simulated)
        _print_line(console, "Tisdale", tisdale_told(simulated.tisdale))
        _print_simulated(console, simulated)
        console.print()
    _print_line(console, "risk", risk_legend(result.judged_by))
    _print_model(console, result.model)


def print_ranking(console: Console, result: "RankResult") -> None:
    """Best first; then why each row stands where it does, what was excluded, and the rules that spoke."""
    other = beside(result.judged_by)
    risks = (f"risk by\n{result.judged_by.risk}", NARROW[other])
    table = _table("", "action", "score", *risks, "goal", "rate", "PR", "QRS", "QTcF", "change")
    table.columns[1].justify = "left"
    intervals = ("hr_bpm", "pr_ms", "qrs_ms", "qtcf_ms")
    before = (number(result.pre.intervals.get(name)) for name in intervals)
    risks = (number(result.pre.risk, 2), number(getattr(result.pre, FIELDS[other]), 2))
    table.add_row("", "before the dose", "", *risks, "", *before, "")
    for row in result.ranking:
        doubt = "" if row.verdict == "allowed" else f" ({words(row.verdict)}: {rule_ids(row.rules)})"
        table.add_row(
            str(row.rank),
            Text.assemble(
                _text(row.action.text), f" at {row.hours:g} h", (doubt, VERDICT_STYLES[row.verdict])
            ),
            number(row.score, 2),
            ("≥ " * (row.lower_bound and row.risk_mean is not None)) + spread(row.risk_mean, row.risk_sd, 2),
            number(shown.mean if (shown := row.risks[other]) else None, 2),
            percent(row.goal.attained_probability if row.goal else None),
            *(number(row.intervals.get(name)) for name in intervals),
            number(row.delta.get("qtcf_ms"), signed=True),
        )
    console.print(table)
    _print_legend(console, result)
    console.print()
    common, own = reasons_of_rows(result.ranking)
    for reason in common:
        _print_line(console, "every row", reason)
    for row, reasons in zip(result.ranking, own, strict=True):
        if reasons:
            _print_line(console, f"{row.rank} {one_line(row.action.text)}", "; ".join(reasons))
    if result.excluded:
        console.print(
            Text("\nExcluded, never simulated; `ecgwm-agent mask` tells every rule in full", "bold")
        )
    for group in group_verdicts(result.excluded):
        verdict = Text.assemble(_text(group.action), " – ", _verdict(group.verdict), ": ")
        _print_hanging(console, verdict + _text(decisive(group)), 2)
    console.print()
    _print_rules(console, group_ranked(result.ranking))


def _print_legend(console: Console, result: "RankResult") -> None:
    row = result.ranking[0]
    score = f"score = mean risk + {row.lambda_:g} SD over {row.k} samples, lower is better"
    units = "rate in bpm, intervals in ms; change: of QTcF, from before the dose; risk ≥: a lower bound"
    _print_line(console, "legend", f"{score}; {units}")
    _print_line(console, "risk", risk_legend(result.judged_by))
    for text in tisdale_lines(result.reference, result.ranking):
        _print_line(console, "Tisdale", text)
    _print_line(console, "order", "; ".join(result.order))
    if result.goal:
        judged = next((row.goal.reason for row in result.ranking if row.goal), "")
        _print_line(console, "goal", f"{result.goal} – {judged}")
    _print_model(console, result.model)


def _print_model(console: Console, model: "ModelUsed") -> None:
    taught = "simulated trials, no real post-dose ECG" if model.synthetic else "real post-dose ECGs"
    _print_line(console, "model", f"{model.name} {model.version}, trained on {model.trained_on} ({taught})")


def _print_recording(console: Console, recording: "Recording", *, alone: bool) -> None:
    console.print(_text(recording.file, "bold"))
    if recording.error is not None:
        _print_line(console, "not read", recording.error.message, "bold red")
        _print_line(console, "hint", recording.error.hint)
        return
    _print_line(console, "signal", signal_text(recording))
    for label, text in detail_lines(recording) if alone else ():
        _print_line(console, label, text)
    for finding in recording.findings:
        text = f"{words(finding.name)} – {finding.text.rstrip('.')}" if finding.text else words(finding.name)
        _print_line(console, "finding", f"{text} (confidence {finding.confidence:.2f})")
    for reason in recording.quality.reasons if recording.quality else ():
        _print_line(console, "quality", reason)
    if doubted := doubts(recording):
        _print_line(console, "doubtful", doubted)
    for reason, names in by_reason(recording.not_measurable).items():
        _print_line(console, "not measurable", f"{', '.join(names)}: {reason}")


def _print_leads(console: Console, recording: "Recording") -> None:
    """A row for each lead: its own intervals, and what is wrong with it."""
    rows = list(lead_rows(recording))
    if not rows:
        _print_line(console, "per lead", "nothing could be measured in single leads")
        return
    console.print()
    table = _table("lead", *(f"{INTERVALS[name][0]}\n{INTERVALS[name][1]}" for name in LEAD_COLUMNS))
    table.add_column("signal", overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row))
    console.print(table)


def _print_verdicts(console: Console, groups: Sequence[VerdictGroup]) -> None:
    table = Table(**PLAIN)
    for name in ("verdict", "action", "rules, and what is missing"):
        table.add_column(name, overflow="fold")
    for group in groups:
        table.add_row(_verdict(group.verdict), _text(group.action), _text(because(group)))
    console.print(table)


def _print_rules(console: Console, groups: Sequence[VerdictGroup]) -> None:
    """Each rule once, with the values it looked at and its source; the tables above say for which actions."""
    for report in fired_rules(groups):
        rule = report.rule
        parts: list[str | Text] = [
            _text(rule.id, "bold"),
            f" ({standing(rule)}) ",
            _text(f"{rule.text}."),
        ]
        if report.evidence:
            parts += [" ", _text(f"Patient: {' | '.join(report.evidence)}.")]
        _print_hanging(console, Text.assemble(*parts, " ", _text(f"Source: {rule.source}", "dim")), 0)


def _after_and_change(simulated: "ActionSimulated", name: str) -> tuple[str, str, str, str]:
    """Mean ± SD and 5 to 95 % after the dose, and of the change."""
    digits = 2 if name.endswith("risk") else 0
    after, change = simulated.summary.get(name), simulated.delta.get(name)
    there = (
        (spread(after.mean, after.sd, digits), limits(after.q05, after.q95, digits))
        if after
        else (UNKNOWN, "")
    )
    if change is None:
        return (*there, UNKNOWN, "")
    moved = spread(change.mean, change.sd, digits, signed=True)
    return (*there, moved, limits(change.q05, change.q95, digits, signed=True))


def _print_doubt(console: Console, simulated: "ActionSimulated") -> None:
    """How much of the spread more data on the drug would take away."""
    change = simulated.delta.get("qtcf_ms")
    if change is not None and change.sd is not None and change.doubt:
        known = f"± {change.doubt:.0f} of QTcF's ± {change.sd:.0f} ms is not knowing the drug"
        _print_line(console, "spread", f"{known}; the rest is people and days")


def _print_simulated(console: Console, simulated: "ActionSimulated") -> None:
    """What a reader must know beside the numbers: verdict, support, what could not be measured, files."""
    groups = group_verdicts([simulated.verdict])
    _print_line(console, "verdict", " – ".join(filter(None, (words(groups[0].verdict), because(groups[0])))))
    support = simulated.support
    known = (
        "like what the model was trained on"
        if support.in_distribution
        else "unlike what the model was trained on"
    )
    _print_line(
        console, "support", "; ".join((f"{known} (score {support.score:.2f}, 0 is best)", *support.reasons))
    )
    for reason, names in by_reason(simulated.not_measurable).items():
        _print_line(console, "not measurable", f"{', '.join(names)}: {reason}")
    if simulated.files:
        _print_line(console, "written", ", ".join(simulated.files))
    _print_rules(console, groups)


def _table(first: str, *others: str) -> Table:
    """A table without side lines; the first column folds, the others are numbers."""
    table = Table(**PLAIN)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", overflow="fold")
    return table


def _verdict(verdict: str) -> Text:
    return Text(words(verdict), style=VERDICT_STYLES.get(verdict, ""))


def _file_name(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1]


def _print_line(console: Console, label: str, text: str, style: str = "") -> None:
    """An indented "label: text"."""
    _print_hanging(console, Text.assemble((f"{label}: ", style or "dim"), _text(text)), 2)


def _print_hanging(console: Console, text: Text, indent: int) -> None:
    """Text whose continuation lines are indented two columns further, without blanks at the ends of lines."""
    for index, line in enumerate(text.wrap(console, console.width - indent - 2)):
        line.rstrip()
        console.print(Text(" " * (indent + 2 * bool(index))) + line)


def _text(text: str, style: str = "") -> Text:
    """Text of a record, made harmless: one line, no terminal escapes, no markup."""
    return Text(one_line(text), style=style)
