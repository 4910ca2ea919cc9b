"""The recordings among the files and folders that a user names."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.measure import FileProblem, Recording, file_name
from worldmodel.readers import FORMATS, TABLES
from worldmodel.readers.stated import NOTHING_STATED, Stated


@dataclass(frozen=True)
class Found:
    """files: to be measured; problems: folders that could not be read or hold nothing; passed_over: other files."""

    files: tuple[Path, ...]
    problems: tuple[Recording, ...] = ()
    passed_over: int = 0


def find_recordings(paths: Sequence[str | Path], stated: Stated = NOTHING_STATED) -> Found:
    """What is named, in that order: a file as it is, a folder as all recordings in and below it, sorted by path.

    In a folder a file counts where its content is that of a recording: a WFDB record once, by its header. Tables of
    numbers count where `stated` says what they hold; an index or a list of results is a table, too. Hidden
    files and folders, and links to folders, are left aside.
    """
    files: list[Path] = []
    problems: list[Recording] = []
    passed_over = 0
    for path in map(Path, paths):
        if not path.expanduser().is_dir():
            files.append(path)
            continue
        unreadable: list[OSError] = []
        seen = [(file, _recording_at(file, stated)) for file in _files_below(path.expanduser(), unreadable)]
        recordings = sorted({found for _, found in seen if found})
        others = sum(found is None for _, found in seen)
        problems += [_unreadable(error) for error in unreadable]
        if not recordings and not unreadable:
            problems.append(_nothing_in(path, others))
        files += recordings
        passed_over += others
    return Found(tuple(files), tuple(problems), passed_over)


def _recording_at(path: Path, stated: Stated) -> Path | None:
    """The file that a recording at `path` would be read from, such as the header of a WFDB record."""
    formats = (*FORMATS, *(TABLES if stated.anything else ()))
    return next((found for known in formats if (found := known.locate(path)) is not None), None)


def _files_below(folder: Path, unreadable: list[OSError]) -> Iterator[Path]:
    for here, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(here) / name for name in files if not name.startswith("."))


def _unreadable(error: OSError) -> Recording:
    message = f"The folder cannot be read: {error.strerror}."
    return _problem(error.filename, message, "Check its permissions, or name another one.")


def _nothing_in(folder: Path, others: int) -> Recording:
    there = f"{others} other file{'s' * (others != 1)}" if others else "no file at all"
    hint = "Name another folder. Tables of numbers (CSV, NumPy) need --fs, --unit and --leads to be measured."
    return _problem(folder, f"The folder holds no recording, and {there}.", hint)


def _problem(path: str | Path, message: str, hint: str) -> Recording:
    return Recording(file=file_name(path), error=FileProblem(message=message, hint=hint))
