"""How long a user waits: each command in a fresh process, the median of a few runs.

    python benchmarks/speed.py --ecg RECORD [--patient FILE] [--runs 3]

Wall-clock times depend on the machine and on what else it does; they decide no test.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PROGRAM = (sys.executable, "-m", "agent.cli")
# Usual doses of these are about fifteen candidates; the count is printed with the time.
DRUGS = ("verapamil", "diltiazem", "metoprolol", "digoxin")


def main() -> None:
    arguments = parse_arguments()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        report("--help", ("--help",), arguments.runs)
        report("demo", ("demo",), arguments.runs, cwd=Path(folder))
        rank: list[object] = ["rank", "--ecg", arguments.ecg.absolute(), "-k", "3", "--json"]
        rank += ["--patient", arguments.patient.absolute()] if arguments.patient else []
        rank += [word for drug in arguments.drug for word in ("--drug", drug)]
        found = json.loads(report("rank", rank, arguments.runs, cwd=Path(folder)))["data"]
        print(f"  {len(found['ranking'])} simulated x K = 3, {len(found['excluded'])} excluded by the mask")


def report(name: str, words: Sequence[object], runs: int, cwd: Path | None = None) -> str:
    """Run one command a few times, print the median of its wall time, return what it printed last."""
    seconds, printed = [], ""
    for _ in range(runs):
        start = time.perf_counter()
        done = subprocess.run(
            [*PROGRAM, *map(str, words)], capture_output=True, text=True, check=False, cwd=cwd
        )
        seconds.append(time.perf_counter() - start)
        printed = done.stdout
        if done.returncode:
            sys.exit(f"{name} ended with exit code {done.returncode}: {done.stderr or done.stdout}")
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    print(f"{name:8} {statistics.median(seconds):6.2f} s, median of {runs} ({spread})", flush=True)
    return printed


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ecg", type=Path, required=True, help="the pre-dose ECG to rank for")
    parser.add_argument("--patient", type=Path, help="the patient file; without one, more is excluded")
    parser.add_argument("--drug", action="append", help="drugs to rank; repeat")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    arguments.drug = arguments.drug or list(DRUGS)
    return arguments


if __name__ == "__main__":
    main()
