"""Prepared data: recordings in memory-mapped parts of .npy, transitions beside them, a manifest and the splits.

    manifest.json       what was prepared, and with which settings; totals once it is complete
    splits.json         subject -> train, validation or test
    part-00000.npy      (recording, 12, 5000) int16: microvolts at 500 Hz, GAP where nothing was recorded
    part-00000.jsonl    transitions, one on a line; they name recordings by id
    part-00000.json     the part's subjects, recordings in the order of rows, defects, and what was skipped and why

A part holds whole subjects. Its .json is written last, so a part is there whole or not at all.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from worldmodel.datasets.transition import Recording, Transition
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import DataSetError

LAYOUT = 1
FS_HZ, SAMPLES = 500.0, 5000
GAP = np.iinfo(np.int16).min
UV_PER_MV = 1000.0
_TRANSITION = TypeAdapter(Transition)


@dataclass(frozen=True)
class Skipped:
    """A recording that could not be read; every transition with it is left out."""

    recording: str
    reason: str


@dataclass(frozen=True)
class PartFacts:
    """What a part's .json says. recordings and owners (subjects of these) in the order of rows.

    left_out: transitions of which a recording was skipped. defects: of recordings that are kept in spite of them.
    """

    subjects: tuple[str, ...]
    recordings: tuple[Recording, ...]
    owners: tuple[str, ...]
    transitions: int
    left_out: int
    defects: dict[str, tuple[str, ...]]
    skipped: tuple[Skipped, ...]


FACTS = TypeAdapter(PartFacts)


class Part:
    """One part of a store; nothing is read before it is asked for."""

    def __init__(self, stem: Path) -> None:
        self._stem = stem

    @cached_property
    def facts(self) -> PartFacts:
        file = self._stem.with_suffix(".json")
        try:
            return FACTS.validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise _damaged(file) from error

    @cached_property
    def samples(self) -> NDArray[np.int16]:
        """(recording, 12, SAMPLES) in microvolts, memory-mapped."""
        file = self._stem.with_suffix(".npy")
        try:
            mapped: NDArray[np.int16] = np.load(file, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise _damaged(file) from error
        return mapped

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {recording.id: row for row, recording in enumerate(self.facts.recordings)}

    def transitions(self) -> Iterator[Transition]:
        file = self._stem.with_suffix(".jsonl")
        try:
            with file.open("rb") as lines:
                for line in lines:
                    yield _TRANSITION.validate_json(line)
        except (OSError, ValidationError) as error:
            raise _damaged(file) from error

    def ecg(self, recording: Recording) -> Ecg:
        """Twelve leads in mV at FS_HZ, NaN where nothing was recorded. Raises KeyError of a foreign recording."""
        counts = self.samples[self._rows[recording.id]]
        samples = np.where(counts == GAP, np.nan, counts / UV_PER_MV)
        missing = tuple(lead for lead, row in zip(LEADS, samples, strict=True) if not np.isfinite(row).any())
        return Ecg(samples, FS_HZ, LEADS, missing, source=recording.id)


class Store:
    """A prepared data set. Raises DataSetError where there is none, or it is not complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        if not self.manifest.get("complete"):
            raise DataSetError(
                f"{folder} is not prepared to its end.", "Run `data prepare` again with the same settings."
            )
        self.splits: dict[str, str] = json.loads((folder / "splits.json").read_text("utf-8"))

    @property
    def parts(self) -> list[Part]:
        return [Part(part_stem(self.folder, number)) for number in range(int(self.manifest["parts"]))]

    def transitions(self, split: str | None = None) -> Iterator[tuple[Part, Transition]]:
        """All transitions, or those of one split, in a fixed order, each with the part that holds its ECGs."""
        for part in self.parts:
            for transition in part.transitions():
                if split in (None, self.splits[transition.subject]):
                    yield part, transition

    def recordings(self, split: str | None = None) -> Iterator[tuple[Part, Recording]]:
        """All recordings, or those of one split, each with the part that holds it."""
        for part in self.parts:
            for subject, recording in zip(part.facts.owners, part.facts.recordings, strict=True):
                if split in (None, self.splits[subject]):
                    yield part, recording


def part_stem(folder: Path, number: int) -> Path:
    """The name of a part's files, without ending."""
    return folder / f"part-{number:05d}"


def read_manifest(folder: Path) -> dict[str, Any]:
    """What was prepared there. Raises DataSetError where nothing was."""
    file = folder / "manifest.json"
    if not file.is_file():
        raise DataSetError(f"There is no prepared data set in {folder}.", "`data prepare` makes one.")
    try:
        manifest: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(file) from error
    if manifest.get("layout") != LAYOUT:
        raise DataSetError(
            f"{folder} is of layout {manifest.get('layout')}, this version reads {LAYOUT}.",
            "Prepare the data set again.",
        )
    return manifest


def dump_transition(transition: Transition) -> bytes:
    """One line of a part's .jsonl."""
    return _TRANSITION.dump_json(transition) + b"\n"


def _damaged(file: Path) -> DataSetError:
    return DataSetError(f"{file} is missing or damaged.", "Remove its part's files and prepare again.")
