"""What measuring an ECG gives: intervals, rhythm, quality, and the median beat they were read from."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Intervals:
    """Intervals in ms and rate in beats per minute; None where not measurable.

    qtcf: Fridericia, QT/RR^(1/3). qtcb: Bazett, QT/RR^(1/2). qtcfram: Framingham, QT + 154 (1 - RR).
    qtch: Hodges, QT + 1.75 (HR - 60). RR in s. jtpeak: QRS offset to T peak; jtpeakc: J-Tpeak/RR^0.58
    (doi:10.1038/clpt.2013.238). qt, and all that follows from it, ends where readers see T end; qt_tangent
    where the tangent at the steepest descent of T meets the baseline, as some core laboratories read it.
    """

    hr_bpm: float | None = None
    rr_ms: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    qt_tangent_ms: float | None = None
    qtcf_ms: float | None = None
    qtcb_ms: float | None = None
    qtcfram_ms: float | None = None
    qtch_ms: float | None = None
    jtpeak_ms: float | None = None
    jtpeakc_ms: float | None = None
    tpeak_tend_ms: float | None = None
    p_ms: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


# The points of a beat that are marked, in the order of time; t_peak_2 is the second peak of a notched T.
FIDUCIALS = ("p_on", "p_peak", "p_off", "qrs_on", "r_peak", "qrs_off", "t_peak", "t_peak_2", "t_end")


@dataclass(frozen=True)
class MedianBeat:
    """The median of the dominant beats, all leads aligned on the R peak.

    samples_mv: (lead, time) in standard order, NaN rows for missing leads; baseline removed.
    r_index: column of the R peak. Fiducials of all leads together in ms relative to the R peak, None where
    absent (P of a beat in atrial fibrillation). lead_marks_ms: (12, FIDUCIALS) the same in each lead, NaN
    where a lead does not show the wave.
    """

    samples_mv: NDArray[np.float64]
    fs_hz: float
    r_index: int
    p_on_ms: float | None = None
    p_peak_ms: float | None = None
    p_off_ms: float | None = None
    qrs_on_ms: float | None = None
    qrs_off_ms: float | None = None
    t_peak_ms: float | None = None
    t_peak_2_ms: float | None = None
    t_end_ms: float | None = None
    t_end_tangent_ms: float | None = None
    lead_marks_ms: NDArray[np.float64] = field(default_factory=lambda: np.full((12, len(FIDUCIALS)), np.nan))


@dataclass(frozen=True)
class Rhythm:
    """label: sinus | atrial_fibrillation | atrial_flutter | paced | other | unknown; confidence in 0..1."""

    label: str = "unknown"
    confidence: float = 0.0


@dataclass(frozen=True)
class Quality:
    """verdict: good | usable | unusable, with the reasons in sentences; leads: what is wrong with single leads.

    The last reason of an unusable recording is the one that makes it so.
    """

    verdict: str = "unusable"
    reasons: tuple[str, ...] = ()
    leads: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One finding, such as `rbbb`, `lbbb`, `av_block_1`, `long_qt`, `bradycardia`; confidence in 0..1."""

    name: str
    confidence: float
    text: str = ""


@dataclass(frozen=True)
class Shape:
    """Axes in the frontal plane in degrees, and the form of the T wave; None where not measurable.

    t_amplitude_mv: in the lead where T is highest. t_flatness, t_asymmetry: of the magnitude of all leads;
    flatness is 1/3 for a Gaussian and 5/9 for a plateau, asymmetry 0 where both flanks mirror each other.
    """

    p_axis_deg: float | None = None
    qrs_axis_deg: float | None = None
    t_axis_deg: float | None = None
    t_amplitude_mv: float | None = None
    t_flatness: float | None = None
    t_asymmetry: float | None = None


@dataclass(frozen=True)
class Variability:
    """From beat to beat, of normal beats: SD of RR and RMS of its successive differences, SD of QT, all in ms."""

    rr_sd_ms: float | None = None
    rmssd_ms: float | None = None
    qt_sd_ms: float | None = None


@dataclass(frozen=True)
class Measurement:
    """Everything `measure` knows of one recording. `not_measurable` gives the reason for each None.

    confidence: for each measured interval, 0..1. beat_marks_s: (beat, 12, FIDUCIALS) seconds from the start
    of the recording, NaN where a lead shows no such wave in that beat. beat_kinds: 0 for a usual beat, on time;
    1 ... for other shapes and for early beats of the usual shape. lead_intervals: for each good lead.
    """

    intervals: Intervals = Intervals()
    not_measurable: dict[str, str] = field(default_factory=dict)
    rhythm: Rhythm = Rhythm()
    quality: Quality = Quality()
    findings: tuple[Finding, ...] = ()
    r_peaks_s: tuple[float, ...] = ()
    beat_kinds: tuple[int, ...] = ()
    median_beat: MedianBeat | None = None
    beat_marks_s: NDArray[np.float64] = field(
        default_factory=lambda: np.full((0, 12, len(FIDUCIALS)), np.nan)
    )
    lead_intervals: dict[str, Intervals] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    shape: Shape = Shape()
    variability: Variability = Variability()
    missing_leads: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
