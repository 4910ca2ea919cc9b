"""Tool: the knowledge base. Exact rules decide elsewhere; searching finds text and sources to cite."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from knowledge.drugs import load_catalogue
from knowledge.folders import data_folder
from knowledge.imported import list_imports, load_imported, remove_import, store_import
from knowledge.importing import Kind, read_import
from knowledge.names import resolve_drug
from knowledge.rules import load_rules
from tools.errors import ToolError
from tools.results import Answer, Result


class UnknownEntryError(ToolError):
    """No drug and no rule goes by that name."""


class KnowledgeHit(Result):
    """A drug or a rule; score 0..1, higher is closer."""

    id: str
    kind: str
    text: str
    source: str
    score: float


class KnowledgeResult(Answer):
    query: str
    hits: tuple[KnowledgeHit, ...]


class EntryResult(Answer):
    """One drug or rule as it is written in the knowledge base."""

    id: str
    kind: str
    entry: dict[str, Any]


class FactWaiting(Result):
    """A fact from memory, or a choice of ours, that a clinician has to confirm."""

    where: str
    what: str
    confidence: str


class CheckResult(Answer):
    """How much there is, what is wrong with it, and what waits for a clinician."""

    drugs: int
    routes: int
    rules: int
    classes: int
    problems: tuple[str, ...] = ()
    waiting: tuple[FactWaiting, ...] = ()


class ImportGiven(Result):
    """One file of rules that was imported, and under which licence its rules stand."""

    name: str
    kind: str
    licence: str
    file: str
    pairs: int
    rules: int


class ImportResult(Answer):
    """What is imported now; not_mapped: names of the file just read that the catalogue does not know."""

    imports: tuple[ImportGiven, ...]
    folder: str
    not_mapped: tuple[str, ...] = ()


def search_knowledge(query: str, n: int = 5) -> KnowledgeResult:
    """The n entries nearest in meaning to the query. Raises StoreError."""
    from knowledge.embedding_endpoint import configured_endpoint
    from knowledge.store import open_store

    hits = open_store(embedder=configured_endpoint()).search(query, n)
    return KnowledgeResult(
        query=query,
        hits=tuple(
            KnowledgeHit(
                id=hit.id, kind=hit.kind, text=hit.text, source=hit.source, score=round(hit.score, 4)
            )
            for hit in hits
        ),
    )


def show_entry(name: str) -> EntryResult:
    """The drug or the rule of that id or name. Raises UnknownEntryError."""
    catalogue = load_catalogue()
    for rule in (*load_rules(), *load_imported(catalogue).rules):
        if rule.id.lower() == name.lower():
            return EntryResult(id=rule.id, kind="rule", entry=rule.model_dump(mode="json", exclude_none=True))
    found = resolve_drug(name, catalogue)
    if found.drug is not None:
        drug = found.drug
        return EntryResult(id=drug.id, kind="drug", entry=drug.model_dump(mode="json", exclude_none=True))
    near = ", ".join(drug.name for drug in found.suggestions)
    raise UnknownEntryError(
        f"no drug or rule is called {name!r}", f"Did you mean {near}?" if near else "Try kb search."
    )


def check_knowledge() -> CheckResult:
    """Read and cross-check the knowledge base. Raises CatalogueError for a file that cannot be read at all."""
    from knowledge.check import check

    report = check()
    return CheckResult(
        drugs=report.drugs,
        routes=report.routes,
        rules=report.rules,
        classes=len(load_catalogue().classes),
        problems=report.problems,
        waiting=tuple(
            FactWaiting(where=fact.where, what=fact.what, confidence=fact.confidence)
            for fact in report.waiting
        ),
    )


def import_rules(file: Path, kind: Kind | None = None, licence: str | None = None) -> ImportResult:
    """Keep the rules of a file in the user's data folder, all or none. Raises ImportFileError, ImportedRulesError."""
    found = read_import(file, load_catalogue(), kind, licence)
    store_import(found)
    return imported_rules(tuple(found.not_mapped))


def forget_rules(name: str) -> ImportResult:
    """Remove an import. Raises UnknownEntryError, ImportedRulesError."""
    if not remove_import(name):
        names = ", ".join(entry.name for entry in list_imports()) or "none"
        raise UnknownEntryError(f"nothing imported is called {name!r}", f"There are: {names}.")
    return imported_rules()


def imported_rules(not_mapped: tuple[str, ...] = ()) -> ImportResult:
    """What is imported now. Raises ImportedRulesError."""
    imports = tuple(ImportGiven(**asdict(entry)) for entry in list_imports())
    return ImportResult(imports=imports, folder=str(data_folder()), not_mapped=not_mapped)
