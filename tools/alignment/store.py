"""The folder of a run: a manifest, and one part for each unit of episodes, there whole or not at all.

A part is JSON lines, one for each episode. What is there is not done again, so a kill loses the units that were in
work, and nothing is counted twice.
"""

import json
import platform
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from tools.alignment.choices import CANDIDATES, MATCHING
from tools.alignment.episode import AlignmentError
from tools.alignment.record import EpisodeKept
from tools.errors import OutputError
from tools.provenance import version_of
from tools.results import LabelModelUsed, ModelUsed, Result
from tools.writing import written_whole

MANIFEST = "manifest.json"
PARTS = "parts"
PACKAGES = ("ecgwm-agent", "torch", "numpy")


class Manifest(Result):
    """All that the numbers of a run depend on. episodes_sha256, knowledge_sha256: of what they say."""

    episodes: int
    episodes_sha256: str
    unit: int
    k: int
    seed: int
    model: ModelUsed
    label_model: LabelModelUsed
    knowledge_sha256: str
    versions: dict[str, str]
    candidates: str = CANDIDATES
    matching: str = MATCHING
    parts: str = "JSON lines"


class Store:
    """The run in `folder`, begun or gone on with. Raises OutputError, and AlignmentError where it is another run's."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        path = folder / MANIFEST
        if path.exists():
            _compare(folder, _read(path), manifest.model_dump(mode="json"))
        elif folder.exists() and any(folder.iterdir()):
            raise AlignmentError(
                f"{folder} holds something that is no alignment.", "Choose another folder with --out."
            )
        else:
            with written_whole(path) as unfinished:
                unfinished.write_text(json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n", "utf-8")

    @property
    def units(self) -> int:
        """How many units there are to do in all."""
        return -(-self.manifest.episodes // self.manifest.unit)

    def todo(self) -> list[int]:
        """The units that have no part yet."""
        return [unit for unit in range(self.units) if not self._part(unit).exists()]

    def write(self, unit: int, kept: list[EpisodeKept]) -> None:
        """The part of one unit. Raises OutputError."""
        with written_whole(self._part(unit)) as unfinished:
            unfinished.write_text("".join(one.model_dump_json() + "\n" for one in kept), "utf-8")

    def read(self) -> Iterator[EpisodeKept]:
        """What is there so far, in the order of the episodes, one at a time. Raises AlignmentError."""
        for unit in range(self.units):
            part = self._part(unit)
            if not part.exists():
                continue
            try:
                with part.open(encoding="utf-8") as lines:
                    for line in lines:
                        yield EpisodeKept.model_validate_json(line)
            except (OSError, ValidationError) as error:
                raise AlignmentError(
                    f"{part} cannot be read: {type(error).__name__}", "Delete it, and it is done again."
                ) from error

    def _part(self, unit: int) -> Path:
        return self.folder / PARTS / f"{unit:06d}.jsonl"


def versions() -> dict[str, str]:
    """Of what computes: bits differ between versions of the libraries, and between kinds of processors."""
    return {name: version_of(name) for name in PACKAGES} | {
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot read {path}: {error}", "Choose another folder with --out.") from error
    return found if isinstance(found, dict) else {}


def _compare(folder: Path, begun: dict[str, object], now: dict[str, object]) -> None:
    differing = [name for name in now if begun.get(name) != now[name]]
    if differing:
        told = "; ".join(
            f"{name} was {_short(begun.get(name))}, now {_short(now[name])}" for name in differing
        )
        raise AlignmentError(
            f"{folder} was begun otherwise: {told}", "Go on with the same settings, or choose another --out."
        )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 80 else text[:77] + "..."
