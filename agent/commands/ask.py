"""`ask`: one question, answered once."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from agent.errors import ThreadError
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
from agent.output import ExitCode, emit
from agent.talk_options import BaseUrlOption, ModelOption, RedactFlag, ResearchFlag, ThreadOption

if TYPE_CHECKING:
    from rich.console import Console

    from agent.replay import Replayed
    from agent.session import Answer, Conversation, OnStep


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
    replay: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Run the tool calls of this thread again, and compare the numbers."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer one what-if question about an ECG; every number in the answer comes from a tool."""
    if replay is not None:
        _replay(replay, as_json)
        return
    if decision is None and thread is None and not (question or "").strip():
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
            research,
        ) as conversation,
        showing_steps() as on_step,
    ):
        if said := disclosure(conversation.chat, conversation.bench):
            print(said, file=sys.stderr)
        answer = _answered(conversation, question, decision, on_step)
    emit("ask", answer.as_json(), as_json=as_json, show=lambda c: _show(c, answer), warnings=answer.warnings)


def _answered(
    conversation: "Conversation", question: str | None, decision: bool | None, on_step: "OnStep | None"
) -> "Answer":
    """The answer to a question; without one, to the question that waits in the thread or was interrupted."""
    if decision is not None:
        return conversation.decide(decision, on_step)
    if question:
        return conversation.ask(question, on_step)
    answer = conversation.resume(on_step)
    if answer is None:
        raise ThreadError(f"every question of thread {conversation.thread_id!r} is answered", "Ask one.")
    return answer


def _replay(thread: str, as_json: bool) -> None:
    """Prints each turn of a thread again, and fails where a number came out otherwise."""
    from dataclasses import asdict

    from agent.replay import replay
    from agent.settings import load_settings
    from agent.threads import open_threads

    with open_threads(load_settings().home) as store:
        turns = [replay(record) for record in store.turns(thread)]
    same = all(turn.same for turn in turns)
    data = {
        "thread_id": thread,
        "same": same,
        "turns": [asdict(turn) | {"same": turn.same} for turn in turns],
    }
    emit("ask", data, as_json=as_json, show=lambda console: _show_replay(console, turns))
    if not same:
        raise typer.Exit(ExitCode.FAILED)


def _show_replay(console: "Console", turns: "Sequence[Replayed]") -> None:
    from rich.text import Text

    for turn in turns:
        console.print(Text(f"> {turn.question}", style="bold"))
        console.print(Text(turn.answer))
        if turn.changed:
            console.print(Text(f"not as it was: {', '.join(turn.changed)}", style="yellow"))
        lines = turn.differences or ("the same numbers again",)
        console.print(Text("\n".join(lines) + "\n", style="red" if turn.differences else "green"))


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
