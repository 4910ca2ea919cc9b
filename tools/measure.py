"""Tool: measure recordings of any supported format."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from tools.results import Answer, Result, interval_values, rounded, unique
from tools.stretch import Stretch, stretch_of
from tools.window import Window
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError, WorldModelError
from worldmodel.measurement import FIDUCIALS, Measurement
from worldmodel.readers.stated import NOTHING_STATED, Stated

if TYPE_CHECKING:
    from tools.find import Found


class QualityFound(Result):
    """leads: what is wrong with single leads."""

    verdict: str
    reasons: tuple[str, ...]
    leads: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class RhythmFound(Result):
    label: str
    confidence: float


class FindingFound(Result):
    name: str
    confidence: float
    text: str


class ShapeFound(Result):
    """Axes in the frontal plane; flatness and asymmetry of the T wave as in `worldmodel.measurement.Shape`."""

    p_axis_deg: float | None = None
    qrs_axis_deg: float | None = None
    t_axis_deg: float | None = None
    t_amplitude_mv: float | None = None
    t_flatness: float | None = None
    t_asymmetry: float | None = None


class VariabilityFound(Result):
    """From beat to beat, of normal beats."""

    rr_sd_ms: float | None = None
    rmssd_ms: float | None = None
    qt_sd_ms: float | None = None


class BeatFound(Result):
    r_s: float
    kind: int


class FileProblem(Result):
    message: str
    hint: str


class Recording(Result):
    """One file: measured, or `error` says why it could not be read, and all else is empty.

    window_s: the seconds that were measured. beats: of each the R peak in seconds of the recording and its kind,
    0 for usual beats on time. marks_ms: of the median beat, all leads together, relative to the R peak;
    lead_marks_ms: the same in each lead, null where the lead does not show the wave.
    """

    file: str
    fs_hz: float | None = None
    duration_s: float | None = None
    window_s: tuple[float, float] | None = None
    leads: tuple[str, ...] = ()
    missing_leads: tuple[str, ...] = ()
    quality: QualityFound | None = None
    rhythm: RhythmFound | None = None
    findings: tuple[FindingFound, ...] = ()
    intervals: dict[str, float | None] = Field(default_factory=dict)
    confidence: dict[str, float] = Field(default_factory=dict)
    shape: ShapeFound | None = None
    variability: VariabilityFound | None = None
    not_measurable: dict[str, str] = Field(default_factory=dict)
    beats: tuple[BeatFound, ...] = ()
    marks_ms: dict[str, float | None] = Field(default_factory=dict)
    lead_intervals: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    lead_marks_ms: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: FileProblem | None = None


# The R peak is where these count from.
_TOGETHER = (*(name for name in FIDUCIALS if name != "r_peak"), "t_end_tangent")


class FileFailed(Result):
    file: str
    message: str


class Summary(Result):
    """Counts over many recordings; file: where the measurements are, of which `already_there` were before.

    failed: could not be read; the first of them by name.
    """

    file: str | None
    recordings: int
    already_there: int
    verdicts: dict[str, int]
    rhythms: dict[str, int]
    with_warnings: int
    failed: int
    first_failed: tuple[FileFailed, ...]


class MeasureResult(Answer):
    """One entry for each recording, in the order given, those of a folder sorted; or, of many, the summary alone.

    passed_over: files in the folders that are no recordings.
    """

    recordings: tuple[Recording, ...]
    passed_over: int = 0
    summary: Summary | None = None

    @property
    def failed(self) -> bool:
        """Whether anything could not be read."""
        return any(r.error for r in self.recordings) or bool(self.summary and self.summary.failed)


def measure_files(
    paths: Sequence[str | Path],
    window: Window | None = None,
    stated: Stated = NOTHING_STATED,
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
) -> MeasureResult:
    """Read and measure each file, and all recordings in each folder; one that cannot be read becomes an `error`.

    jobs: processes that share the work. progress is told the fraction done.
    """
    from tools.find import find_recordings

    return measure_found(find_recordings(paths, stated), window, stated, jobs, progress)


def measure_found(
    found: "Found",
    window: Window | None = None,
    stated: Stated = NOTHING_STATED,
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
) -> MeasureResult:
    """The same for what `tools.find` has found."""
    from tools.measure_many import measure_each

    with closing(measure_each(found.files, window, stated, jobs, progress)) as chunks:
        recordings = (*found.problems, *(recording for chunk in chunks for recording in chunk))
    warnings = [f"{recording.file}: {text}" for recording in recordings for text in recording.warnings]
    return MeasureResult(recordings=recordings, passed_over=found.passed_over, warnings=unique(warnings))


def measure_file(
    path: str | Path, window: Window | None = None, stated: Stated = NOTHING_STATED
) -> Recording:
    """Read and measure one file, lead by lead, too; what is wrong with it is its `error`. Raises WeightsError."""
    from worldmodel.delineation.measure import measure
    from worldmodel.readers import read_ecg

    try:
        ecg = read_ecg(path, stated)
        stretch = stretch_of(ecg, window)
        measured = measure(stretch.part)
        return lead_by_lead(recording_of(file_name(path), ecg, measured, stretch), measured)
    except EcgFileError as error:
        problem = FileProblem(message=error.message, hint=error.hint)
    except WorldModelError:  # of the installation, such as missing weights: no file could be measured
        raise
    except Exception as error:  # one strange file must not end a run over ten thousand
        logging.getLogger(__name__).exception(file_name(path))
        fault = f"{type(error).__name__}: {error}"
        hint = "This is a fault of the program; measure this file alone with --debug for its traceback."
        problem = FileProblem(message=fault, hint=hint)
    return Recording(file=file_name(path), error=problem)


def recording_of(file: str, ecg: Ecg, measured: Measurement, stretch: Stretch | None = None) -> Recording:
    """The printable form of a measurement; `ecg` as it was read, with the leads of its file."""
    shape, variability = measured.shape, measured.variability
    return Recording(
        file=file,
        fs_hz=ecg.fs_hz,
        duration_s=round(ecg.duration_s, 3),
        window_s=stretch.window_s if stretch else (0.0, round(ecg.duration_s, 3)),
        leads=ecg.leads,
        missing_leads=measured.missing_leads,
        quality=QualityFound(
            verdict=measured.quality.verdict, reasons=measured.quality.reasons, leads=measured.quality.leads
        ),
        rhythm=RhythmFound(label=measured.rhythm.label, confidence=round(measured.rhythm.confidence, 2)),
        findings=tuple(
            FindingFound(name=finding.name, confidence=round(finding.confidence, 2), text=finding.text)
            for finding in measured.findings
        ),
        intervals=interval_values(measured.intervals),
        confidence={name: round(float(sure), 2) for name, sure in measured.confidence.items()},
        shape=ShapeFound(
            p_axis_deg=rounded(shape.p_axis_deg),
            qrs_axis_deg=rounded(shape.qrs_axis_deg),
            t_axis_deg=rounded(shape.t_axis_deg),
            t_amplitude_mv=rounded(shape.t_amplitude_mv, 3),
            t_flatness=rounded(shape.t_flatness, 3),
            t_asymmetry=rounded(shape.t_asymmetry, 3),
        ),
        variability=VariabilityFound(
            rr_sd_ms=rounded(variability.rr_sd_ms),
            rmssd_ms=rounded(variability.rmssd_ms),
            qt_sd_ms=rounded(variability.qt_sd_ms),
        ),
        not_measurable=dict(measured.not_measurable),
        warnings=unique([*ecg.warnings, *measured.warnings]),
    )


def lead_by_lead(recording: Recording, measured: Measurement) -> Recording:
    """The same with every beat, and the marks and intervals of each lead: for a script, too much for a conversation."""
    marks = {}
    beat = measured.median_beat
    for lead, times_ms in zip(LEADS, beat.lead_marks_ms if beat else (), strict=beat is not None):
        if np.isfinite(times_ms).any():
            known = [rounded(ms) if np.isfinite(ms) else None for ms in times_ms]
            marks[lead] = dict(zip(FIDUCIALS, known, strict=True))
    of_leads = {lead: interval_values(values) for lead, values in measured.lead_intervals.items()}
    together = {name: rounded(getattr(beat, f"{name}_ms")) for name in _TOGETHER} if beat else {}
    start_s = recording.window_s[0] if recording.window_s else 0.0
    beats = tuple(
        BeatFound(r_s=round(start_s + r_s, 4), kind=kind)
        for r_s, kind in zip(measured.r_peaks_s, measured.beat_kinds, strict=True)
    )
    return recording.model_copy(
        update={"beats": beats, "marks_ms": together, "lead_intervals": of_leads, "lead_marks_ms": marks}
    )


def file_name(path: str | Path) -> str:
    """The path as text that any file and terminal can hold, even where its bytes are not of this system's coding."""
    return str(path).encode("utf-8", "replace").decode("utf-8")
