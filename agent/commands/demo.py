"""`demo`: the whole job on the built-in synthetic patient; no key, no network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import DEFAULT_K, JsonFlag, KOption, SeedOption
from agent.output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from agent.session import Answer, Conversation

QUESTION = "Which rate-control drug is safest for her?"
REPORT = Path("ecgwm-demo.html")


def demo(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the HTML report goes.")] = REPORT,
    k: KOption = DEFAULT_K,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Measure, mask, simulate, rank and explain the built-in synthetic patient; write the HTML report."""
    from agent.cases import BUILT_IN
    from agent.console_steps import showing_steps
    from agent.errors import AgentError
    from agent.opening import open_conversation
    from agent.reporting import report_on
    from agent.state import CaseReference

    case = CaseReference(ecg=BUILT_IN, patient=BUILT_IN)
    with open_conversation(model="offline", k=k, seed=seed, case=case) as conversation:
        with showing_steps() as on_step:
            answer = conversation.ask(QUESTION, on_step)
        for found in answer.found:
            if not found.ok:
                raise AgentError(found.result["error"], found.result["hint"])
        report = report_on(conversation, out)
        data = {
            "question": QUESTION,
            "report": str(report),
            "measured": _measured(conversation),
        } | answer.as_json()
        emit(
            "demo",
            data,
            as_json=as_json,
            show=lambda console: _show(console, conversation, answer, report),
            warnings=answer.warnings,
        )


def _measured(conversation: "Conversation") -> dict[str, object]:
    return conversation.bench.measure_ecg()


def _show(console: "Console", conversation: "Conversation", answer: "Answer", report: Path) -> None:
    from rich.text import Text

    from agent.console import print_measure, print_ranking
    from tools.measure import MeasureResult, Recording

    bench = conversation.bench
    print_measure(console, MeasureResult(recordings=(Recording.model_validate(bench.measure_ecg()),)))
    if bench.ranking is not None:
        print_ranking(console, bench.ranking)
    console.print(Text(f"\n{QUESTION}", style="bold"))
    console.print(Text(answer.answer))
    console.print(Text(f"\nReport: {report}"))
    console.print(Text(f"Go on talking: ecgwm-agent chat --thread {answer.thread_id}", style="dim"))
