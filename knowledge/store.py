"""The search index: an embedded Chroma store, built from the knowledge base and named by its content.

Decisions never come from here, only answers to questions and citations. The index lies in a folder of
the user's cache, and is built anew when it is damaged. Each build has a folder of its own, so two
processes can build at once.
"""

import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from knowledge.drugs import Catalogue, Drug, load_catalogue
from knowledge.embedding import OwnEmbedding, facts_asked
from knowledge.errors import StoreError
from knowledge.folders import cache_folder
from knowledge.imported import load_imported
from knowledge.names import find_drugs_in
from knowledge.rules import Rule, load_rules

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection as ChromaCollection

_NAME = "knowledge"
_READY = "ready.json"
# How much nearer a rule comes that is about two drugs of the question, or about a drug and a finding of it.
PAIR = 0.3
FEW = 8  # a class of no more drugs is found by each of their names
_OPENING = threading.Lock()  # chromadb is not made for two threads that open one folder


@dataclass(frozen=True)
class Hit:
    """A drug or a rule. score: cosine, 0 to 1, higher is nearer."""

    id: str
    kind: str
    text: str
    source: str
    score: float


@dataclass(frozen=True)
class Entry:
    """What is stored of a drug or a rule; `index_text` is what it is found by."""

    id: str
    kind: str
    text: str
    source: str
    index_text: str
    subjects: tuple[str, ...]
    partners: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class Embedder(Protocol):
    """Whatever makes unit vectors of texts; `name` changes when the vectors do."""

    @property
    def name(self) -> str: ...
    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class RuleStore:
    """An open index."""

    def __init__(self, collection: "ChromaCollection", catalogue: Catalogue, embedder: Embedder) -> None:
        self._collection = collection
        self._catalogue = catalogue
        self._embed = embedder.embed

    def __len__(self) -> int:
        return self._collection.count()

    def search(self, text: str, n: int = 5) -> list[Hit]:
        """The n drugs and rules nearest to a text; rules of a pair that the text asks for come first.

        Raises StoreError.
        """
        if not text.strip() or n < 1:
            return []
        named = {mention.drug.id for mention in find_drugs_in(text, self._catalogue)}
        question = self._embed([text])
        try:
            found = self._collection.query(
                query_embeddings=question,
                n_results=len(self),
                include=["metadatas", "distances"],
            )
        except Exception as error:  # chromadb raises what its parts raise
            raise StoreError(
                f"the search index failed: {error}", "Delete its folder; it is built anew."
            ) from error
        rows = zip(
            found["ids"][0], (found["metadatas"] or [[]])[0], (found["distances"] or [[]])[0], strict=True
        )
        hits = [_hit(i, row, 1 - far + (PAIR if _joins(row, named, text) else 0.0)) for i, row, far in rows]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:n]


def _hit(entry_id: str, row: Any, score: float) -> Hit:
    kind, text, source = str(row["kind"]), str(row["text"]), str(row["source"])
    return Hit(entry_id.removeprefix(f"{kind}:"), kind, text, source, max(0.0, min(1.0, float(score))))


def _joins(row: Any, named: Collection[str], text: str) -> bool:
    """Whether a rule is about two things of the question, drugs or a drug and a finding; or its one drug interacts."""
    subjects, partners = set(row.get("subjects") or ()), set(row.get("partners") or ())
    if not partners:
        asked = bool(subjects & set(named)) and len(subjects) <= FEW
        return asked and not facts_asked(text).isdisjoint(row.get("facts") or ())
    if len(named) == 1:
        return "interact" in text.lower() and not (subjects | partners).isdisjoint(named)
    return any(one in subjects and other in partners for one, other in permutations(named, 2))


def open_store(folder: Path | None = None, embedder: Embedder | None = None) -> RuleStore:
    """Open the index of the rules, the drugs and the user's own rules; build it where it is not there, or damaged.

    folder: where indexes are kept; None: the user's cache. embedder None: our own, without network. Raises
    StoreError.
    """
    catalogue = load_catalogue()
    embedder = embedder or OwnEmbedding(catalogue)
    entries, content = _described(catalogue, (*load_rules(), *load_imported(catalogue).rules), embedder.name)
    home = folder if folder is not None else cache_folder()
    name = f"index-{content}"
    with _OPENING:
        for built in sorted(home.glob(f"{name}-*/{_READY}")):
            try:
                return RuleStore(_open(built.parent, len(entries)), catalogue, embedder)
            except Exception:  # whatever chromadb finds wrong with it: it is only an index
                shutil.rmtree(built.parent, ignore_errors=True)
        try:
            home.mkdir(parents=True, exist_ok=True)
            built = _build(home, name, entries, embedder)
            return RuleStore(_open(built, len(entries)), catalogue, embedder)
        except OSError as error:
            raise StoreError(
                f"cannot write the search index to {home}: {error.strerror}",
                "Set ECGWM_HOME to another folder.",
            ) from error


@lru_cache(maxsize=2)
def _described(catalogue: Catalogue, rules: tuple[Rule, ...], embedder: str) -> tuple[tuple[Entry, ...], str]:
    """The entries, and the hash by which an index of them is known."""
    entries = tuple(_entries(catalogue, rules))
    content = json.dumps([embedder, [[*vars(entry).values()] for entry in entries]], sort_keys=True)
    return entries, hashlib.sha256(content.encode()).hexdigest()[:16]


def _entries(catalogue: Catalogue, rules: Sequence[Rule]) -> Iterator[Entry]:
    for drug in catalogue:
        yield _drug_entry(drug, catalogue)
    for rule in rules:
        subjects, partners = (
            tuple(sorted({drug_id for name in names for drug_id in catalogue.members(name)}))
            for names in (rule.drugs, rule.partners)
        )
        words = _rule_words(rule, catalogue)
        condition = rule.condition()
        facts = tuple(sorted(condition.facts)) if condition else ()
        yield Entry(rule.id, "rule", rule.text, rule.source, words, subjects, partners, facts)


def _drug_entry(drug: Drug, catalogue: Catalogue) -> Entry:
    classes = ", ".join(catalogue.classes[name].text for name in drug.classes)
    serves = ", ".join((*drug.goals, *drug.indications))
    text = f"{drug.name}{f' ({classes})' if classes else ''}{f', for {serves}' if serves else ''}"
    return Entry(drug.id, "drug", text, "; ".join(drug.sources), f"{text} {' '.join(drug.names)}", (drug.id,))


def _rule_words(rule: Rule, catalogue: Catalogue) -> str:
    """What a rule is found by: its text, its condition, and its drugs and classes by name."""
    words = [rule.text, rule.kind, (rule.when or "").replace("_", " "), rule.advice]
    for name in (*rule.drugs, *rule.partners):
        if name in catalogue.classes:
            words.append(catalogue.classes[name].text)
        members = catalogue.members(name)
        if len(members) <= FEW:
            words += [catalogue.get(drug_id).name for drug_id in sorted(members)]
    return " ".join(words)


def _metadata(entry: Entry) -> dict[str, Any]:
    """What is kept beside the vector; chromadb takes no empty lists."""
    lists = {
        "subjects": entry.subjects,
        "partners": entry.partners,
        "facts": entry.facts,
    }
    kept = {name: sorted(set(drugs)) for name, drugs in lists.items() if drugs}
    return {"kind": entry.kind, "text": entry.text, "source": entry.source, **kept}


def _open(folder: Path, count: int) -> "ChromaCollection":
    collection = _client(folder).get_collection(_NAME, embedding_function=None)
    if collection.count() != count:
        raise StoreError("the search index is incomplete", "It is built anew.")
    return collection


def _client(folder: Path) -> "Client":
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    return cast("Client", client)  # its declared type has no close()


def _build(home: Path, name: str, entries: Sequence[Entry], embedder: Embedder) -> Path:
    """Build an index in a folder of its own, then give it its name: no other process sees half of one."""
    vectors = embedder.embed([entry.index_text for entry in entries])
    building = Path(tempfile.mkdtemp(prefix="building-", dir=home))
    client = _client(building)
    collection = client.create_collection(
        _NAME, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    collection.add(
        ids=[f"{entry.kind}:{entry.id}" for entry in entries],
        embeddings=vectors,
        metadatas=[_metadata(entry) for entry in entries],
    )
    client.close()
    (building / _READY).write_text(json.dumps({"entries": len(entries)}), "utf-8")
    return building.rename(home / building.name.replace("building", name))
