"""Tool: measure recordings of any supported format."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from tools.results import Answer, Result, interval_values, unique
from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.measurement import Measurement


class QualityFound(Result):
    verdict: str
    reasons: tuple[str, ...]


class RhythmFound(Result):
    label: str
    confidence: float


class FindingFound(Result):
    name: str
    confidence: float
    text: str


class FileProblem(Result):
    message: str
    hint: str


class Recording(Result):
    """One file: measured, or `error` says why it could not be read, and all else is empty."""

    file: str
    fs_hz: float | None = None
    duration_s: float | None = None
    leads: tuple[str, ...] = ()
    missing_leads: tuple[str, ...] = ()
    quality: QualityFound | None = None
    rhythm: RhythmFound | None = None
    findings: tuple[FindingFound, ...] = ()
    intervals: dict[str, float | None] = Field(default_factory=dict)
    not_measurable: dict[str, str] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: FileProblem | None = None


class MeasureResult(Answer):
    """One entry for each file, in the order given."""

    recordings: tuple[Recording, ...]


def measure_files(paths: Sequence[str | Path]) -> MeasureResult:
    """Read and measure each file; one that cannot be read becomes an entry with `error`."""
    recordings = tuple(_measure_file(path) for path in paths)
    warnings = [f"{recording.file}: {text}" for recording in recordings for text in recording.warnings]
    return MeasureResult(recordings=recordings, warnings=unique(warnings))


def recording_of(file: str, ecg: Ecg, measured: Measurement) -> Recording:
    """The printable form of a measurement; `ecg` as it was read, with the leads of its file."""
    return Recording(
        file=file,
        fs_hz=ecg.fs_hz,
        duration_s=round(ecg.duration_s, 3),
        leads=ecg.leads,
        missing_leads=measured.missing_leads,
        quality=QualityFound(verdict=measured.quality.verdict, reasons=measured.quality.reasons),
        rhythm=RhythmFound(label=measured.rhythm.label, confidence=round(measured.rhythm.confidence, 2)),
        findings=tuple(
            FindingFound(name=finding.name, confidence=round(finding.confidence, 2), text=finding.text)
            for finding in measured.findings
        ),
        intervals=interval_values(measured.intervals),
        not_measurable=dict(measured.not_measurable),
        warnings=unique([*ecg.warnings, *measured.warnings]),
    )


def _measure_file(path: str | Path) -> Recording:
    from worldmodel.delineation.measure import measure
    from worldmodel.readers import read_ecg

    try:
        ecg = read_ecg(path)
    except EcgFileError as error:
        return Recording(file=str(path), error=FileProblem(message=error.message, hint=error.hint))
    return recording_of(str(path), ecg, measure(ecg))
