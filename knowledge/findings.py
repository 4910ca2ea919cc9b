"""What the ECG shows, as the mask reads it. None means: not measured, and never: normal."""

from pydantic import BaseModel, ConfigDict


class EcgFindings(BaseModel):
    """Findings of one ECG. Intervals in ms, rate in beats per minute; flags are True, False or None.

    rhythm: sinus | atrial_fibrillation | atrial_flutter | paced | other | unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hr_bpm: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    qtcf_ms: float | None = None
    qtcb_ms: float | None = None
    rhythm: str = "unknown"
    av_block_2_or_3: bool | None = None
    lbbb: bool | None = None
    rbbb: bool | None = None
    bifascicular: bool | None = None
    preexcitation: bool | None = None
    paced: bool | None = None
    brugada: bool | None = None
    st_elevation: bool | None = None
    wide_complex_tachycardia: bool | None = None
    ventricular_fibrillation: bool | None = None
