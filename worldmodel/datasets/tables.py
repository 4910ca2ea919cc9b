"""Rows of large CSV tables by subject, in bounded memory: what is wanted of them goes once into one SQLite file.

The one place that reads MIMIC's `.csv.gz`. It needs nothing but Python; another engine has `take` and `of` to offer.
"""

import csv
import gzip
import hashlib
import io
import sqlite3
import weakref
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from worldmodel.errors import DataSetError

_CHUNK = 50_000  # rows in memory at once
Progress = Callable[[float], None]


class Tables:
    """path: the SQLite file. A table is in it whole or not at all, so taking goes on where it stopped."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self.close = weakref.finalize(self, self._db.close)
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA cache_size=-65536")  # 64 MiB
        self._db.execute("CREATE TABLE IF NOT EXISTS taken (name TEXT PRIMARY KEY, what TEXT, seen INTEGER)")

    def take(
        self,
        name: str,
        source: Path,
        columns: Sequence[str],
        subjects: Collection[str] | None = None,
        keep: Mapping[str, Collection[str]] | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Take `columns` of the rows of `subjects` whose cells are among `keep`; how many rows the source has.

        The first column names the subject: its number, or `number-...`, as emar_id does. A column that this version of
        the data set lacks is empty. Raises DataSetError where the source cannot be read or lacks a column of `keep`.
        """
        what = _fingerprint(source, columns, subjects, keep or {})
        found = self._db.execute(
            "SELECT seen FROM taken WHERE name = ? AND what = ?", (name, what)
        ).fetchone()
        if found:
            return int(found[0])
        seen = 0
        self._db.execute("BEGIN")
        try:
            self._db.execute(f'DROP TABLE IF EXISTS "{name}"')
            self._db.execute("DELETE FROM taken WHERE name = ?", (name,))
            named = ", ".join(f'"{column}"' for column in columns[1:])
            self._db.execute(f'CREATE TABLE "{name}" (subject INTEGER, {named})')
            insert = f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})'
            for count, rows in _batches(source, columns, keep or {}, progress):
                seen += count
                named_rows = ((row[0].split("-")[0], *row[1:]) for row in rows)
                self._db.executemany(
                    insert, (row for row in named_rows if subjects is None or row[0] in subjects)
                )
            self._db.execute(f'CREATE INDEX "by_{name}" ON "{name}" (subject)')
            self._db.execute("INSERT INTO taken VALUES (?, ?, ?)", (name, what, seen))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return seen

    def of(self, name: str, subject: int) -> list[dict[str, str]]:
        """The rows of one subject, in the order of the source; none where the table was not taken."""
        if not self._db.execute("SELECT 1 FROM taken WHERE name = ?", (name,)).fetchone():
            return []
        cursor = self._db.execute(f'SELECT * FROM "{name}" WHERE subject = ? ORDER BY rowid', (subject,))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def subjects(self, name: str, at_least: int = 1) -> list[int]:
        """Who has so many rows, in ascending order."""
        query = f'SELECT subject FROM "{name}" GROUP BY subject HAVING count(*) >= ? ORDER BY subject'
        return [int(row[0]) for row in self._db.execute(query, (at_least,))]


def _fingerprint(
    source: Path,
    columns: Sequence[str],
    subjects: Collection[str] | None,
    keep: Mapping[str, Collection[str]],
) -> str:
    """Of all that the rows depend on, so that what was taken from another file or for others is taken again."""
    size = source.stat().st_size if source.is_file() else None
    wanted = None if subjects is None else sorted(subjects)
    kept = {name: sorted(cells) for name, cells in keep.items()}
    return hashlib.sha256(repr((str(source), size, columns, wanted, kept)).encode()).hexdigest()


def _batches(
    source: Path, columns: Sequence[str], keep: Mapping[str, Collection[str]], progress: Progress | None
) -> Iterator[tuple[int, list[tuple[str, ...]]]]:
    """How many rows were read, and those of them that are kept, a chunk at a time."""
    try:
        with source.open("rb") as raw:
            size = max(1, source.stat().st_size)
            content = gzip.GzipFile(fileobj=raw) if source.suffix == ".gz" else raw
            reader = csv.reader(io.TextIOWrapper(content, "utf-8-sig", newline=""))
            header = next(reader, [])
            lacking = [name for name in (columns[0], *keep) if name not in header]
            if lacking:
                raise DataSetError(
                    f"{source} has no column {', '.join(lacking)}.", "Give the table as it was published."
                )
            cells = itemgetter(*(header.index(name) if name in header else -1 for name in columns))
            checks = [(header.index(name), frozenset(wanted)) for name, wanted in keep.items()]
            count, rows = 0, []
            for count, row in enumerate(reader, start=1):
                for place, wanted in checks:
                    if row[place] not in wanted:
                        break
                else:
                    row.append("")  # what a column that is not there stands for
                    rows.append(cells(row))
                if count % _CHUNK == 0:
                    yield _CHUNK, rows
                    rows = []
                    if progress:
                        progress(raw.tell() / size)
            yield count % _CHUNK, rows
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error, IndexError) as error:
        raise DataSetError(
            f"{source} cannot be read: {error}.",
            "It may be cut off; compare its checksum, and copy it again.",
        ) from error
