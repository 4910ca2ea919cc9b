"""WFDB records of made ECGs, to measure and draw from files."""

from pathlib import Path

import numpy as np

from worldmodel.ecg import Ecg


def write_record(folder: Path, name: str, ecg: Ecg) -> Path:
    """Writes `name`.dat and `name`.hea, 16 bits, 1 uV a step; the header's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = np.clip(np.round(ecg.samples_mv * 1000), -32767, 32767).astype("<i2")
    sums = stored.sum(axis=1, dtype=np.int64).astype(np.int16)
    signals = [
        f"{name}.dat 16 1000(0)/mV 16 0 {first} {checksum} 0 {lead}"
        for lead, first, checksum in zip(ecg.leads, stored[:, 0], sums, strict=True)
    ]
    (folder / f"{name}.dat").write_bytes(stored.T.tobytes())
    header = folder / f"{name}.hea"
    header.write_text(
        "\n".join([f"{name} {len(ecg.leads)} {ecg.fs_hz:g} {stored.shape[1]}", *signals]) + "\n"
    )
    return header
