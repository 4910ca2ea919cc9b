"""`ask`: one question, answered once."""

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
from agent.talk_options import BaseUrlOption, ModelOption, ThreadOption

if TYPE_CHECKING:
    from rich.console import Console

    from agent.session import Answer


def ask(
    question: Annotated[str, typer.Argument(help='Such as "What if I give 500 ug dofetilide?"')],
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
    as_json: JsonFlag = False,
) -> None:
    """Answer one what-if question about an ECG; every number in the answer comes from a tool."""
    if not question.strip():
        raise typer.BadParameter("the question is empty")
    from agent.console_steps import showing_steps
    from agent.opening import open_conversation

    stated = stated_facts(fs, unit, leads)
    with (
        open_conversation(
            ecg, patient, thread, model, base_url, k, seed, None, stated, window
        ) as conversation,
        showing_steps() as on_step,
    ):
        answer = conversation.ask(question, on_step)
    emit("ask", answer.as_json(), as_json=as_json, show=lambda c: _show(c, answer), warnings=answer.warnings)


def _show(console: "Console", answer: "Answer") -> None:
    from rich.text import Text

    console.print(Text(answer.answer))
    if answer.citations:
        console.print(Text("\nSources", style="dim"))
        for cited in answer.citations:
            console.print(Text(f"[{cited['id']}] {cited['source']}", style="dim"))
    console.print(
        Text(f"\nResearch use only. Answered by {answer.model}; thread {answer.thread_id}.", style="dim")
    )
