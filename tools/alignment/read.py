"""A user's own episodes: a CSV or JSON-lines file with paths of ECGs and patient files."""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from tools.alignment.episode import BUILT_IN, Episode, EpisodesError
from worldmodel.ecg import Ecg

KINDS = (".csv", ".jsonl")
COLUMNS = tuple(field.name for field in fields(Episode))
NEEDED = ("id", "subject", "ecg", "patient", "prescribed")


def read_episodes(path: Path) -> list[Episode]:
    """The episodes of a file, in its order; paths count from its folder.

    A row that lacks an ECG, a patient or a prescription is an episode that will fail with that reason; one without id
    or subject, or with an id that another has, is no episode. Raises EpisodesError naming line and column.
    """
    episodes: list[Episode] = []
    seen: set[str] = set()
    for number, row in _rows(path):
        episode = _episode(row, path, number)
        if episode.id in seen:
            raise EpisodesError(
                f"{path}, line {number}: the id {episode.id!r} is there twice",
                "Give each episode its own id.",
            )
        seen.add(episode.id)
        episodes.append(episode)
    if not episodes:
        raise EpisodesError(f"{path} holds no episodes.", f"It needs the columns {', '.join(NEEDED)}.")
    return episodes


def fingerprint(episodes: Iterable[Episode]) -> str:
    """SHA-256 of what the episodes say; ECGs and patients that are files count by their paths."""
    told = hashlib.sha256()
    for episode in episodes:
        told.update(json.dumps([_said(value) for value in vars(episode).values()], sort_keys=True).encode())
    return told.hexdigest()


def _said(value: Any) -> Any:
    if isinstance(value, Ecg):
        return hashlib.sha256(value.samples_mv.tobytes()).hexdigest()
    return str(value) if isinstance(value, Path) else value


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line number and columns of each row."""
    if path.suffix.lower() not in KINDS:
        raise EpisodesError(
            f"{path} is neither of {', '.join(KINDS)}.", "Write the episodes as CSV or JSON lines."
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from (_csv_rows if path.suffix.lower() == ".csv" else _json_rows)(path, file)
    except OSError as error:
        raise EpisodesError(f"cannot read {path}: {error.strerror}", "Check the path.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise EpisodesError(f"{path} cannot be read: {error}", "Write it in UTF-8.") from error


def _csv_rows(path: Path, file: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    table = csv.DictReader(file)
    _check(path, 1, table.fieldnames or (), NEEDED)
    for row in table:
        if None in row or None in row.values():
            raise EpisodesError(
                f"{path}, line {table.line_num}: the row has another number of columns than the first line",
                "Put values that hold a comma in quotes.",
            )
        yield table.line_num, {name: value.strip() or None for name, value in row.items()}


def _json_rows(path: Path, file: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise EpisodesError(
                f"{path}, line {number} is not JSON: {error}", "Write one object a line."
            ) from error
        if not isinstance(row, dict):
            raise EpisodesError(f"{path}, line {number} holds no JSON object.", "Write one object a line.")
        _check(path, number, row, ("id", "subject"))
        yield number, row


def _check(path: Path, number: int, names: Any, needed: tuple[str, ...]) -> None:
    lacking = [name for name in needed if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if lacking or unknown:
        what = f"lacks {', '.join(lacking)}" if lacking else f"has the unknown column {unknown[0]!r}"
        raise EpisodesError(f"{path}, line {number} {what}.", f"Known columns: {', '.join(COLUMNS)}.")


def _episode(row: Mapping[str, Any], path: Path, number: int) -> Episode:
    for name in ("id", "subject"):
        if row.get(name) in (None, ""):
            raise EpisodesError(
                f"{path}, line {number}: {name} is empty", "Each episode has an id and a subject."
            )
    texts = {name: str(row[name]) for name in COLUMNS if row.get(name) not in (None, "")}
    ecg, patient = row.get("ecg") or "", row.get("patient") or ""
    texts.pop("ecg", None)
    texts.pop("patient", None)
    return Episode(
        ecg=ecg if ecg in ("", BUILT_IN) else path.parent / str(ecg),
        patient=patient if isinstance(patient, dict) else path.parent / str(patient) if patient else {},
        **{"prescribed": "", **texts},
    )
