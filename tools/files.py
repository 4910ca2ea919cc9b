"""Simulated ECGs as files: WFDB records and a plot, each written aside and renamed, so never half there."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from tools.errors import OutputError
from worldmodel.ecg import LEADS, Ecg

UNITS_PER_MV = 1000.0  # 1 uV resolution; 16 bits then reach 32 mV


def write_simulated(
    folder: Path,
    pre: Ecg,
    action: str,
    hours: float,
    seed: int,
    samples_mv: NDArray[np.float32],
    fs_hz: float,
    when: str | None = None,
) -> tuple[str, ...]:
    """Write the samples_mv of one action, (sample, lead, time): a WFDB record each, and a plot of the first.

    when: in words, where "`hours` after the dose" would leave open after which. The headers say that the ECGs are
    simulated. Returns the paths, of each record its .hea. Raises OutputError.
    """
    stem = f"{_slug(action)}_{_slug(f'{hours:g}')}h"
    title = f"{action}, {when or f'{hours:g} h after the dose'}"
    note = f"simulated by a world model, no recording; {title}; seed {seed}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".unfinished-") as aside:
            names = [f"{stem}_{number}" for number in range(1, len(samples_mv) + 1)]
            for name, sample_mv in zip(names, samples_mv, strict=True):
                _write_wfdb(Path(aside), name, sample_mv, fs_hz, note)
                for suffix in (".dat", ".hea"):  # the header last: without it no reader sees the record
                    (Path(aside) / f"{name}{suffix}").replace(folder / f"{name}{suffix}")
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot write to {folder}: {reason}", "Choose another folder with --out."
        ) from error
    plot = _plot(folder / f"{stem}.png", pre, Ecg(samples_mv[0].astype(np.float64), fs_hz, LEADS), title)
    return (*(str(folder / f"{name}.hea") for name in names), str(plot))


def _write_wfdb(folder: Path, name: str, sample_mv: NDArray[np.float32], fs_hz: float, note: str) -> None:
    """One record in WFDB format 16: little-endian int16, leads interleaved; checksums modulo 2^16."""
    stored = np.clip(np.round(sample_mv * UNITS_PER_MV), -32767, 32767).astype("<i2")
    sums = stored.sum(axis=1, dtype=np.int64).astype(np.int16)
    signals = [
        f"{name}.dat 16 {UNITS_PER_MV:g}(0)/mV 16 0 {first} {checksum} 0 {lead}"
        for lead, first, checksum in zip(LEADS, stored[:, 0], sums, strict=True)
    ]
    header = [f"{name} {len(LEADS)} {fs_hz:g} {stored.shape[1]}", *signals, f"# {note}"]
    (folder / f"{name}.dat").write_bytes(stored.T.tobytes())
    (folder / f"{name}.hea").write_text("\n".join(header) + "\n", "ascii")


def _plot(path: Path, pre: Ecg, after: Ecg, title: str) -> Path:
    from tools.plot import draw_ecg, save_figure

    return save_figure(draw_ecg(pre, after, title=title, subtitle="simulated (blue)"), path)


def _slug(text: str) -> str:
    """Letters, digits and hyphens, as WFDB asks of a record name; a decimal point becomes "p"."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"(\d)\.(\d)", r"\1p\2", text.lower())).strip("-")
