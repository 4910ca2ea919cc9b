"""The slash commands of `chat`: each does its job, or says which question to ask in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError
from agent.planning.understanding import HELP

if TYPE_CHECKING:
    from agent.chat import Chat


@dataclass(frozen=True)
class Command:
    """One command: what follows it, what it is for, and what it does; it returns the question to ask, if any."""

    after: str
    meaning: str
    run: "Callable[[Chat, str], str | None]"


def _help(chat: "Chat", _: str) -> None:
    chat.say(HELP + "\n")
    for name, command in COMMANDS.items():
        chat.say(f"{f'{name} {command.after}'.strip():18} {command.meaning}")


def _ecg(chat: "Chat", leads: str) -> None:
    """Leads as they are recorded, drawn; without names all twelve."""
    from agent.console_answer import print_leads

    print_leads(chat.console, chat.conversation.bench.show_ecg(leads.replace(",", " ").split()))


def _mask(chat: "Chat", drug: str) -> str | None:
    if drug:
        return f"Is {drug} allowed?"
    from agent.console import print_mask
    from tools.mask import mask_actions

    print_mask(chat.console, mask_actions(chat.conversation.bench.case))
    return None


def _rank(_: "Chat", goal: str) -> str:
    return f"Which drug is safest for {goal}?" if goal else "Rank the candidates."


def _why(_: "Chat", drug: str) -> str:
    return f"Why is {drug} excluded?" if drug else "Why?"


def _undo(chat: "Chat", _: str) -> None:
    """Goes on in a copy of the thread without its last turn; the thread itself stays in the audit trail."""
    from agent.replay import fork

    conversation = chat.conversation
    turns = conversation.turns()
    if not turns:
        raise AgentError("There is nothing to undo", "Ask a question first.")
    before = conversation.thread_id
    conversation.thread_id = fork(conversation.store, before, len(turns) - 1)
    chat.say(f"Undone: “{turns[-1].question}”. This is thread {conversation.thread_id}; {before} stays.")


def _report(chat: "Chat", file: str) -> None:
    if not file:
        raise AgentError("No file was named", "Write /report FILE.html.")
    from agent.reporting import report_on

    chat.say(f"Report: {report_on(chat.conversation, Path(file))}")


def _export(chat: "Chat", file: str) -> None:
    from agent.threads import as_json, as_markdown, write_export

    conversation = chat.conversation
    turns = conversation.store.turns(conversation.thread_id)
    form = as_json if file.endswith(".json") else as_markdown
    text = form(conversation.thread_id, turns)
    if file:
        write_export(file, text)
        chat.say(f"Exported to {file}")
    else:
        chat.say(text)


def _thread(chat: "Chat", _: str) -> None:
    chat.say(chat.conversation.thread_id)


COMMANDS = {
    "/help": Command("", "this list, with examples of questions", _help),
    "/ecg": Command("[LEADS]", "the recording, drawn: /ecg V2 V5", _ecg),
    "/measure": Command("", "what is measured now", lambda *_: "What is measured?"),
    "/patient": Command("", "what is on record", lambda *_: "What is in her record?"),
    "/mask": Command("[DRUG]", "which doses are allowed, and why not", _mask),
    "/rank": Command("[GOAL]", "the candidates, best first", _rank),
    "/why": Command("[DRUG]", "why it is excluded", _why),
    "/undo": Command("", "goes on as if the last question had not been asked", _undo),
    "/report": Command("FILE", "an HTML report of the last ranking", _report),
    "/export": Command("[FILE]", "this thread as Markdown, or as JSON to a .json file", _export),
    "/thread": Command("", "the name of this thread", _thread),
    "/quit": Command("", "ends; the thread is kept", lambda *_: None),
}
