"""Readers of rules from elsewhere: the user's own (YAML, CSV), DDInter, openFDA labels, a list of QT drugs.

Each gives one `Import`, or raises ImportFileError naming file and line. What a text says is read with
reserve: a pair from running text warns, and never blocks by itself.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from knowledge.drugs import Catalogue, explain
from knowledge.errors import CatalogueError, ImportFileError
from knowledge.import_formats import (
    OPENFDA_LICENCE,
    QT_NAMES,
    QT_RISKS,
    content,
    header_of,
    read_ddinter,
    read_openfda,
    read_qt_drugs,
    rows_of,
    severity_of,
)
from knowledge.imported import Import, OwnRule, Pair, exact_drug
from knowledge.rules import Severity

Kind = Literal["own rules", "DDInter", "openFDA labels", "QT drugs"]
LICENCES: Mapping[Kind, str] = {
    "own rules": "your own",
    "DDInter": "CC BY-NC-SA 4.0, not for commercial use (ddinter2.scbdd.com/terms)",
    "openFDA labels": OPENFDA_LICENCE,
    "QT drugs": "under your own licence with its publisher (CredibleMeds: not to be redistributed)",
}
_SEVERITIES: Mapping[str, Severity] = {
    "b": "B", "block": "B", "blocked": "B", "contraindicated": "B",
    "w": "W", "warning": "W", "major": "W",
    "c": "C", "caution": "C", "moderate": "C",
    "i": "I", "info": "I", "minor": "I",
}  # fmt: skip
_LISTED = ("drugs", "but_not", "partners", "partners_but_not", "allergens", "route", "partner_route")
_RULE_COLUMNS = (
    "when", "dose", "partner_dose", "route", "partner_route", "allergens", "but_not", "kind", "indication",
    "formulation", "within_h", "within_half_lives", "advice",
)  # fmt: skip


def read_import(
    path: Path, catalogue: Catalogue, kind: Kind | None = None, licence: str | None = None
) -> Import:
    """Read a file of rules; its kind is told by its content unless it is said. Raises ImportFileError."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ImportFileError(f"cannot read {path}: {error.strerror}", "Check the path.") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ImportFileError(f"{path.name}, line {line}: not UTF-8", "Save the file as UTF-8.") from error
    kind = kind or _kind_of(path, text)
    if kind == "own rules" and path.suffix.lower() in (".yaml", ".yml"):
        found = _own_yaml(path, text, catalogue)
    else:
        reader = {
            "own rules": _own_csv, "DDInter": read_ddinter, "openFDA labels": read_openfda, "QT drugs": read_qt_drugs
        }[kind]  # fmt: skip
        found = reader(path, text, catalogue)
    names = {name for pair in found.pairs for name in (pair.one, pair.other)}
    names = {name for name in names if exact_drug(name, catalogue) is None}
    return Import(
        name=_name(path),
        kind=kind,
        licence=licence or found.licence or LICENCES[kind],
        file=path.name,
        rules=found.rules,
        pairs=found.pairs,
        members=found.members,
        not_mapped=tuple(sorted({*names, *found.not_mapped})),
    )


def _name(path: Path) -> str:
    """Of the import of a file, and before the ids of its rules."""
    return re.sub(r"[^\w.-]+", "_", path.stem)


def _kind_of(path: Path, text: str) -> Kind:
    if path.suffix.lower() in (".yaml", ".yml"):
        return "own rules"
    if path.suffix.lower() == ".json":
        return "openFDA labels"
    header = set(header_of(text))
    if {"drug a", "drug b", "level"} <= header:
        return "DDInter"
    if {"drug", "severity"} <= header:
        return "own rules"
    if header.intersection(QT_NAMES) and header.intersection(QT_RISKS):
        return "QT drugs"
    raise ImportFileError(
        f"{path.name}, line 1: these columns are of no format known here: {', '.join(sorted(header))}",
        "Own rules need drug, severity, text; DDInter has Drug_A, Drug_B, Level; a QT list a name and a risk.",
    )


def _own_yaml(path: Path, text: str, catalogue: Catalogue) -> Import:
    """`rules:`, a list of rules as in the package, but examples, kind and source may be left out."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none is a ValueError
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        said = getattr(error, "problem", None) or str(error)
        raise ImportFileError(f"{path.name}{where}: {said}", "Mend the YAML.") from error
    entries = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not isinstance(tree, yaml.MappingNode):
        raise ImportFileError(f"{path.name}, line 1: no list of rules", "Begin with: rules:")
    nodes = next(value for key, value in tree.value if key.value == "rules").value
    rules = [
        _own_rule(entry, path, node.start_mark.line + 1, catalogue)
        for entry, node in zip(entries, nodes, strict=True)
    ]
    return content(rules=_unique(rules, path, [node.start_mark.line + 1 for node in nodes]))


def _own_csv(path: Path, text: str, catalogue: Catalogue) -> Import:
    """Columns drug, severity, text, and any of partner, source, id and the other fields of a rule.

    Lists are separated by semicolons. A row of just two drugs is a pair, and may name drugs that the
    catalogue does not know; any other row is a rule.
    """
    rules, lines, pairs = [], [], []
    for line, row in rows_of(path, text, ("drug", "severity", "text")):
        severity = severity_of(row["severity"], _SEVERITIES, path, line)
        partner = row.get("partner", "")
        plain = not any(row.get(column.replace("_", " ")) for column in _RULE_COLUMNS)
        if plain and partner and not any(_is_class(name, catalogue) for name in (row["drug"], partner)):
            source = f" ({row['source']})" if row.get("source") else ""
            pairs.append(Pair(row["drug"].lower(), partner.lower(), severity, row["text"] + source))
            continue
        entry: dict[str, Any] = {
            "id": row.get("id") or f"line-{line}",
            "severity": severity,
            "text": row["text"],
            "drugs": row["drug"],
        }
        entry |= {"partners": partner} if partner else {}
        entry |= {"source": row["source"]} if row.get("source") else {}
        for column in _RULE_COLUMNS:
            if value := row.get(column.replace("_", " ")):
                entry[column] = value
        for column in _LISTED:
            if isinstance(entry.get(column), str):
                entry[column] = [part.strip() for part in entry[column].split(";") if part.strip()]
        rules.append(_own_rule(entry, path, line, catalogue))
        lines.append(line)
    return content(rules=_unique(rules, path, lines), pairs=pairs)


def _own_rule(entry: Any, path: Path, line: int, catalogue: Catalogue) -> OwnRule:
    """One rule of the user's, its drugs by any name, its id marked as not one of ours."""
    if not isinstance(entry, dict):
        raise ImportFileError(f"{path.name}, line {line}: no rule", "Write id, severity, text, drugs.")
    entry = {"source": f"a rule of your own ({path.name})"} | entry
    if isinstance(entry.get("severity"), str):
        entry["severity"] = severity_of(entry["severity"], _SEVERITIES, path, line)
    if entry.get("id"):
        entry["id"] = f"{_name(path)}:{entry['id']}"
    for column in ("drugs", "but_not", "partners", "partners_but_not"):
        names = entry.get(column)
        if isinstance(names, list):
            entry[column] = [_drug_or_class(str(name), path, line, catalogue) for name in names]
    try:
        return OwnRule.model_validate(entry)
    except (ValidationError, CatalogueError) as error:
        said = explain(error) if isinstance(error, ValidationError) else error.message
        raise ImportFileError(f"{path.name}, line {line}: {said}", "Mend that rule.") from error


def _is_class(name: str, catalogue: Catalogue) -> bool:
    return catalogue.is_class(_class_name(name))


def _class_name(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _drug_or_class(name: str, path: Path, line: int, catalogue: Catalogue) -> str:
    if _is_class(name, catalogue):
        return _class_name(name)
    if drug := exact_drug(name, catalogue):
        return drug
    raise ImportFileError(
        f"{path.name}, line {line}: {name!r} is neither a drug nor a class of the catalogue",
        "Name it as `kb show` does.",
    )


def _unique(rules: list[OwnRule], path: Path, lines: list[int]) -> list[OwnRule]:
    """The rules, if no id occurs twice and no two say different things of the same case."""
    ids: dict[str, int] = {}
    cases: dict[str, tuple[str, int]] = {}
    for rule, line in zip(rules, lines, strict=True):
        if rule.id in ids:
            raise ImportFileError(
                f"{path.name}, line {line}: the id {rule.id!r} is that of line {ids[rule.id]}",
                "Name it anew.",
            )
        ids[rule.id] = line
        severity, before = cases.setdefault(rule.case(), (rule.severity, line))
        if severity != rule.severity:
            raise ImportFileError(
                f"{path.name}, line {line}: contradicts line {before} ({rule.severity}, and {severity})",
                "Keep one of the two.",
            )
    return rules
