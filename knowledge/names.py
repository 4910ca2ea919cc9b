"""Names of drugs: exact, alias, brand, salt, then one or two typing errors. Never a guess between two.

A wrong drug is far worse than an unresolved one: what is left of a text besides the drug's name has
to be understood (forms, vehicles, salts, doses), or the text does not name the drug.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge.drugs import DATA, Catalogue, Drug


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


@lru_cache(maxsize=1)
def _forms() -> frozenset[str]:
    lines = (DATA / "forms.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=4)
def _index(catalogue: Catalogue) -> dict[tuple[str, ...], tuple[Drug, ...]]:
    """Every name as a tuple of words."""
    index: dict[tuple[str, ...], tuple[Drug, ...]] = {}
    for drug in catalogue:
        for name in (drug.id.replace("_", " "), *drug.names):
            words = tuple(_words(name))
            if words and drug not in index.get(words, ()):
                index[words] = (*index.get(words, ()), drug)
    return index


@lru_cache(maxsize=4)
def _longest(catalogue: Catalogue) -> int:
    return max(map(len, _index(catalogue)))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9%.]*[a-z][a-z0-9]*(?:'[a-z]+)?", text.lower().replace("'", ""))


def _spans(words: list[str], catalogue: Catalogue) -> list[tuple[int, int, tuple[Drug, ...]]]:
    """Longest names first from the left: (start, end, drugs) in words."""
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


def resolve_drug(text: str, catalogue: Catalogue) -> Resolution:
    """The one drug a name or a line of a medication table stands for."""
    words = _words(
        re.sub(r"(?<![a-z0-9.])\d[\d.,]*\s*(?:%|mg|mcg|ug|µg|g|gm|meq|units?|ml|mmol)?\b", " ", text.lower())
    )
    if tuple(words) in _index(catalogue):
        return _decide(_index(catalogue)[tuple(words)], "several")
    spans = _spans(words, catalogue)
    inside = {at for start, end, _ in spans for at in range(start, end)}
    rest = [word for at, word in enumerate(words) if at not in inside and word not in _forms()]
    if spans:
        drugs = tuple(dict.fromkeys(drug for _, _, found in spans for drug in found))
        if not rest:
            return _decide(drugs, "combination" if all(len(f) == 1 for _, _, f in spans) else "several")
        if fuzzy := _fuzzy(" ".join(words), catalogue):
            return _decide(fuzzy, "several")
        return Resolution(None, suggestions=drugs, named=True)
    if fuzzy := _fuzzy(" ".join(rest), catalogue):
        return _decide(fuzzy, "several")
    return Resolution(None, suggestions=_near(" ".join(rest), catalogue))


def _decide(drugs: tuple[Drug, ...], several: Literal["several", "combination"]) -> Resolution:
    if len(drugs) == 1:
        return Resolution(drugs[0], "resolved")
    return Resolution(None, several, suggestions=drugs)


def _slips(length: int) -> int:
    """Typing errors a name of that length may have: none in short names, which have too many neighbours."""
    return 0 if length < 6 else 1 if length < 10 else 2


def _fuzzy(name: str, catalogue: Catalogue) -> tuple[Drug, ...]:
    """Drugs whose name differs by a slip or two. The first letter has to be right."""
    from rapidfuzz.distance import OSA

    allowed = _slips(len(name))
    if not allowed:
        return ()
    best: dict[int, list[Drug]] = {}
    for words, drugs in _index(catalogue).items():
        known = " ".join(words)
        if known[0] == name[0] and min(len(known), len(name)) >= 6:
            distance = OSA.distance(name, known, score_cutoff=allowed)
            if distance <= allowed:
                best.setdefault(distance, []).extend(drugs)
    # Two drugs within reach of the same text are a question, even if one is nearer.
    return tuple(dict.fromkeys(drug for distance in sorted(best) for drug in best[distance]))


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
    tokens = list(re.finditer(r"[A-Za-z][A-Za-z0-9'%.]*(?<!\.)", text))
    words = ["".join(_words(token.group())) for token in tokens]
    mentions = [
        Mention(drugs[0], text[tokens[start].start() : tokens[end - 1].end()], tokens[start].start())
        for start, end, drugs in _spans(words, catalogue)
        if len(drugs) == 1
    ]
    taken = {mention.start for mention in mentions}
    for token in tokens:
        if token.start() not in taken and len(token.group()) >= 7:
            fuzzy = _fuzzy(token.group().lower(), catalogue)
            inside = any(m.start <= token.start() < m.start + len(m.text) for m in mentions)
            if len(fuzzy) == 1 and not inside:
                mentions.append(Mention(fuzzy[0], token.group(), token.start()))
    return sorted(mentions, key=lambda mention: mention.start)
