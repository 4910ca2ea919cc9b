"""`ask`: one question, answered once."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import (
    DEFAULT_K,
    EcgOption,
    FsOption,
    JsonFlag,
    KOption,
    LeadsOption,
    PatientOption,
    SeedOption,
    UnitOption,
    WindowOption,
    stated_facts,
)
from agent.output import emit
from agent.talk_options import BaseUrlOption, ModelOption, RedactFlag, ResearchFlag, ThreadOption

if TYPE_CHECKING:
    from rich.console import Console

    from agent.session import Answer


def ask(
    question: Annotated[
        str | None, typer.Argument(help='Such as "What if I give 500 ug dofetilide?"', show_default=False)
    ] = None,
    ecg: EcgOption = None,
    patient: PatientOption = None,
    fs: FsOption = None,
    unit: UnitOption = None,
    leads: LeadsOption = None,
    window: WindowOption = None,
    thread: ThreadOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    k: KOption = DEFAULT_K,
    seed: SeedOption = 0,
    redact: RedactFlag = False,
    research: ResearchFlag = False,
    decision: Annotated[
        bool | None,
        typer.Option("--approve/--decline", help="Decide on what waits in --thread, instead of a question."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer one what-if question about an ECG; every number in the answer comes from a tool."""
    if decision is None and not (question or "").strip():
        raise typer.BadParameter("the question is empty")
    if decision is not None and (question or thread is None):
        raise typer.BadParameter("--approve and --decline go with --thread and without a question")
    from agent.console_steps import showing_steps
    from agent.opening import open_conversation
    from agent.redaction import disclosure

    stated = stated_facts(fs, unit, leads)
    research = research or decision is not None
    with (
        open_conversation(
            ecg,
            patient,
            thread,
            model,
            base_url,
            k,
            seed,
            None,
            stated,
            window,
            redact,
            research or decision is not None,
        ) as conversation,
        showing_steps() as on_step,
    ):
        if said := disclosure(conversation.chat, conversation.bench):
            print(said, file=sys.stderr)
        answer = (
            conversation.ask(question or "", on_step)
            if decision is None
            else conversation.decide(decision, on_step)
        )
    emit("ask", answer.as_json(), as_json=as_json, show=lambda c: _show(c, answer), warnings=answer.warnings)


def _show(console: "Console", answer: "Answer") -> None:
    from rich.text import Text

    from agent.console_answer import print_answer

    print_answer(console, answer)
    if answer.citations:
        console.print(Text("\nSources", style="dim"))
        for cited in answer.citations:
            console.print(Text(f"[{cited['id']}] {cited['source']}", style="dim"))
    console.print(
        Text(f"\nResearch use only. Answered by {answer.model}; thread {answer.thread_id}.", style="dim")
    )
