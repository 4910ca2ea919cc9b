"""`kb`: what the knowledge base says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import JsonFlag
from agent.output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from knowledge.importing import Kind
    from tools.knowledge import CheckResult, ImportResult, KnowledgeResult

app = typer.Typer(help="Search, show and check the knowledge base, and import rules into it.")
_KINDS: "dict[str, Kind]" = {
    "own": "own rules",
    "ddinter": "DDInter",
    "openfda": "openFDA labels",
    "qt": "QT drugs",
}


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
    from agent.console_entry import print_entry
    from tools.knowledge import show_entry

    result = show_entry(name)
    emit("kb show", result, as_json=as_json, show=lambda console: print_entry(console, result.entry))


@app.command()
def check(as_json: JsonFlag = False) -> None:
    """Read and cross-check every file of the knowledge base, and list what waits for a clinician."""
    from tools.knowledge import check_knowledge

    result = check_knowledge()
    emit("kb check", result, as_json=as_json, show=lambda console: _print_check(console, result))
    if result.problems:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[
        Path | None, typer.Argument(help="Own rules (YAML, CSV), DDInter, openFDA, QT list.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--as", metavar="KIND", help="own, ddinter, openfda or qt; else told by content."),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Under which licence you have it.")] = None,
    remove: Annotated[str | None, typer.Option(metavar="NAME", help="Forget an import.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Import rules into your data folder; they can tighten the built-in ones, never loosen them. Alone: list them."""
    from tools.knowledge import forget_rules, import_rules, imported_rules

    if kind is not None and kind.lower() not in _KINDS:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(_KINDS)}", param_hint="--as")
    if remove is not None:
        result = forget_rules(remove)
    elif file is not None:
        result = import_rules(file, _KINDS[kind.lower()] if kind else None, licence)
    else:
        result = imported_rules()
    emit("kb import", result, as_json=as_json, show=lambda console: _print_imports(console, result))


def _print_check(console: "Console", result: "CheckResult") -> None:
    counts = f"{result.drugs} drugs by {result.routes} routes, {result.rules} rules, {result.classes} classes"
    for fact in result.waiting:
        line = f"waits ({fact.confidence}): {fact.where}, {fact.what}"
        console.print(line, style="dim", markup=False, highlight=False)
    for problem in result.problems:
        console.print(f"problem: {problem}", markup=False, highlight=False)
    console.print(f"{len(result.waiting)} facts wait for a clinician", highlight=False)
    console.print(f"{'unsound' if result.problems else 'sound'}: {counts}", highlight=False)


def _print_imports(console: "Console", result: "ImportResult") -> None:
    for entry in result.imports:
        line = f"{entry.name} ({entry.kind}): {entry.pairs} pairs, {entry.rules} rules"
        console.print(line, style="bold", markup=False, highlight=False)
        console.print(f"  licence: {entry.licence}", markup=False, highlight=False)
    if result.not_mapped:
        named = ", ".join(result.not_mapped[:10])
        console.print(
            f"{len(result.not_mapped)} names are not in the catalogue, and wait until they are: {named}"
            + (", ..." if len(result.not_mapped) > 10 else ""),
            markup=False,
            highlight=False,
        )
    console.print(f"kept in {result.folder}" if result.imports else "nothing imported", highlight=False)


def _print_hits(console: "Console", result: "KnowledgeResult") -> None:
    for hit in result.hits:
        console.print(f"{hit.id} ({hit.kind}, {hit.score:.2f})", style="bold", markup=False, highlight=False)
        console.print(f"  {hit.text}", markup=False, highlight=False)
        console.print(f"  source: {hit.source}", style="dim", markup=False, highlight=False)
    if not result.hits:
        console.print("nothing found")
