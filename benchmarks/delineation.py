"""Speed of measuring, beside NeuroKit2 in an environment of its own, in the same run.

    python benchmarks/delineation.py [--batch 256] [--neurokit .venv-peers/bin/python] [--peer-records 4]

Agreement with human marks is `ecgwm-agent evaluate delineation`.
"""

import argparse
import os
import time

import numpy as np

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
    print(f"ours is {theirs_s / ours_s:.0f} times as fast")


def report_ours(records: list[MarkedRecord]) -> float:
    """Seconds for each recording of the whole batch; prints those of one recording alone, too."""
    samples, fs_hz = np.stack([record.samples_mv for record in records]), records[0].fs_hz
    measure_batch(samples[:2], fs_hz)
    for size in (1, len(samples)):
        wall, cpu = time.perf_counter(), time.process_time()
        measure_batch(samples[:size], fs_hz)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        each = f"{1000 * wall / size:.1f} ms each ({1000 * cpu / size:.1f} ms of this process's CPU)"
        print(f"ours, batch of {size}: {size / wall:.1f} recordings/s, {each}")
    return wall / size


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
