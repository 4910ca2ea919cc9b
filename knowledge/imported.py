"""Rules from elsewhere, kept in the user's data folder and never in the package.

They can only tighten: they are judged beside the built-in rules, under ids of their own, and the gravest
verdict wins. Pairs of drugs lie in an SQLite table, so that a quarter of a million of them open in a
fraction of a second; a drug that the catalogue does not know is kept, and counts when it does.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from knowledge.drugs import Catalogue, explain
from knowledge.errors import ImportedRulesError
from knowledge.folders import data_folder
from knowledge.names import without_salt
from knowledge.rules import Example, Examples, Rule, Severity

FILE = "imported.sqlite3"
_TABLES = """
CREATE TABLE IF NOT EXISTS imports (name TEXT PRIMARY KEY, kind TEXT, licence TEXT, file TEXT);
CREATE TABLE IF NOT EXISTS names (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS pairs (import TEXT, one INTEGER, other INTEGER, severity TEXT, text TEXT);
CREATE TABLE IF NOT EXISTS rules (import TEXT, document TEXT);
CREATE TABLE IF NOT EXISTS members (import TEXT, class TEXT, drug TEXT);
"""
_GRAVEST: Sequence[Severity] = ("B", "W", "C", "I")
_NO_EXAMPLES = Examples(fires=Example(give=""), silent=Example(give=""))


class OwnRule(Rule):
    """A rule of the user's: as a built-in one, but examples, source and kind may be left out."""

    kind: Any = "interaction"
    source_type: Any = "policy"
    confidence: Any = "policy"
    examples: Examples = _NO_EXAMPLES

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Pair:
    """What a source says of two drugs given together, in either order; names as the source writes them."""

    one: str
    other: str
    severity: Severity
    text: str


@dataclass(frozen=True)
class Import:
    """What one file holds. members: drugs that it adds to classes of the catalogue, by class.

    not_mapped: names that the catalogue does not know; their pairs are kept and wait.
    """

    name: str
    kind: str
    licence: str
    file: str
    rules: Sequence[OwnRule] = ()
    pairs: Sequence[Pair] = ()
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    not_mapped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A pair of two drugs of the catalogue, as the mask reads it."""

    id: str
    severity: Severity
    text: str
    source: str


@dataclass(frozen=True)
class Imported:
    """Everything imported, ready for the mask. pairs: by the ids of both drugs, in order of the alphabet; gravest: of
    the pairs of each drug."""

    rules: tuple[Rule, ...] = ()
    pairs: Mapping[tuple[str, str], tuple[KnownPair, ...]] = field(default_factory=dict)
    members: tuple[tuple[str, frozenset[str]], ...] = ()
    gravest: Mapping[str, KnownPair] = field(default_factory=dict)

    def between(self, one: str, other: str) -> tuple[KnownPair, ...]:
        """What is said of two drugs together."""
        return self.pairs.get((one, other) if one < other else (other, one), ())


NOTHING = Imported()


@dataclass(frozen=True)
class Listed:
    """One import as it is listed: what it is, and under which licence."""

    name: str
    kind: str
    licence: str
    file: str
    pairs: int
    rules: int


def store_import(found: Import, folder: Path | None = None) -> None:
    """Keep an import, whole or not at all; one of the same name is replaced. Raises ImportedRulesError."""
    with _opened(folder) as store, store:
        _drop(found.name, store)
        store.execute(
            "INSERT INTO imports VALUES (?, ?, ?, ?)", (found.name, found.kind, found.licence, found.file)
        )
        names = {name for pair in found.pairs for name in (pair.one, pair.other)}
        store.executemany("INSERT OR IGNORE INTO names (name) VALUES (?)", ((name,) for name in names))
        ids = dict(store.execute("SELECT name, id FROM names"))
        store.executemany(
            "INSERT INTO pairs VALUES (?, ?, ?, ?, ?)",
            ((found.name, ids[p.one], ids[p.other], p.severity, p.text) for p in found.pairs),
        )
        documents = (rule.model_dump_json(exclude_unset=True) for rule in found.rules)
        store.executemany("INSERT INTO rules VALUES (?, ?)", ((found.name, text) for text in documents))
        members = ((found.name, group, drug) for group, drugs in found.members.items() for drug in drugs)
        store.executemany("INSERT INTO members VALUES (?, ?, ?)", members)
    _read.cache_clear()


def remove_import(name: str, folder: Path | None = None) -> bool:
    """Forget an import; False when there is none of that name. Raises ImportedRulesError."""
    with _opened(folder) as store, store:
        gone = _drop(name, store)
    _read.cache_clear()
    return gone


def list_imports(folder: Path | None = None) -> list[Listed]:
    """Every import, by name. Raises ImportedRulesError."""
    if not _path(folder).exists():
        return []
    query = """SELECT name, kind, licence, file, (SELECT count(*) FROM pairs WHERE import = name),
        (SELECT count(*) FROM rules WHERE import = name) + (SELECT count(*) FROM members WHERE import = name)
        FROM imports ORDER BY name"""
    with _opened(folder) as store:
        return [Listed(*row) for row in store.execute(query)]


def load_imported(catalogue: Catalogue, folder: Path | None = None) -> Imported:
    """What was imported, for this catalogue; nothing where nothing was. Raises ImportedRulesError."""
    path = _path(folder)
    if not path.exists():
        return NOTHING
    return _read(path, path.stat().st_mtime_ns, catalogue)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int, catalogue: Catalogue) -> Imported:
    with _opened(path.parent) as store:
        sources = {
            name: f"{kind} ({file}); licence: {licence}"
            for name, kind, licence, file in store.execute("SELECT name, kind, licence, file FROM imports")
        }
        names = (
            (key, exact_drug(name, catalogue)) for key, name in store.execute("SELECT id, name FROM names")
        )
        drugs = {key: drug for key, drug in names if drug is not None}
        store.execute("CREATE TEMP TABLE mapped (id INTEGER PRIMARY KEY)")
        store.executemany("INSERT INTO mapped VALUES (?)", ((key,) for key in drugs))
        pairs: dict[tuple[str, str], list[KnownPair]] = {}
        query = """SELECT rowid, import, one, other, severity, text FROM pairs
            WHERE one IN (SELECT id FROM mapped) AND other IN (SELECT id FROM mapped)"""
        for row, name, one, other, severity, text in store.execute(query):
            key = (drugs[one], drugs[other])
            pair = KnownPair(f"{name}:{row}", severity, text, sources[name])
            pairs.setdefault(key if key[0] < key[1] else key[::-1], []).append(pair)
        members: dict[str, set[str]] = {}
        for group, drug in store.execute("SELECT class, drug FROM members"):
            members.setdefault(group, set()).add(drug)
        documents = [text for (text,) in store.execute("SELECT document FROM rules")]
    try:
        rules = tuple(OwnRule.model_validate(json.loads(text)) for text in documents)
    except ValidationError as error:
        raise ImportedRulesError(
            f"an imported rule does not fit this version: {explain(error)}", "Import its file again."
        ) from error
    between = {key: tuple(found) for key, found in pairs.items() if key[0] != key[1]}
    gravest: dict[str, KnownPair] = {}
    for key, found in between.items():
        for drug, pair in product(key, found):
            if drug not in gravest or _GRAVEST.index(pair.severity) < _GRAVEST.index(gravest[drug].severity):
                gravest[drug] = pair
    groups = sorted((group, frozenset(drugs)) for group, drugs in members.items())
    return Imported(rules, between, tuple(groups), gravest)


def exact_drug(name: str, catalogue: Catalogue) -> str | None:
    """The id of the drug of exactly this name, its salt aside; None for a name that none has, or several."""
    known = exact_names(catalogue)
    return known.get(name.strip().lower()) or known.get(without_salt(name))


@lru_cache(maxsize=2)
def exact_names(catalogue: Catalogue) -> Mapping[str, str]:
    """The drug of each name, in lower case; a name that several drugs share is none."""
    found: dict[str, set[str]] = {}
    for drug in catalogue:
        for name in (drug.id, drug.id.replace("_", " "), *drug.names):
            found.setdefault(name.lower(), set()).add(drug.id)
    return {name: drugs.pop() for name, drugs in found.items() if len(drugs) == 1}


def _drop(name: str, store: sqlite3.Connection) -> bool:
    for table in ("pairs", "rules", "members"):
        store.execute(f"DELETE FROM {table} WHERE import = ?", (name,))
    return store.execute("DELETE FROM imports WHERE name = ?", (name,)).rowcount > 0


def _path(folder: Path | None) -> Path:
    return (folder or data_folder()) / FILE


@contextmanager
def _opened(folder: Path | None) -> Iterator[sqlite3.Connection]:
    path = _path(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=30)) as store:
            store.executescript(_TABLES)
            yield store
    except (OSError, sqlite3.Error) as error:
        raise ImportedRulesError(
            f"the imported rules in {path} cannot be used: {error}",
            "Delete that file and import again, or set ECGWM_HOME to another folder.",
        ) from error
