"""Preparing a MIMIC-shaped data set: rows and recordings per second, and the greatest memory.

    python benchmarks/prepare.py [--patients 200] [--labs 500] [--keep DIR]

The issue's size is --patients 20000 --labs 500, ten million rows of labevents and some 50,000 recordings (6 GB, and as
much again for the store): for a quiet machine with room on its disk.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from worldmodel.datasets.mimic import Mimic

PROGRAM = (sys.executable, "-m", "agent.cli", "data")
MOST_MIB = 4096


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--labs", type=int, default=500)
    parser.add_argument("--keep", type=Path, help="Leave both folders here.")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        made, store = folder / "made", folder / "store"
        size = ("--patients", str(arguments.patients), "--labs", str(arguments.labs))
        data, wall_s, _, peak_mib = run("make", "--out", str(made), *size)
        rows = sum(data["rows"].values())
        print(
            f"made: {data['patients']} patients, {data['recordings']} recordings, {rows} rows in {wall_s:.0f} s, "
            f"{peak_mib:.0f} MiB"
        )
        start = time.perf_counter()
        read = sum(Mimic(made, folder / "alone.sqlite").rows_read.values())
        seconds = time.perf_counter() - start
        print(f"clinical tables alone: {read} rows in {seconds:.1f} s, {read / seconds:.0f} rows/s")
        data, wall_s, busy_s, peak_mib = run("prepare", "mimic", "--data", str(made), "--out", str(store))
        print(
            f"prepared: {data['transitions']} transitions, {data['recordings']} recordings, {data['skipped']} skipped, "
            f"in {wall_s:.1f} s ({busy_s:.1f} s of processor), {data['recordings'] / wall_s:.0f} recordings/s with all"
        )
        print(f"greatest memory {peak_mib:.0f} MiB (asked for: below {MOST_MIB})")
        sys.exit(peak_mib >= MOST_MIB)


def run(*words: str) -> tuple[dict[str, Any], float, float, float]:
    """A command's data, its wall time and time of the processors in s, and its greatest memory in MiB."""
    start = time.perf_counter()
    with subprocess.Popen([*PROGRAM, *words, "--json"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    wall_s = time.perf_counter() - start
    return json.loads(out)["data"], wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
