"""What a run over many recordings comes to: how many of which quality and rhythm, and what could not be read."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tools.measure import FileFailed, Recording, Summary, file_name

MOST_ERRORS = 20  # told by name; the others are counted


class Entry(NamedTuple):
    """What is counted of one recording; error is "" where it was measured."""

    file: str
    verdict: str
    rhythm: str
    warned: bool
    error: str

    @classmethod
    def of(cls, recording: Recording) -> "Entry":
        return cls(
            recording.file,
            recording.quality.verdict if recording.quality else "",
            recording.rhythm.label if recording.rhythm else "",
            bool(recording.warnings),
            recording.error.message if recording.error else "",
        )


class Tally:
    """Counts that grow."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.rhythms: Counter[str] = Counter()
        self.recordings = self.warned = self.failed = 0
        self.first_failed: list[FileFailed] = []

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.recordings += 1
            self.warned += entry.warned
            if entry.error:
                self.failed += 1
                if len(self.first_failed) < MOST_ERRORS:
                    self.first_failed.append(FileFailed(file=entry.file, message=entry.error))
            else:
                self.verdicts[entry.verdict] += 1
                self.rhythms[entry.rhythm] += 1

    def summary(self, out: Path | None, already_there: int) -> Summary:
        """The counts as they are now, the most frequent first."""
        return Summary(
            file=file_name(out) if out else None,
            recordings=self.recordings,
            already_there=already_there,
            verdicts=dict(self.verdicts.most_common()),
            rhythms=dict(self.rhythms.most_common()),
            with_warnings=self.warned,
            failed=self.failed,
            first_failed=tuple(self.first_failed),
        )
