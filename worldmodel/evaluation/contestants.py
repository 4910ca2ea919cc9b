"""Who is compared: our delineator, and NeuroKit2 in an environment of its own."""

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.marker import unseen_marker
from worldmodel.delineation.measure import measure_batch
from worldmodel.errors import WorldModelError
from worldmodel.evaluation.marks import MarkedRecord, lead_waves, record_intervals
from worldmodel.measurement import FIDUCIALS, Measurement

_PEER = Path(__file__).with_name("neurokit_peer.py")
_START_S = 120.0
# Twelve leads take it about a second; what takes much longer hangs.
_PER_LEAD_S = 35.0


class PeerError(WorldModelError):
    """The Python given for NeuroKit2 cannot run it, or it broke off."""


@dataclass(frozen=True)
class Reading:
    """What one delineator read in one recording.

    marks_s: (beat, 12, FIDUCIALS) seconds, NaN where none; beats of different leads need not be in step.
    intervals: of the recording, by name (marks.INTERVALS), None where it gives none. failed_leads: leads it
    raised on. confidence: of the intervals that carry one.
    """

    marks_s: NDArray[np.float64]
    intervals: dict[str, float | None]
    failed_leads: int = 0
    confidence: dict[str, float] = field(default_factory=dict)


Delineator = Callable[[Sequence[MarkedRecord]], list[Reading]]


def ours(records: Sequence[MarkedRecord]) -> list[Reading]:
    """Our own readings, of a recording that the marker was trained on by one that was not."""
    markers = [unseen_marker(record.origin, record.name) for record in records]
    return [
        _reading(measure_batch(record.samples_mv[None], record.fs_hz, marker)[0])
        for record, marker in zip(records, markers, strict=True)
    ]


def _reading(measured: Measurement) -> Reading:
    beat, intervals = measured.median_beat, measured.intervals
    qrs_ms, jtpeak_ms = intervals.qrs_ms, intervals.jtpeak_ms
    values = {
        "pr_ms": intervals.pr_ms,
        "qrs_ms": qrs_ms,
        "qt_ms": intervals.qt_ms,
        "qt_tangent_ms": intervals.qt_tangent_ms,
        "tpeak_ms": None if qrs_ms is None or jtpeak_ms is None else qrs_ms + jtpeak_ms,
        "r_tpeak_ms": None if beat is None else beat.t_peak_ms,
    }
    return Reading(measured.beat_marks_s, values, confidence=measured.confidence)


class NeuroKit:
    """NeuroKit2's cleaning, peaks and wavelet delineation, lead by lead, in a process that stays up.

        with NeuroKit(python) as neurokit: readings = neurokit(records)

    python: an interpreter that has neurokit2. Raises PeerError.
    """

    def __init__(self, python: str) -> None:
        command = [python, "-I", str(_PEER)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self._folder = tempfile.TemporaryDirectory()
        self._complaints = Path(self._folder.name) / "stderr"
        try:
            with self._complaints.open("w") as complaints:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    text=True,
                    env=environment,
                )
        except OSError as error:
            self._folder.cleanup()
            raise PeerError(f"{python} cannot be run: {error.strerror}.", HOW_TO_GET_IT) from error
        self.seconds = 0.0
        try:
            self.version = self._line(_START_S)
        except PeerError:
            self.close()
            raise

    def __call__(self, records: Sequence[MarkedRecord]) -> list[Reading]:
        path = str(Path(self._folder.name) / "leads.npz")
        leads = {str(i): record.samples_mv for i, record in enumerate(records)}
        rates = np.array([record.fs_hz for record in records])
        np.savez(path, allow_pickle=False, fs_hz=rates, **leads)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # a process that has ended says nothing in _line either
            self._process.stdin.write(path + "\n")
            self._process.stdin.flush()
        self._line(_PER_LEAD_S * sum(len(record.samples_mv) for record in records))
        with np.load(path) as answer:
            self.seconds += float(answer["seconds"])
            columns = [FIDUCIALS.index(name) for name in answer["columns"]]
            return [
                _neurokit_reading(answer[str(i)], columns, int(answer["failed"][i]))
                for i in range(len(records))
            ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _line(self, limit_s: float) -> str:
        """The next line the process prints. Raises PeerError where none comes in time."""
        watch = threading.Timer(limit_s, self._process.kill)
        watch.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        watch.cancel()
        if line:
            return line
        said = self._complaints.read_text("utf-8", errors="replace").strip().splitlines()
        why = said[-1] if said else "it took too long"
        raise PeerError(f"NeuroKit2 ended without an answer: {why}.", HOW_TO_GET_IT)


HOW_TO_GET_IT = (
    "Give --neurokit a Python of an environment of its own: `make peers`, or `python -m venv .venv-peers; "
    ".venv-peers/bin/pip install neurokit2`, then --neurokit .venv-peers/bin/python"
)


def _neurokit_reading(marks_s: NDArray[np.float64], columns: list[int], failed: int) -> Reading:
    every = np.full((*marks_s.shape[:2], len(FIDUCIALS)), np.nan)
    every[..., columns] = marks_s
    intervals = record_intervals([lead_waves(every, row) for row in range(every.shape[1])])
    return Reading(every, intervals | {"qt_tangent_ms": None}, failed)
