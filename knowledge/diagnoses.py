"""Which diagnoses of the knowledge base a chart records: by ICD-10 prefix, SNOMED code, or phrase of its text."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from pydantic import ValidationError

from knowledge.drugs import DATA, Record, explain, read_yaml
from knowledge.errors import CatalogueError

# A phrase that follows one of these in the same clause is not a diagnosis of this patient.
_DENIED = re.compile(
    r"\b(no|not|denies|denied|without|negative for|ruled out|excluded|family history|family hx|fhx?|mother|father)\b"
    r"[^,;.]*$"
)
# One before these words is none either.
_REFUTED = re.compile(r"^ ?(?:(?:was|is|has been) )?(?:ruled out|excluded|negative)\b")
_EJECTION_FRACTION = re.compile(
    r"\b(?:(?:lv)?ef|ejection fraction)\b\D{0,12}?(\d{1,2})\b(?:\s*(?:to|–)?\s*(\d{1,2})\b)?(?!\s*[/\d.])"
)
LOW_EF_PERCENT = 40


class Diagnosis(Record):
    """ICD-10 prefixes, SNOMED codes and phrases; `includes` are diagnoses that are kinds of this one."""

    icd10: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def load_diagnoses() -> Mapping[str, Diagnosis]:
    """All diagnoses rules may name. Raises CatalogueError."""
    try:
        entries = {k: Diagnosis.model_validate(v) for k, v in read_yaml(DATA / "diagnoses.yaml").items()}
    except ValidationError as error:
        raise CatalogueError(f"diagnoses.yaml: {explain(error)}", "Mend the entry.") from error
    for name, entry in entries.items():
        for part in entry.includes:
            if part not in entries:
                raise CatalogueError(f"diagnoses.yaml: {name} includes unknown {part!r}", "Mend the entry.")
    return entries


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, tuple[str, ...], re.Pattern[str] | None], ...]:
    return tuple(
        (
            name,
            tuple(code.replace(".", "").upper() for code in entry.icd10),
            re.compile(
                r"(?<![\w-])(" + "|".join(re.escape(_plain(phrase)) for phrase in entry.text) + r")(?![\w-])"
            )
            if entry.text
            else None,
        )
        for name, entry in load_diagnoses().items()
    )


def diagnoses_in(code: str | None, text: str) -> frozenset[str]:
    """Names of the diagnoses that one entry of a chart is, with those that include them.

    code: of ICD-10 or SNOMED; the latter are numbers, and the former never.
    """
    return _diagnoses_in((code or "").replace(".", "").strip().upper(), _plain(text))


def _plain(text: str) -> str:
    """Lower case, hyphens as blanks; "non-ischaemic" stays one word, as it denies nothing else.

    The Parkinson of Wolff, Parkinson and White is no Parkinson's disease, and a first degree heart block is not
    one that heart block alone would mean.
    """
    words = re.sub(r"[\s-]+", " ", re.sub(r"['’°]", "", text.lower().replace("non-", "non")))
    words = re.sub(r"\bwolff parkinson(?: white)?\b", "wpw", words)
    words = re.sub(
        r"\b(first|1st) degree (?:heart|avb|atrioventricular)\b(?: block)?", r"\1 degree av block", words
    )
    return re.sub(r"\bavb\b", "av block", words)


@lru_cache(maxsize=4096)
def _diagnoses_in(code: str, text: str) -> frozenset[str]:
    coded = {name for name, entry in load_diagnoses().items() if code in entry.snomed}
    found = coded | {
        name
        for name, codes, phrase in _patterns()
        if (code and code.startswith(codes) and codes)
        or (phrase and any(_is_said(text, hit) for hit in phrase.finditer(text)))
    }
    if any(float(hit[2] or hit[1]) <= LOW_EF_PERCENT for hit in _EJECTION_FRACTION.finditer(text)):
        found.add("hfref")
    return _widened(found)


def _is_said(text: str, hit: re.Match[str]) -> bool:
    """Whether a phrase stands there as a diagnosis of this patient."""
    return not _DENIED.search(text[: hit.start()]) and not _REFUTED.search(text[hit.end() :])


def _widened(found: Iterable[str]) -> frozenset[str]:
    entries = load_diagnoses()
    wide = set(found)
    while wider := {
        name for name, entry in entries.items() if name not in wide and wide & set(entry.includes)
    }:
        wide |= wider
    return frozenset(wide)
