"""`threads`: conversations that were kept, and their audit trail."""

from enum import StrEnum
from typing import Annotated

import typer

from agent.options import JsonFlag
from agent.output import emit

app = typer.Typer(help="List, show, fork and export threads.", no_args_is_help=True)
ThreadArgument = Annotated[str, typer.Argument(metavar="ID", help="As `threads list` shows it.")]


class Format(StrEnum):
    """What a thread is exported as."""

    MARKDOWN = "markdown"
    JSON = "json"


@app.command("list")
def list_threads(as_json: JsonFlag = False) -> None:
    """List the threads, the latest first."""
    from dataclasses import asdict

    from rich.table import Table
    from rich.text import Text

    from agent.settings import load_settings
    from agent.threads import open_threads

    with open_threads(load_settings().home) as store:
        threads = store.list()
    table = Table(box=None, pad_edge=False)
    for title in ("thread", "turns", "last", "first question"):
        table.add_column(title, overflow="fold")
    for thread in threads:
        table.add_row(thread.thread_id, str(thread.turns), thread.last[:16], Text(thread.first_question))
    data = {"threads": [asdict(thread) for thread in threads]}
    emit(
        "threads list", data, as_json=as_json, show=lambda c: c.print(table if threads else "No threads yet.")
    )


@app.command()
def show(thread: ThreadArgument, as_json: JsonFlag = False) -> None:
    """Show the questions, answers and manifests of a thread."""
    from dataclasses import asdict

    from rich.text import Text

    from agent.settings import load_settings
    from agent.threads import as_markdown, open_threads

    with open_threads(load_settings().home) as store:
        turns = store.turns(thread)
    data = {"thread_id": thread, "turns": [asdict(turn) for turn in turns]}
    emit("threads show", data, as_json=as_json, show=lambda c: c.print(Text(as_markdown(thread, turns))))


@app.command()
def fork(
    thread: ThreadArgument,
    turn: Annotated[int | None, typer.Option(min=0, help="Keep this many turns; otherwise all.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Copy a thread under a new name, to go another way from there."""
    from agent.replay import fork as copy_of
    from agent.settings import load_settings
    from agent.threads import open_threads

    with open_threads(load_settings().home) as store:
        name = copy_of(store, thread, turn)
    data = {"thread_id": name, "forked_from": thread}
    emit("threads fork", data, as_json=as_json, show=lambda c: c.print(name, highlight=False))


@app.command()
def export(
    thread: ThreadArgument,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.MARKDOWN,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Where; otherwise to stdout.")] = None,
) -> None:
    """Write a thread as Markdown or JSON, to keep or to send."""
    from agent.settings import load_settings
    from agent.threads import as_json, as_markdown, open_threads, write_export

    with open_threads(load_settings().home) as store:
        turns = store.turns(thread)
    text = (as_json if form is Format.JSON else as_markdown)(thread, turns)
    if out is None:
        print(text)
    else:
        write_export(out, text)
