"""Speed of the virtual trial: pre/post pairs per second, beside the machine's own rates in the same run.

python benchmarks/virtual_trial.py [--batch 48] [--batches 20]
"""

import argparse
import os
import time
from collections.abc import Callable

import torch

from knowledge.drugs import load_catalogue
from tools.train import trial_actions
from worldmodel.virtual.trial import sample_transitions

MATMUL, COPIED = 1024, 2**24


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--batches", type=int, default=20)
    arguments = parser.parse_args()
    actions, generator = trial_actions(load_catalogue()), torch.Generator().manual_seed(0)
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, batches of {arguments.batch}")

    def pairs() -> None:
        sample_transitions(arguments.batch, actions, generator)

    a, b = torch.rand(2, MATMUL, MATMUL)
    source, target = torch.rand(2, COPIED)
    rates = {
        "matmul": (2 * MATMUL**3 / median_s(lambda: a @ b, 5) / 1e9, "GFLOP/s"),
        "copy": (8 * COPIED / median_s(lambda: target.copy_(source), 5) / 1e9, "GB/s"),
    }
    pairs_per_s = arguments.batch / median_s(pairs, arguments.batches)
    print(f"{pairs_per_s:.0f} pairs/s")
    for name, (rate, unit) in rates.items():
        print(f"{name} {rate:.1f} {unit}: {pairs_per_s / rate:.2f} pairs/s for each {unit}")


def median_s(what: Callable[[], object], times: int) -> float:
    """Seconds of one call in the median, after one that is not counted."""
    what()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        what()
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[times // 2]


if __name__ == "__main__":
    main()
