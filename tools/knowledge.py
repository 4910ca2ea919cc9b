"""Tool: the knowledge base. Exact rules decide elsewhere; searching finds text and sources to cite."""

from typing import Any

from knowledge.drugs import load_catalogue
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


class CheckResult(Answer):
    """How much there is; that it was counted means that every file was read and holds together."""

    drugs: int
    routes: int
    rules: int
    classes: int


def search_knowledge(query: str, n: int = 5) -> KnowledgeResult:
    """The n entries nearest in meaning to the query. Raises StoreError."""
    from knowledge.store import open_store

    hits = open_store(None).search(query, n)
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
    for rule in load_rules():
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
    """Read and cross-check the knowledge base. Raises CatalogueError for the first thing that is wrong."""
    catalogue, rules = load_catalogue(), load_rules()
    return CheckResult(
        drugs=len(catalogue.drugs),
        routes=sum(len(drug.routes) for drug in catalogue),
        rules=len(rules),
        classes=len(catalogue.classes),
    )
