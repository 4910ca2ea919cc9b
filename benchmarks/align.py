"""Aligning many episodes: episodes a minute, where the time goes, memory, and whether processes change a digit.

    python benchmarks/align.py [--episodes 16] [--jobs 2] [--kept 10000]

Episodes are virtual patients with the 14 candidates for sedation, all allowed; K = 3. The memory of the analysis is
measured on episodes that are only made, not simulated, 100 and --kept of them. Times decide no test.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tools.alignment import analysis, engine, store, unit
from tools.alignment.episode import Episode
from tools.alignment.record import CandidateKept, EpisodeKept, PrescribedKept
from tools.model import label_model, model_used, shared_model
from worldmodel.evaluation.unseen import unseen_patients

K = 3
PATIENT = {
    "age_years": 60,
    "sex": "female",
    "weight_kg": 70,
    "lvef_percent": 60,
    "systolic_bp_mmhg": 125,
    "conditions": [],
    "medications": [],
    "allergies": [],
    "pacemaker": False,
    "continuous_ecg": True,
    "labs": [
        {"name": "potassium", "value": 4.4, "unit": "mmol/L"},
        {"name": "magnesium", "value": 0.9, "unit": "mmol/L"},
        {"name": "creatinine", "value": 80, "unit": "umol/L"},
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--kept", type=int, default=10_000)
    parser.add_argument("--read", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read is not None:
        read_kept(arguments.read)
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )
    simulate(arguments.episodes, arguments.jobs)
    for count in (100, arguments.kept):
        subprocess.run([sys.executable, __file__, "--read", str(count)], check=True)


def simulate(count: int, jobs: int) -> None:
    """Units one after the other in this process, which gives the rate of one core; then in processes."""
    episodes = made_episodes(count)
    units = engine.units_of(episodes, range(-(-count // engine.UNIT)))
    plan = unit.Plan(K, 0, {})
    shared_model()
    unit.align_unit(episodes[:1], plan)  # warm
    peaks, seconds, found = [], timed(), {}
    start = time.perf_counter()
    rows = 0
    for number, kept in engine.here(units, plan):
        found[number] = kept
        rows += sum(len(c.full) for one in kept for c in one.candidates)
        peaks.append(peak_mib())
    total = time.perf_counter() - start
    print(f"{count} episodes, {rows} ECGs of K = {K}: {60 * count / total:.1f} episodes a minute and core")
    shares = ", ".join(f"{name} {100 * s / total:.0f} %" for name, s in seconds.items())
    print(f"of the time: {shares}, the rest {100 * (1 - sum(seconds.values()) / total):.0f} %")
    print(
        f"memory: {peaks[0]} MiB after the first unit, {peaks[-1]} MiB after the last of {len(units)}",
        flush=True,
    )
    start = time.perf_counter()
    same = dict(engine.in_processes(jobs)(units, plan)) == found
    total = time.perf_counter() - start
    told = "the same to the last digit" if same else "OTHER NUMBERS"
    print(
        f"{jobs} processes, with their start: {60 * count / total:.1f} episodes a minute, {told}", flush=True
    )


def timed() -> dict[str, float]:
    """Seconds by kind of work, filled as units are done."""
    seconds: dict[str, float] = defaultdict(float)

    def watch(owner: Any, name: str, kind: str) -> None:
        work: Callable[..., Any] = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                seconds[kind] += time.perf_counter() - start

        setattr(owner, name, watched)

    watch(unit, "case_at_decision", "reading and measuring before")
    watch(unit, "judge_given", "mask")
    watch(type(shared_model()), "encode", "encoding")
    watch(type(shared_model()), "simulate_many", "simulation")
    watch(unit, "judge_outcomes", "measuring and judging after")
    watch(unit, "_with_risks", "labels and keeping")
    return seconds


def made_episodes(count: int) -> list[Episode]:
    """Two of each subject."""
    return [
        Episode(str(i), str(i // 2), one.before, PATIENT, "midazolam 2 mg iv", goal="sedation")
        for i, one in enumerate(islice(unseen_patients(seed=5), count))
    ]


def read_kept(count: int) -> None:
    """Metrics, baselines and curves of episodes that are on disk, in a process of its own."""
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        manifest = store.Manifest(
            episodes=count,
            episodes_sha256="",
            unit=engine.UNIT,
            k=K,
            seed=0,
            model=model_used(shared_model().info),
            label_model=label_model().used,
            knowledge_sha256="",
            versions={},
        )
        kept = store.Store(Path(folder) / "run", manifest)
        for number in kept.todo():
            first = number * engine.UNIT
            kept.write(
                number, [made_kept(i, generator) for i in range(first, min(count, first + engine.UNIT))]
            )
        before, start = peak_mib(), time.perf_counter()
        analysis.analyse(kept.read, manifest, 0.6)
        seconds = time.perf_counter() - start
        print(f"analysing {count} episodes: {seconds:.1f} s, memory {before} to {peak_mib()} MiB", flush=True)


def made_kept(number: int, generator: np.random.Generator) -> EpisodeKept:
    actions = [f"drug {i} 50 mg oral" for i in range(15)]
    candidates = tuple(
        CandidateKept(
            action=action,
            drugs=(action.split(" 50")[0],),
            verdict="allowed",
            hours=2.0,
            risks={
                name: tuple(generator.random(K).round(4).tolist())
                for name in ("intervals", "labels", "combined")
            },
            full=(True,) * K,
            reaches=(None,) * K,
        )
        for action in actions
    )
    chosen = actions[int(generator.integers(15))]
    prescribed = PrescribedKept(
        text=chosen, standing="ranked", action=chosen, drugs=("drug",), candidate=chosen
    )
    return EpisodeKept(
        id=str(number), subject=str(number // 2), seed=number, prescribed=prescribed, candidates=candidates
    )


def peak_mib() -> int:
    """Of this process alone, where /proc tells it (Linux); else with what it took over from its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
