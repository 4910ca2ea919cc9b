"""What measuring an ECG gives: intervals, rhythm, quality, and the median beat they were read from."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Intervals:
    """Intervals in ms and rate in beats per minute; None where not measurable.

    qtcf: Fridericia, QT/RR^(1/3). qtcb: Bazett, QT/RR^(1/2). jtpeak: QRS offset to T peak;
    jtpeakc: J-Tpeak/RR^0.58 (doi:10.1038/clpt.2013.238). RR in s.
    """

    hr_bpm: float | None = None
    rr_ms: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    qtcf_ms: float | None = None
    qtcb_ms: float | None = None
    jtpeak_ms: float | None = None
    jtpeakc_ms: float | None = None
    tpeak_tend_ms: float | None = None
    p_ms: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True)
class MedianBeat:
    """The median of the dominant beats, all leads aligned on the R peak.

    samples_mv: (lead, time) in standard order, NaN rows for missing leads; baseline removed.
    r_index: column of the R peak. Fiducials in ms relative to the R peak, None where absent
    (P of a beat in atrial fibrillation).
    """

    samples_mv: NDArray[np.float64]
    fs_hz: float
    r_index: int
    p_on_ms: float | None = None
    p_off_ms: float | None = None
    qrs_on_ms: float | None = None
    qrs_off_ms: float | None = None
    t_peak_ms: float | None = None
    t_end_ms: float | None = None


@dataclass(frozen=True)
class Rhythm:
    """label: sinus | atrial_fibrillation | atrial_flutter | paced | other | unknown; confidence in 0..1."""

    label: str = "unknown"
    confidence: float = 0.0


@dataclass(frozen=True)
class Quality:
    """verdict: good | usable | unusable, with the reasons in sentences."""

    verdict: str = "unusable"
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One finding, such as `rbbb`, `lbbb`, `av_block_1`, `long_qt`, `bradycardia`; confidence in 0..1."""

    name: str
    confidence: float
    text: str = ""


@dataclass(frozen=True)
class Measurement:
    """Everything `measure` knows of one recording. `not_measurable` gives the reason for each None."""

    intervals: Intervals = Intervals()
    not_measurable: dict[str, str] = field(default_factory=dict)
    rhythm: Rhythm = Rhythm()
    quality: Quality = Quality()
    findings: tuple[Finding, ...] = ()
    r_peaks_s: tuple[float, ...] = ()
    median_beat: MedianBeat | None = None
    t_amplitude_mv: float | None = None
    missing_leads: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
