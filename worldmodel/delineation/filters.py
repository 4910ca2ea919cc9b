"""Zero-phase filtering of whole batches, and the one sampling rate everything is measured at."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.order import median

FS_HZ = 500.0
_PAD_S = 1.0


def resample(samples: NDArray[np.float64], fs_hz: float, to_hz: float = FS_HZ) -> NDArray[np.float64]:
    """Band-limited resampling along the last axis, in the frequency domain; sample 0 keeps its time."""
    if fs_hz == to_hz or samples.shape[-1] == 0:
        return samples
    from scipy.fft import irfft, rfft

    ratio = Fraction(to_hz / fs_hz).limit_denominator(1000)
    up, down = ratio.numerator, ratio.denominator
    length = samples.shape[-1]
    padded = _continued(samples, min(int(_PAD_S * fs_hz), length - 1))
    before = (padded.shape[-1] - length) // 2
    n_in = -(-padded.shape[-1] // down) * down  # whole cycles of the ratio, so that n_out is whole, too
    padded = np.roll(_stretch(padded, n_in), -before, axis=-1)  # the first sample stays in the first place
    n_out = n_in * up // down
    spectrum = rfft(padded, axis=-1)[..., : n_out // 2 + 1]
    return np.asarray(irfft(spectrum, n_out, axis=-1)[..., : -(-length * up // down)] * (up / down))


def _continued(samples: NDArray[np.float64], pad: int) -> NDArray[np.float64]:
    """`pad` more samples at either end, as point reflections of what is there, so that wander does not ring."""
    before = 2 * samples[..., :1] - samples[..., pad:0:-1]
    after = 2 * samples[..., -1:] - samples[..., -2 : -2 - pad : -1]
    return np.concatenate([before, samples, after], axis=-1)


def _stretch(samples: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Up to `length` by a straight line from the last sample back to the first, as the transform is periodic."""
    extra = length - samples.shape[-1]
    if extra == 0:
        return samples
    share = np.arange(1, extra + 1) / (extra + 1)
    line = samples[..., -1:] * (1 - share) + samples[..., :1] * share
    return np.concatenate([samples, line], axis=-1)


def fill_gaps(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN and infinite samples bridged by straight lines along the last axis; zeros where a row has no value at all."""
    bad = ~np.isfinite(samples)
    if not bad.any():
        return samples
    filled = samples.copy()
    rows = filled.reshape(-1, samples.shape[-1])
    time = np.arange(samples.shape[-1])
    for row, gaps in zip(rows, bad.reshape(rows.shape), strict=True):
        if gaps.all():
            row[:] = 0.0
        elif gaps.any():
            row[gaps] = np.interp(time[gaps], time[~gaps], row[~gaps])
    return filled


def filter_bands(
    samples: NDArray[np.float64], bands: tuple[tuple[float, float], ...], fs_hz: float = FS_HZ
) -> list[NDArray[np.float64]]:
    """Each (low, high) band in Hz of samples (..., time), without phase shift, all from one transform.

    The gain is a squared second-order Butterworth at each edge; low 0 passes everything below, high inf above.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    length = samples.shape[-1]
    pad = min(int(_PAD_S * fs_hz), length - 1)
    padded = _continued(samples, pad)
    n_fft = int(next_fast_len(padded.shape[-1], real=True))
    spectrum = rfft(padded, n_fft, axis=-1)
    frequency = np.fft.rfftfreq(n_fft, 1 / fs_hz)
    results = []
    for low, high in bands:
        gain = 1 / (1 + (frequency / high) ** 4) if np.isfinite(high) else np.ones_like(frequency)
        if low > 0:
            gain = gain * (frequency**4 / (frequency**4 + low**4))
        filtered = irfft(spectrum * gain, n_fft, axis=-1)
        results.append(np.ascontiguousarray(filtered[..., pad : pad + length]))
    return results


def remove_mains(samples: NDArray[np.float64], fs_hz: float = FS_HZ) -> NDArray[np.float64]:
    """samples (..., time) without the 50 or 60 Hz line and its second harmonic, in the rows where it stands out.

    A line stands out where its bins hold over ten times the power of their neighbours; they are set to the
    neighbours' size, so that what the heart has there stays.
    """
    from scipy.fft import irfft, rfft

    length = samples.shape[-1]
    if length < 2 * fs_hz:
        return samples
    spectrum = rfft(samples, axis=-1)
    frequency = np.fft.rfftfreq(length, 1 / fs_hz)
    dirty = np.zeros(samples.shape[:-1], dtype=bool)
    for line_hz in (50.0, 60.0, 100.0, 120.0):
        away = np.abs(frequency - line_hz)
        line, around = away < 0.6, (away >= 1.0) & (away < 5.0)
        if not line.any() or not around.any():
            continue
        size = np.abs(spectrum[..., line])
        usual = median(np.abs(spectrum[..., around]), keepdims=True)
        strong = size.max(axis=-1) > np.sqrt(10) * 2 * usual[..., 0] + 1e-9
        shrink = np.minimum(1.0, usual / np.maximum(size, 1e-12))
        spectrum[..., line] *= np.where(strong[..., None], shrink, 1.0)
        dirty |= strong
    if not dirty.any():
        return samples
    cleaned = samples.copy()
    cleaned[dirty] = irfft(spectrum[dirty], length, axis=-1)
    return cleaned


def block_means(samples: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """(..., time) at a `step`-th of the rate; the last mean is of what is left, and its last value repeated."""
    short = -samples.shape[-1] % step
    padded = np.concatenate([samples, np.repeat(samples[..., -1:], short, axis=-1)], axis=-1)
    return np.asarray(padded.reshape(*samples.shape[:-1], padded.shape[-1] // step, step).mean(axis=-1))


def smooth(samples: NDArray[np.float64], sigma_ms: float, fs_hz: float = FS_HZ) -> NDArray[np.float64]:
    """Gaussian low-pass along the last axis; its -3 dB point is 133 / sigma_ms Hz."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(samples, sigma_ms * fs_hz / 1000, axis=-1, mode="nearest"))
