"""Formats of rules from elsewhere: DDInter's CSV, labels of openFDA, a list of QT drugs; and tables in general."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from knowledge.drugs import Catalogue
from knowledge.errors import ImportFileError
from knowledge.imported import Import, Pair, exact_drug, exact_names
from knowledge.rules import Severity

# An interaction of unknown weight is not a harmless one.
_DDINTER: Mapping[str, Severity] = {"major": "W", "moderate": "C", "minor": "I", "unknown": "C"}
_QT_CLASSES: Mapping[str, tuple[str, ...]] = {
    "known": ("qt_known", "qt_prolonging"),
    "possible": ("qt_other", "qt_prolonging"),
    "conditional": ("qt_other", "qt_prolonging"),
    "special": ("qt_other", "qt_prolonging"),
}
_QT_CODES = {"r": "known", "kr": "known", "p": "possible", "pr": "possible", "c": "conditional"} | {
    "cr": "conditional",
    "sr": "special",
    "avoid": "special",
    "drugs": "special",
}
QT_NAMES = ("generic name", "generic", "drug name", "drug", "name")
QT_RISKS = ("risk category", "tdp risk category", "risk", "tdp risk", "category", "credible category")
OPENFDA_LICENCE = "CC0 unless noted (open.fda.gov/license)"
_SECTIONS: Mapping[str, Severity] = {
    "contraindications": "W",
    "boxed_warning": "W",
    "drug_interactions": "C",
    "warnings": "C",
    "warnings_and_cautions": "C",
}


def content(**found: Any) -> Import:
    """The content of a file; `read_import` says the rest."""
    return Import(name="", kind="", licence=found.pop("licence", ""), file="", **found)


def read_ddinter(path: Path, text: str, _catalogue: Catalogue) -> Import:
    """DDInter's export: DDInterID_A, Drug_A, DDInterID_B, Drug_B, Level."""
    return content(
        pairs=[
            Pair(
                row["drug a"].lower(),
                row["drug b"].lower(),
                severity_of(row["level"], _DDINTER, path, line),
                f"{row['drug a']} with {row['drug b']}: {row['level'].lower()} interaction (DDInter)",
            )
            for line, row in rows_of(path, text, ("drug a", "drug b", "level"))
        ]
    )


def read_qt_drugs(path: Path, text: str, catalogue: Catalogue) -> Import:
    """A list of drugs with their risk of torsades: they join the classes that the QT rules speak of."""
    header = header_of(text)
    name_column = next((name for name in QT_NAMES if name in header), "generic name")
    risk_column = next((name for name in QT_RISKS if name in header), "risk category")
    members: dict[str, list[str]] = {}
    not_mapped: list[str] = []
    for line, row in rows_of(path, text, (name_column, risk_column)):
        word = re.split(r"[^a-z]+", row[risk_column].lower())[0]
        risk = _QT_CODES.get(word, word)
        if risk not in _QT_CLASSES:
            raise ImportFileError(
                f"{path.name}, line {line}: {row[risk_column]!r} is no category of risk",
                "Write known, possible, conditional or special (R, P, C, SR).",
            )
        drug = exact_drug(row[name_column], catalogue)
        if drug is None:
            not_mapped.append(row[name_column])
            continue
        for group in _QT_CLASSES[risk]:
            members.setdefault(group, []).append(drug)
    return content(members=members, not_mapped=not_mapped)


def read_openfda(path: Path, text: str, catalogue: Catalogue) -> Import:
    """Labels of api.fda.gov: the drugs that their sections on contraindications and interactions name."""
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise ImportFileError(f"{path.name}, line {line}: not JSON", "Save the answer of openFDA.") from error
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(results, list) or not all(isinstance(label, dict) for label in results):
        raise ImportFileError(f"{path.name}, line 1: no list of results", "Save the answer of openFDA.")
    known = exact_names(catalogue)
    names = re.compile(
        r"(?<![\w-])(" + "|".join(map(re.escape, sorted(known, key=len, reverse=True))) + r")(?![\w-])"
    )
    pairs: dict[tuple[str, str, str], Pair] = {}
    not_mapped: list[str] = []
    for at, label in enumerate(results, 1):
        own = _label_names(label, path, at)
        of_label = {name: drug for name in own if (drug := exact_drug(name, catalogue))}
        not_mapped += () if of_label else own
        for section, severity in _SECTIONS.items():
            for sentence in _sentences(label.get(section)):
                for mention in dict.fromkeys(names.findall(sentence.lower())):
                    for subject, drug in of_label.items():
                        if known[mention] != drug:
                            said = f"{subject} label, {section.replace('_', ' ')}: {sentence[:240]}"
                            pairs.setdefault(
                                (subject, mention, severity), Pair(subject, mention, severity, said)
                            )
    meta = document.get("meta")
    licence = meta.get("license") if isinstance(meta, dict) else None
    said = f"{OPENFDA_LICENCE}; {licence}" if licence else ""
    return content(pairs=list(pairs.values()), licence=said, not_mapped=not_mapped)


def _label_names(label: Mapping[str, Any], path: Path, at: int) -> list[str]:
    """The generic names of one label, of a combination each part."""
    about = label.get("openfda") or {}
    written = (
        about.get("generic_name") or about.get("substance_name") or [] if isinstance(about, dict) else []
    )
    if not isinstance(written, list):
        raise ImportFileError(f"{path.name}, result {at}: generic_name is no list", "Save the answer anew.")
    parts = (
        part.strip().lower() for name in written for part in re.split(r",| and |/", str(name), flags=re.I)
    )
    return list(dict.fromkeys(part for part in parts if part))


def _sentences(section: Any) -> Iterator[str]:
    for paragraph in section if isinstance(section, list) else ():
        yield from (part.strip() for part in re.split(r"(?<=[.;])\s+|\n", str(paragraph)) if part.strip())


def severity_of(said: str, known: Mapping[str, Severity], path: Path, line: int) -> Severity:
    severity = known.get(said.strip().lower())
    if severity is None:
        raise ImportFileError(
            f"{path.name}, line {line}: {said!r} is no severity", f"Write one of: {', '.join(known)}."
        )
    return severity


def header_of(text: str) -> list[str]:
    first = text.split("\n", 1)[0].rstrip("\r")
    return [_column(name) for name in next(csv.reader([first], delimiter=_delimiter(first)), [])]


def _column(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name.strip().lower())


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def rows_of(path: Path, text: str, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file as dictionaries, with the line each ends on; `needed` is in each of them."""
    header = header_of(text)
    if lacking := [name for name in needed if name not in header]:
        raise ImportFileError(
            f"{path.name}, line 1: no column {lacking[0]!r}", f"It needs {', '.join(needed)}."
        )
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_delimiter(text.split("\n", 1)[0]), strict=True
    )
    try:
        next(reader)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise ImportFileError(
                    f"{path.name}, line {reader.line_num}: {len(cells)} cells under {len(header)} columns",
                    "Mend that line; a cell with a comma in it needs quotes.",
                )
            row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
            if empty := next((name for name in needed if not row[name]), None):
                raise ImportFileError(f"{path.name}, line {reader.line_num}: no {empty}", "Fill it in.")
            yield reader.line_num, row
    except csv.Error as error:
        raise ImportFileError(f"{path.name}, line {reader.line_num}: {error}", "Mend that line.") from error
