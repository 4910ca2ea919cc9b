"""Speed of measuring, beside NeuroKit2 in an environment of its own, in the same run.

    python benchmarks/delineation.py [--batch 256] [--neurokit .venv-peers/bin/python] [--peer-records 4]

Agreement with human marks is `ecgwm-agent evaluate delineation`.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.delineation.measure import measure_batch
from worldmodel.evaluation.contestants import NeuroKit
from worldmodel.evaluation.marks import MarkedRecord
from worldmodel.evaluation.synthetic import synthetic_sets


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--neurokit", metavar="PYTHON", help="a Python that has NeuroKit2")
    parser.add_argument("--peer-records", type=int, default=4)
    arguments = parser.parse_args()
    compact = synthetic_sets(arguments.batch, seed=0)[0]
    records = [compact.read(key) for key in compact.keys]
    print(f"{os.cpu_count()} cores; 12 leads x 10 s at 500 Hz, synthetic, 20 dB")
    ours_s = report_ours(records)
    if arguments.neurokit is None:
        print("NeuroKit2 not run: name a Python that has it with --neurokit")
        return
    theirs_s = report_neurokit(arguments.neurokit, records[: arguments.peer_records])
    for how, each_s in ours_s.items():
        print(f"{how} is {theirs_s / each_s:.0f} times as fast as NeuroKit2")


def report_ours(records: list[MarkedRecord]) -> dict[str, float]:
    """Seconds for each recording of the whole batch, in one process and in one for each core."""
    samples, fs_hz = np.stack([record.samples_mv for record in records]), records[0].fs_hz
    torch.set_num_threads(1)
    measure_batch(samples[:16], fs_hz)
    seconds = {}
    for size in (1, len(samples)):
        wall = time.perf_counter()
        measure_batch(samples[:size], fs_hz)
        each_s = (time.perf_counter() - wall) / size
        seconds["one process"] = each_s
        print(
            f"ours, batch of {size}, one process: {1 / each_s:.1f} recordings/s, {1000 * each_s:.1f} ms each"
        )
    cores = os.cpu_count() or 1
    with TemporaryDirectory() as folder, ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        path = Path(folder) / "samples.npy"  # as of files: what a process measures it reads itself
        np.save(path, samples)
        shares = np.array_split(np.arange(len(samples)), cores)
        list(
            pool.map(_measure_part, [path] * cores, [share[:16] for share in shares], [fs_hz] * cores)
        )  # imports
        wall = time.perf_counter()
        list(pool.map(_measure_part, [path] * cores, shares, [fs_hz] * cores))
        each_s = (time.perf_counter() - wall) / len(samples)
    seconds[f"{cores} processes"] = each_s
    print(f"ours, the same, {cores} processes: {1 / each_s:.1f} recordings/s, {1000 * each_s:.1f} ms each")
    return seconds


def _measure_part(path: Path, rows: NDArray[np.int_], fs_hz: float) -> int:
    torch.set_num_threads(1)
    return len(measure_batch(np.load(path, mmap_mode="r")[rows], fs_hz))


def report_neurokit(python: str, records: list[MarkedRecord]) -> float:
    """Seconds for each recording: cleaning, R peaks and wavelet delineation of all leads, without start and files."""
    with NeuroKit(python) as neurokit:
        neurokit(records[:1])
        warm_s = neurokit.seconds
        neurokit(records)
        each_s = (neurokit.seconds - warm_s) / len(records)
        print(
            f"NeuroKit2 {neurokit.version}, {len(records)} recordings: {1 / each_s:.2f} recordings/s, "
            f"{1000 * each_s:.0f} ms each"
        )
    return each_s


if __name__ == "__main__":
    main()
