"""Speed of the virtual trial: pre/post pairs per second, beside the machine's own rates in the same run.

python benchmarks/virtual_trial.py [--batch 48] [--batches 20]
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

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
    cores = os.cpu_count() or 1
    print(f"{platform.machine()}, {cores} cores, batches of {arguments.batch}")
    torch.set_num_threads(1)
    a, b = torch.rand(2, MATMUL, MATMUL)
    source, target = torch.rand(2, COPIED)
    rates = {
        "matmul": (2 * MATMUL**3 / median_s(lambda: a @ b, 5) / 1e9, "GFLOP/s"),
        "copy": (8 * COPIED / median_s(lambda: target.copy_(source), 5) / 1e9, "GB/s"),
    }
    alone = pairs_per_s(arguments.batch, arguments.batches, 0)
    print(f"one core: {alone:.0f} pairs/s")
    for name, (rate, unit) in rates.items():
        print(f"{name} on one core {rate:.1f} {unit}: {alone / rate:.2f} pairs/s for each {unit}")
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        each = pool.map(
            pairs_per_s, [arguments.batch] * cores, [arguments.batches] * cores, range(1, cores + 1)
        )
        print(f"{cores} processes: {sum(each):.0f} pairs/s")


def pairs_per_s(batch: int, batches: int, seed: int) -> float:
    """Pairs of the whole catalogue per second on one core, in the median of so many batches."""
    torch.set_num_threads(1)
    actions, generator = trial_actions(load_catalogue()), torch.Generator().manual_seed(seed)
    return batch / median_s(lambda: sample_transitions(batch, actions, generator), batches)


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
