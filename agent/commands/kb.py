"""`kb`: what the knowledge base says."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import JsonFlag
from agent.output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from tools.knowledge import KnowledgeResult

app = typer.Typer(help="Search, show and check the knowledge base.")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A few words, such as: digoxin low potassium.")],
    n: Annotated[int, typer.Option("-n", min=1, max=50, help="How many entries.")] = 5,
    as_json: JsonFlag = False,
) -> None:
    """Find rules and drugs near in meaning, with their sources."""
    from tools.knowledge import search_knowledge

    result = search_knowledge(query, n)
    emit("kb search", result, as_json=as_json, show=lambda console: _print_hits(console, result))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The id of a rule, or the name of a drug.")],
    as_json: JsonFlag = False,
) -> None:
    """Show one drug or rule with all its facts and sources."""
    from tools.knowledge import show_entry

    result = show_entry(name)
    emit(
        "kb show",
        result,
        as_json=as_json,
        show=lambda console: console.print_json(json.dumps(result.entry, ensure_ascii=False)),
    )


@app.command()
def check(as_json: JsonFlag = False) -> None:
    """Read and cross-check every file of the knowledge base."""
    from tools.knowledge import check_knowledge

    result = check_knowledge()
    counts = f"{result.drugs} drugs by {result.routes} routes, {result.rules} rules, {result.classes} classes"
    emit(
        "kb check",
        result,
        as_json=as_json,
        show=lambda console: console.print(f"sound: {counts}", highlight=False),
    )


def _print_hits(console: "Console", result: "KnowledgeResult") -> None:
    for hit in result.hits:
        console.print(f"{hit.id} ({hit.kind}, {hit.score:.2f})", style="bold", markup=False, highlight=False)
        console.print(f"  {hit.text}", markup=False, highlight=False)
        console.print(f"  source: {hit.source}", style="dim", markup=False, highlight=False)
    if not result.hits:
        console.print("nothing found")
