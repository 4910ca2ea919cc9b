"""Names of drugs: exact, alias, brand, salt, then a slip of the pen. Never a guess between two.

A wrong drug is far worse than an unresolved one: what is left of a text besides the drug's name has
to be understood (forms, vehicles, salts, doses), or the text does not name the drug. And a name that
is, or could be, that of a drug outside the catalogue is no slip of one inside it.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge.drugs import DATA, Catalogue, Drug, read_yaml

VEHICLE = "vehicle"  # the class of fluids that drugs are given in
_AMOUNTS = re.compile(r"(?<![a-z0-9.])\d[\d.,]*\s*(?:%|mg|mcg|ug|μg|g|gm|meq|units?|ml|mmol)?\b")
_WORDS = re.compile(r"[a-z0-9%.]*[a-z][a-z0-9]*")

Words = tuple[str, ...]
Span = tuple[int, int, tuple[Drug, ...]]  # from, to, in words; the drugs of that name


@dataclass(frozen=True)
class Resolution:
    """A drug; or none, and then what it might have been.

    how: resolved; several (one name that several drugs share); combination (one text that names
    several, as tablets of two drugs do); unknown, and then `named` says that the text does hold the
    names of its suggestions, but also words that are not understood.
    """

    drug: Drug | None
    how: Literal["resolved", "several", "combination", "unknown"] = "unknown"
    suggestions: tuple[Drug, ...] = ()
    named: bool = False

    @property
    def ambiguous(self) -> bool:
        """Whether the text names more than one drug."""
        return self.how in ("several", "combination")


@dataclass(frozen=True)
class Mention:
    """A drug named in running text, and where."""

    drug: Drug
    text: str
    start: int


@lru_cache
def _listed(file: str) -> frozenset[str]:
    lines = (DATA / file).read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def names_of_several() -> dict[str, list[str]]:
    """Every name that stands for several drugs, with their ids."""
    return {name: ids for group in _shared().values() for name, ids in group.items()}


def look_alikes_listed() -> frozenset[str]:
    """Names of drugs outside the catalogue that are no slip of one inside it."""
    return _listed("strangers.txt")


@lru_cache(maxsize=1)
def _shared() -> dict[str, dict[str, list[str]]]:
    """Names of several drugs: `several`, one of which is meant, and `together`, all of which are."""
    shared: dict[str, dict[str, list[str]]] = read_yaml(DATA / "shared_names.yaml")
    return shared


@lru_cache(maxsize=4)
def _index(catalogue: Catalogue) -> dict[Words, tuple[Drug, ...]]:
    """Every name as a tuple of words; names that several drugs share have them all."""
    index: dict[Words, tuple[Drug, ...]] = {}
    for drug in catalogue:
        for name in (drug.id.replace("_", " "), *drug.names):
            words = _words(name)
            if words and drug not in index.get(words, ()):
                index[words] = (*index.get(words, ()), drug)
    for name, ids in _shared()["several"].items():
        if shared := tuple(catalogue.get(drug_id) for drug_id in ids if drug_id in catalogue):
            index[_words(name)] = shared
    return index


@lru_cache(maxsize=4)
def _run_together(catalogue: Catalogue) -> dict[str, tuple[Drug, ...]]:
    """Names without their spaces: "nor epinephrine" and "potassiumchloride" are no other drugs."""
    return {"".join(words): drugs for words, drugs in _index(catalogue).items() if len("".join(words)) >= 6}


@lru_cache(maxsize=4)
def _but_for_one(catalogue: Catalogue) -> dict[Words, dict[str, tuple[Drug, ...]]]:
    """Names by all of their words but one (""), and then by that one."""
    names: dict[Words, dict[str, tuple[Drug, ...]]] = {}
    for words, drugs in _index(catalogue).items():
        for at, word in enumerate(words):
            names.setdefault((*words[:at], "", *words[at + 1 :]), {})[word] = drugs
    return names


@lru_cache(maxsize=4)
def _longest(catalogue: Catalogue) -> int:
    return max(map(len, _index(catalogue)))


def _plain(text: str) -> str:
    """Lower case, without accents, apostrophes and the other look-alikes of Unicode."""
    letters = unicodedata.normalize("NFKD", text.lower()).replace("'", "").replace("’", "")
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _words(text: str) -> Words:
    return tuple(_WORDS.findall(_plain(text)))


def without_salt(name: str) -> str:
    """A name without the salt it ends with: "sotalol hydrochloride" is sotalol."""
    words = _words(name)
    while len(words) > 1 and words[-1] in _listed("salts.txt"):
        words = words[:-1]
    return " ".join(words)


def _parts(words: Words, catalogue: Catalogue) -> Words:
    """The words, with the drugs of a fixed combination in place of its brand."""
    parts: list[str] = []
    for word in words:
        ids = _shared()["together"].get(word, ())
        if ids and all(drug_id in catalogue for drug_id in ids):
            parts += [part for drug_id in ids for part in _words(catalogue.get(drug_id).name)]
        else:
            parts.append(word)
    return tuple(parts)


def _spans(words: Words, catalogue: Catalogue) -> list[Span]:
    """Longest names first from the left."""
    index, longest = _index(catalogue), _longest(catalogue)
    spans, at = [], 0
    while at < len(words):
        for size in range(min(longest, len(words) - at), 0, -1):
            if drugs := index.get(tuple(words[at : at + size])):
                spans.append((at, at + size, drugs))
                at += size
                break
        else:
            at += 1
    return spans


def _meant(spans: list[Span], words: Words, catalogue: Catalogue) -> list[Span]:
    """Without what only accompanies a drug: its salt, the fluid it is in, the group that it belongs to."""
    vehicles = catalogue.members(VEHICLE) if catalogue.is_class(VEHICLE) else frozenset()

    def accompanies(span: Span) -> bool:
        start, end, drugs = span
        others = [other for other in spans if other is not span]
        return (
            (
                _listed("salts.txt").issuperset(words[start:end])
                and any(before == start for _, before, _ in others)
            )
            or vehicles.issuperset(drug.id for drug in drugs)
            or any(len(found) == 1 < len(drugs) and found[0] in drugs for _, _, found in others)
        )

    return [span for span in spans if not accompanies(span)] or spans


def resolve_drug(text: str, catalogue: Catalogue) -> Resolution:
    """The one drug a name or a line of a medication table stands for."""
    words = _parts(_words(_AMOUNTS.sub(" ", _plain(text))), catalogue)
    found = _spans(words, catalogue)
    spans = _meant(found, words, catalogue)
    inside = {at for start, end, _ in found for at in range(start, end)}
    silent = _listed("forms.txt")
    if not all(_listed("salts.txt").issuperset(words[start:end]) for start, end, _ in spans):
        silent |= _listed("salts.txt")
    rest = [word for at, word in enumerate(words) if at not in inside and word not in silent]
    drugs = tuple(dict.fromkeys(drug for _, _, named in spans for drug in named))
    if spans and not rest:
        return _decide(drugs, "combination" if all(len(named) == 1 for _, _, named in spans) else "several")
    slips = _slipped(tuple(w for at, w in enumerate(words) if at in inside or w not in silent), catalogue)
    if slips:
        return _decide(slips, "several")
    if spans:
        return Resolution(None, suggestions=drugs, named=True)
    if _listed("strangers.txt").intersection(rest):
        return Resolution(None)
    return Resolution(None, suggestions=_near(" ".join(rest), catalogue))


def _decide(drugs: tuple[Drug, ...], several: Literal["several", "combination"]) -> Resolution:
    if len(drugs) == 1:
        return Resolution(drugs[0], "resolved")
    return Resolution(None, several, suggestions=drugs)


def _slips(word: str) -> int:
    """Typing errors a word may have: none in short words, which have too many neighbours."""
    return 0 if len(word) < 7 else 1 if len(word) < 12 else 2


def _slipped(words: Words, catalogue: Catalogue) -> tuple[Drug, ...]:
    """Drugs whose name has the same words but for a slip of the pen in one, or other spaces.

    The first letter has to be right. Another drug with one slip more makes it a question, and one
    outside the catalogue makes it nothing.
    """
    if same := _run_together(catalogue).get("".join(words)):
        return same
    hits: list[Drug] = []
    for at, word in enumerate(words):
        named = _but_for_one(catalogue).get((*words[:at], "", *words[at + 1 :]), {})
        near = {known: distance for known, distance in _within(word, named) if known[0] == word[0]}
        if near and min(near.values()) <= _slips(word):
            if _within(word, _listed("strangers.txt")):
                return ()
            hits += [drug for known in near for drug in named[known]]
    return tuple(dict.fromkeys(hits))


def _within(word: str, names: Collection[str]) -> list[tuple[str, int]]:
    """The names that are at most one typing error further off than a slip of that word, and how far."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    slips = _slips(word)
    if not slips:
        return []
    near = process.extract(word, list(names), scorer=OSA.distance, score_cutoff=slips + 1, limit=None)
    return [(name, int(distance)) for name, distance, _ in near]


def _near(name: str, catalogue: Catalogue) -> tuple[Drug, ...]:
    """Up to three drugs the writer may have meant; only ever a suggestion."""
    from rapidfuzz import fuzz, process

    if not name:
        return ()
    known = {" ".join(words): drugs for words, drugs in _index(catalogue).items()}
    hits = process.extract(name, list(known), scorer=fuzz.ratio, limit=6, score_cutoff=70)
    return tuple(dict.fromkeys(drug for text, _, _ in hits for drug in known[text]))[:3]


def find_drugs_in(text: str, catalogue: Catalogue) -> list[Mention]:
    """Drugs named in running text, in order; names that several drugs share are left out."""
    tokens = list(re.finditer(r"[^\W\d_][\w'’%.]*(?<!\.)", text))
    words = tuple("".join(_words(token.group())) for token in tokens)
    mentions = [
        Mention(drugs[0], text[tokens[start].start() : tokens[end - 1].end()], tokens[start].start())
        for start, end, drugs in _spans(words, catalogue)
        if len(drugs) == 1
    ]
    inside = {at for mention in mentions for at in range(mention.start, mention.start + len(mention.text))}
    for token, word in zip(tokens, words, strict=True):
        if token.start() not in inside and _slips(word):
            slips = _slipped((word,), catalogue)
            if len(slips) == 1:
                mentions.append(Mention(slips[0], token.group(), token.start()))
    return sorted(mentions, key=lambda mention: mention.start)
