"""How fast the world model simulates, beside what the machine's matrix multiplication could do in the same run.

    python benchmarks/world_model.py [--device cuda] [--threads 2] [--runs 5]

Prints medians. Wall-clock times depend on the machine and on what else it does; they decide no test.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from worldmodel.conditioning import CONTEXT
from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.denoiser import CONDITIONS
from worldmodel.model import Simulation, WorldModel
from worldmodel.pharmacology import Action, DrugExposure, EffectProfile, PatientContext
from worldmodel.renderer import ROWS_AT_ONCE, SAMPLER_STEPS
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS
from worldmodel.virtual import demo_ecg

BLOCKER = DrugExposure(
    "hERG blocker", 1.0, 2.5, 10.0, EffectProfile({"jtpeakc_ms": 39.0, "tpeak_tend_ms": 40.0})
)
CANDIDATES = tuple(Action((BLOCKER,), hours=0.5 * i) for i in range(20))


def main() -> None:
    arguments = parse_arguments()
    if arguments.once:
        simulate(WorldModel.load(device=arguments.device), k=3)
        return
    torch.set_num_threads(arguments.threads)
    where = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.machine()
    print(f"{where}, {arguments.threads} of {os.cpu_count()} cores, torch {torch.__version__}")
    model = WorldModel.load(device=arguments.device)
    runs: int = arguments.runs

    report_denoiser(model, runs)
    simulate(model, k=3)
    print(f"60 trajectories, warm: {median_s(lambda: simulate(model, k=3), runs):.2f} s")
    command = [sys.executable, __file__, "--once", "--device", arguments.device]
    environment = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
    cold = median_s(lambda: subprocess.run(command, check=True, env=environment), runs)
    print(f"60 trajectories, cold process: {cold:.2f} s")

    start = time.perf_counter()
    simulation = simulate(model, k=12)
    simulated = time.perf_counter()
    measure_batch(simulation.samples_mv.reshape(-1, 12, 2500).astype(np.float64), simulation.fs_hz)
    measured = time.perf_counter()
    each = 1000 / (20 * 12)
    print(f"240 at once, each: {each * (simulated - start):.1f} ms simulated, ", end="")
    print(f"{each * (measured - simulated):.1f} ms measured")

    before = peak_mb()
    start = time.perf_counter()
    simulate(model, k=50)
    seconds = time.perf_counter() - start
    print(f"1,000 at once: {seconds:.1f} s, peak memory {peak_mb():.0f} MB ({before:.0f} MB before)")


def simulate(model: WorldModel, k: int) -> Simulation:
    """20 candidates x k samples of the built-in patient."""
    ecg = demo_ecg()
    return model.simulate(ecg, measure(ecg), CANDIDATES, PatientContext(), k, seed=0)


@torch.no_grad()
def report_denoiser(model: WorldModel, runs: int) -> None:
    """Its floating-point operations per second as a share of what a multiplication of its own shape reaches."""
    device = model.renderer.device
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    rows, width = ROWS_AT_ONCE[device.type], model.denoiser.width
    x = torch.randn(rows * LATENT_STEPS, width, device=device, dtype=dtype)
    weight = torch.randn(width, 3 * width, device=device, dtype=dtype)
    told = model.denoiser.tell(
        torch.randn(rows, CONDITIONS, LATENT_CHANNELS, LATENT_STEPS, device=device),
        torch.randn(rows, CONTEXT, device=device),
    )
    z = torch.randn(rows, LATENT_CHANNELS, LATENT_STEPS, device=device)
    level = torch.full((rows,), 0.5, device=device)
    # Attention is counted where it is written as multiplications.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model.denoiser.denoise(z, level, told)
    # In turn and for as long, so that what else the machine does slows both alike.
    repeats = max(1, counter.get_total_flops() // (2 * x.shape[0] * weight.numel()))

    def multiply() -> None:
        for _ in range(repeats):
            x @ weight

    pairs = [
        (seconds(multiply, device), seconds(lambda: model.denoiser.denoise(z, level, told), device))
        for _ in range(4 * runs)
    ]
    multiplication, denoiser = (min(column) for column in zip(*pairs, strict=True))
    best = repeats * 2 * x.shape[0] * weight.numel() / multiplication
    reached = counter.get_total_flops() / denoiser
    print(
        f"matrix multiplication ({str(dtype).removeprefix('torch.')}): {best / 1e9:.0f} GFLOP/s; "
        f"denoiser: {reached / 1e9:.0f} GFLOP/s, {100 * reached / best:.0f} %; "
        f"{1000 * denoiser / rows:.2f} ms per ECG and step, of which there are {SAMPLER_STEPS}"
    )


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall time of one call, until the device has done it."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def median_s(work: Callable[[], object], runs: int) -> float:
    return statistics.median(seconds(work, torch.device("cpu")) for _ in range(runs))


def peak_mb() -> float:
    """Most memory that this process has held (Linux counts it in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--once", action="store_true", help="simulate 60 and end: what the cold process does")
    return parser.parse_args()


if __name__ == "__main__":
    main()
