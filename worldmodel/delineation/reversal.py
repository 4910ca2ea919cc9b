"""Swapped limb electrodes and turned polarity, as far as one recording can show them."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.axes import qrs_of, t_of, wave_mv
from worldmodel.ecg import LEADS
from worldmodel.measurement import MedianBeat

_ROW = {name: row for row, name in enumerate(LEADS)}
# Of the peak: below this a wave is neither upright nor inverted.
_LEAST_P_MV, _LEAST_T_MV = 0.02, 0.03


def suspect_reversal(beat: MedianBeat) -> str | None:
    """A sentence on what may be swapped or turned over; None where nothing speaks for it.

    Both arms swapped turn I over and exchange II with III and aVR with aVL, while V6, which looks from the
    same side as I, stays as it is: P is inverted in I, and I and V6 run against each other. In dextrocardia,
    which inverts I as well, V6 looks from the far side of the heart and is small. Right arm and left foot
    swapped turn II over and exchange aVR with aVF. The right arm's on the right leg leaves II without signal.
    No swap of electrodes and no place of the heart turns every wave over in the limbs and in V5 and V6 alike: that is
    the polarity of a file or an amplifier.
    (Batchvarov 2007, doi:10.1093/europace/eum198; the limits are this project's, set so that none of 128 records
    of LUDB, PTB and the CinC 2021 challenge is suspected.)

    Says nothing without a P wave, as ventricular axes alone point anywhere.
    """
    qrs, p = qrs_of(beat), wave_mv(beat, beat.p_on_ms, beat.p_off_ms, chord=True)
    if qrs is None or np.isnan(qrs[:6]).any():
        return None
    if p is not None and _all_inverted(p, qrs, t_of(beat)):
        return (
            "P, QRS and T are inverted in I, II, V5 and V6, and upright in aVR: possibly the polarity of all leads is "
            "reversed."
        )
    swing = np.ptp(qrs, axis=1)
    if swing[_ROW["II"]] < 0.08 * min(swing[_ROW["I"]], swing[_ROW["III"]]):
        return "Lead II is without signal: possibly the electrodes of right arm and right leg are swapped."
    left = _left_side(qrs)
    if p is None or left is None:
        return None
    p_height = _signed_peak(p)
    upright = {name: float(p_height[_ROW[name]]) for name in ("I", "II", "aVR", "aVF")}
    if upright["II"] < -_LEAST_P_MV and upright["aVF"] < -_LEAST_P_MV and upright["aVR"] > _LEAST_P_MV:
        if _runs_against(qrs[_ROW["II"]], left):
            return (
                "P and QRS are inverted in II: possibly the electrodes of right arm and left leg are swapped."
            )
    elif upright["I"] < -_LEAST_P_MV and _runs_against(qrs[_ROW["I"]], left):
        return "P and QRS are inverted in I, not in V6: possibly the arm electrodes are swapped."
    return None


def _all_inverted(p: NDArray[np.float64], qrs: NDArray[np.float64], t: NDArray[np.float64] | None) -> bool:
    """Whether P, QRS and T point away from the leads that look at the left of the heart, and to aVR.

    T, which ischaemia turns over in some of them, in their mean.
    """
    chest = [_ROW[name] for name in ("V5", "V6") if np.isfinite(qrs[_ROW[name]]).all()]
    if t is None or t.shape[1] == 0 or not chest:
        return False
    left, avr = [_ROW["I"], _ROW["II"], *chest], _ROW["aVR"]
    p_peak, qrs_peak, t_peak = (_signed_peak(wave) for wave in (p, qrs, t))
    return bool(
        (p_peak[left] < 0).all()
        and p_peak[_ROW["II"]] < -_LEAST_P_MV
        and p_peak[avr] > _LEAST_P_MV
        and (qrs_peak[left] < 0).all()
        and qrs_peak[avr] > 0
        and t_peak[left].mean() < -_LEAST_T_MV
        and t_peak[avr] > _LEAST_T_MV
    )


def _left_side(qrs: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """(time,) V6, or V5 where it is missing, if the heart lies to the left: mostly upright there."""
    for name in ("V6", "V5"):
        lead = qrs[_ROW[name]]
        if not np.isnan(lead).any():
            return lead if lead.max() > max(0.3, -lead.min()) else None
    return None


def _runs_against(lead: NDArray[np.float64], left: NDArray[np.float64]) -> bool:
    """Net negative, deeper than tall, and of opposite course to the left precordial leads."""
    course = float(lead @ left / (np.linalg.norm(lead) * np.linalg.norm(left) + 1e-12))
    return bool(lead.mean() < 0 and -lead.min() > lead.max() and course < -0.5)


def _signed_peak(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """(lead,) the value farthest from zero."""
    return np.asarray(wave[np.arange(wave.shape[0]), np.abs(wave).argmax(axis=1)])
