"""A file of measurements that grows line by line and can be gone on with: JSON lines, or CSV with a row each."""

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from tools.errors import OutputError, UsageError
from tools.measure import Recording, ShapeFound, VariabilityFound
from tools.tally import Entry
from worldmodel.measurement import Intervals

KINDS = (".jsonl", ".csv")
_INTERVALS = tuple(field.name for field in fields(Intervals))
_SHAPE, _VARIABILITY = tuple(ShapeFound.model_fields), tuple(VariabilityFound.model_fields)
_COLUMNS = (
    *(
        "file",
        "verdict",
        "rhythm",
        "rhythm_confidence",
        "fs_hz",
        "duration_s",
        "window_start_s",
        "window_end_s",
    ),
    *("leads", "missing_leads", *_INTERVALS, *_SHAPE, *_VARIABILITY),
    *("findings", "quality_reasons", "not_measurable", "warnings", "error", "hint"),
)
_JSON_START = b'{"file":'


class MeasuredFile:
    """Measurements in the file at `path`, opened to go on behind what is there. done: by the path of the recording.

    A line that was cut off when the program was killed is taken away; its recording is measured again. A file
    that holds anything else is left as it is. Raises UsageError for another kind of file, OutputError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._csv = _kind(path) == ".csv"
        self.done: dict[str, Entry] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            end = 0
            if path.exists():
                with path.open("rb") as existing:
                    end = self._read(existing)
            self._file = path.open("ab")
            self._file.truncate(end)
            if self._csv and end == 0:
                self._write(_csv_line(_COLUMNS))
        except OSError as error:
            raise _cannot_write(path, error) from error

    def __enter__(self) -> "MeasuredFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def has(self, file: str) -> bool:
        """Whether the recording of this path is there already."""
        return _place(file) in self.done

    def append(self, recordings: Iterable[Recording]) -> None:
        """Write them and hand them to the system, so that a kill loses nothing of them. Raises OutputError."""
        line = _csv_of if self._csv else _json_of
        try:
            self._write("".join(line(recording) for recording in recordings))
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def _write(self, text: str) -> None:
        self._file.write(text.encode())
        self._file.flush()

    def _read(self, existing: BinaryIO) -> int:
        """Reads what is there into `done`; where the last whole line ends."""
        end = 0
        for number, line in enumerate(existing, start=1):
            if not line.endswith(b"\n"):
                if number == 1 and not self._may_be_ours(line):
                    raise self._not_ours(number)
                break
            if number > 1 or not self._csv:
                entry = self._entry(line)
                if entry is None:
                    raise self._not_ours(number)
                self.done[_place(entry.file)] = entry
            elif line != _csv_line(_COLUMNS).encode():
                raise self._not_ours(number)
            end += len(line)
        return end

    def _may_be_ours(self, start: bytes) -> bool:
        ours = _csv_line(_COLUMNS).encode() if self._csv else _JSON_START
        return start.startswith(ours) or ours.startswith(start)

    def _entry(self, line: bytes) -> Entry | None:
        try:
            return (_entry_of_csv if self._csv else _entry_of_json)(line.decode())
        except (ValueError, KeyError, TypeError):
            return None

    def _not_ours(self, number: int) -> OutputError:
        return OutputError(
            f"line {number} of {self.path} is not a measurement of this version, so nothing was written to it",
            "Choose another file with --out, or move this one away.",
        )


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise UsageError(
            f"cannot write measurements as {path.suffix or 'a file without extension'!r}",
            f"Name the file with one of {', '.join(KINDS)}, such as {path.stem or 'measured'}.jsonl.",
        )
    return suffix


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or error}", "Choose another file with --out.")


def _json_of(recording: Recording) -> str:
    return (
        json.dumps(
            recording.model_dump(mode="json"), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        + "\n"
    )


def _entry_of_json(line: str) -> Entry:
    return Entry.of(Recording.model_validate_json(line))


def _csv_of(recording: Recording) -> str:
    quality, rhythm, error = recording.quality, recording.rhythm, recording.error
    start, end = recording.window_s or (None, None)
    values = {
        "file": recording.file,
        "verdict": quality and quality.verdict,
        "rhythm": rhythm and rhythm.label,
        "rhythm_confidence": rhythm and rhythm.confidence,
        "fs_hz": recording.fs_hz,
        "duration_s": recording.duration_s,
        "window_start_s": start,
        "window_end_s": end,
        "leads": " ".join(recording.leads),
        "missing_leads": " ".join(recording.missing_leads),
        **recording.intervals,
        **(recording.shape.model_dump() if recording.shape else {}),
        **(recording.variability.model_dump() if recording.variability else {}),
        "findings": "; ".join(finding.name for finding in recording.findings),
        "quality_reasons": " ".join(quality.reasons) if quality else None,
        "not_measurable": "; ".join(f"{name}: {reason}" for name, reason in recording.not_measurable.items()),
        "warnings": " ".join(recording.warnings),
        "error": error and error.message,
        "hint": error and error.hint,
    }
    return _csv_line([values.get(name) for name in _COLUMNS])


def _csv_line(values: Sequence[object]) -> str:
    """One row in one line, whatever the texts hold, so that a cut-off row is known by its missing end."""
    line = io.StringIO()
    texts = [_one_line(value) if isinstance(value, str) else value for value in values]
    csv.writer(line, lineterminator="\n").writerow(texts)
    return line.getvalue()


def _place(file: str) -> str:
    """One spelling for a file, however its path was given."""
    return _one_line(os.path.realpath(file))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def _entry_of_csv(line: str) -> Entry:
    row = dict(zip(_COLUMNS, next(csv.reader([line])), strict=True))
    return Entry(row["file"], row["verdict"], row["rhythm"], bool(row["warnings"]), row["error"])
