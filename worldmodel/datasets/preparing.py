"""From a data set to a store: subject by subject, part by part, so that it goes on where it stopped.

Only what is in the part at hand is in memory. A recording that cannot be read is listed with its reason and skipped;
one with gaps, flat leads or more than MOST_MV is kept, and its defects are listed.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.datasets.store import (
    FACTS,
    FS_HZ,
    GAP,
    LAYOUT,
    SAMPLES,
    UV_PER_MV,
    PartFacts,
    Skipped,
    dump_transition,
    part_stem,
    read_manifest,
)
from worldmodel.datasets.transition import Recording, Room, Transition
from worldmodel.ecg import LEADS, Ecg, standard_twelve
from worldmodel.errors import DataSetError, EcgFileError

PART_RECORDINGS = 256  # a part is closed once it holds so many, with the subject at hand: about 30 MB
MOST_MV = 10.0
_UNFINISHED = ".unfinished-"
Progress = Callable[[float], None]


def prepare(
    room: Room, out: Path, settings: Mapping[str, Any], progress: Progress | None = None
) -> dict[str, Any]:
    """Write the store of a data set to the folder `out`, or go on with it; its manifest.

    settings: what the content depends on; an unfinished store of other settings is refused with DataSetError.
    """
    subjects = list(room.subjects)
    same = {
        "layout": LAYOUT,
        "dataset": room.name,
        "settings": dict(settings),
        "subjects": len(subjects),
        "subjects_sha256": hashlib.sha256("\n".join(subjects).encode()).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{_UNFINISHED}*"):
        left.unlink()
    if (out / "manifest.json").exists():
        found = read_manifest(out)
        if {name: found.get(name) for name in same} != json.loads(json.dumps(same)):
            raise DataSetError(
                f"{out} holds another preparation, of {found.get('dataset')} with {found.get('settings')}.",
                "Choose another folder with --out, or remove that one.",
            )
        if found.get("complete"):
            return found
    else:
        _write(out / "splits.json", json.dumps({s: room.split_of(s) for s in subjects}, indent=0).encode())
        _write(out / "manifest.json", json.dumps({**same, "complete": False}, indent=1).encode())
    parts, done = _finished(out)
    totals = {"recordings": 0, "transitions": 0, "left_out": 0, "skipped": 0, "with_defects": 0}
    for facts in parts:
        _add(totals, facts)
    number = len(parts)
    while done < len(subjects):
        facts = _write_part(room, part_stem(out, number), subjects[done:])
        _add(totals, facts)
        number, done = number + 1, done + len(facts.subjects)
        if progress:
            progress(done / len(subjects))
    manifest = {**same, "complete": True, "parts": number, **totals}
    _write(out / "manifest.json", json.dumps(manifest, indent=1).encode())
    return manifest


def _finished(out: Path) -> tuple[list[PartFacts], int]:
    """The parts that are whole, and how many subjects they hold."""
    parts: list[PartFacts] = []
    while (file := part_stem(out, len(parts)).with_suffix(".json")).exists():
        parts.append(FACTS.validate_json(file.read_bytes()))
    return parts, sum(len(facts.subjects) for facts in parts)


def _add(totals: dict[str, int], facts: PartFacts) -> None:
    totals["recordings"] += len(facts.recordings)
    totals["transitions"] += facts.transitions
    totals["left_out"] += facts.left_out
    totals["skipped"] += len(facts.skipped)
    totals["with_defects"] += len(facts.defects)


def _write_part(room: Room, stem: Path, subjects: list[str]) -> PartFacts:
    """The next part, of the first of `subjects` as far as it takes them."""
    taken: list[str] = []
    kept: list[Recording] = []
    owners: list[str] = []
    samples: list[NDArray[np.int16]] = []
    transitions: list[Transition] = []
    defects: dict[str, tuple[str, ...]] = {}
    skipped: list[Skipped] = []
    left_out = 0
    for subject in subjects:
        records = room.read(subject)
        there = set()
        for recording in records.recordings:
            try:
                counts, found = encode(room.ecg(recording))
            except EcgFileError as error:
                skipped.append(Skipped(recording.id, error.message))
                continue
            there.add(recording.id)
            kept.append(recording)
            owners.append(subject)
            samples.append(counts)
            if found:
                defects[recording.id] = found
        whole = [t for t in records.transitions if {t.before.id, t.after.id} <= there]
        left_out += len(records.transitions) - len(whole)
        transitions += whole
        taken.append(subject)
        if len(kept) >= PART_RECORDINGS:
            break
    array = np.stack(samples) if samples else np.empty((0, len(LEADS), SAMPLES), np.int16)
    _write(stem.with_suffix(".npy"), array)
    _write(stem.with_suffix(".jsonl"), b"".join(map(dump_transition, transitions)))
    facts = PartFacts(
        tuple(taken), tuple(kept), tuple(owners), len(transitions), left_out, defects, tuple(skipped)
    )
    _write(stem.with_suffix(".json"), FACTS.dump_json(facts))
    return facts


def encode(ecg: Ecg) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """The first ten seconds, (12, SAMPLES) in microvolts at FS_HZ, and what is wrong with them, lead by lead.

    Gaps stay gaps: they are bridged for the change of the rate and cut out again. Raises EcgFileError where no lead of
    the twelve has a value.
    """
    from worldmodel.delineation.filters import fill_gaps, resample

    twelve = standard_twelve(ecg.window(0.0, SAMPLES / FS_HZ)).samples_mv
    if not np.isfinite(twelve).any():
        raise EcgFileError(
            f"{ecg.source} has no samples in any of the twelve leads.", "Copy the record again."
        )
    found = [*ecg.warnings, *_defects(twelve)]
    gaps = ~np.isfinite(twelve)
    level = resample(fill_gaps(twelve), ecg.fs_hz, FS_HZ)[:, :SAMPLES]
    nearest = (
        np.minimum(np.arange(level.shape[1]) * ecg.fs_hz / FS_HZ, twelve.shape[1] - 1).round().astype(int)
    )
    counts = np.full((len(LEADS), SAMPLES), GAP, np.int16)
    limit = -(GAP + 1)
    rounded = np.clip(np.rint(level * UV_PER_MV), -limit, limit).astype(np.int16)
    counts[:, : level.shape[1]] = np.where(gaps[:, nearest], GAP, rounded)
    if level.shape[1] < SAMPLES:
        found.append(f"only {level.shape[1] / FS_HZ:.1f} s")
    return counts, tuple(found)


def _defects(twelve_mv: NDArray[np.float64]) -> list[str]:
    found = []
    for lead, row in zip(LEADS, twelve_mv, strict=True):
        there = row[np.isfinite(row)]
        if there.size < row.size:
            found.append(f"{lead}: {1 - there.size / row.size:.0%} not recorded")
        if there.size and np.ptp(there) == 0:
            found.append(f"{lead}: flat")
        if there.size and np.abs(there).max() > MOST_MV:
            found.append(f"{lead}: {np.abs(there).max():.1f} mV")
    return found


def _write(path: Path, content: bytes | NDArray[np.int16]) -> None:
    """Write a file that is there whole or not at all."""
    with NamedTemporaryFile(dir=path.parent, prefix=_UNFINISHED, delete=False) as file:
        unfinished = Path(file.name)
        try:
            if isinstance(content, bytes):
                file.write(content)
            else:
                np.save(file, content)
            file.flush()
            os.fsync(file.fileno())
            unfinished.chmod(0o644)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
