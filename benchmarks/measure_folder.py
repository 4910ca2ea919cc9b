"""Measuring a large folder: recordings per second, memory, and what a kill half way loses.

    python benchmarks/measure_folder.py [--records 2000] [--jobs 2] [--out jsonl]

Makes a folder of small WFDB records (made ECGs, ten seconds, 250 Hz), measures it, then measures it again, kills
that run with SIGKILL when half is written, and lets it go on. The last two must agree to the byte.
"""

import argparse
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from delineation import made_ecgs

PROGRAM = (sys.executable, "-m", "agent.cli", "measure")
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
A_FOLDER = 500


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", choices=("jsonl", "csv"), default="jsonl")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "records"
        make_records(folder, arguments.records)
        whole, torn = (Path(made) / f"{name}.{arguments.out}" for name in ("whole", "torn"))
        command = [*PROGRAM, str(folder), "--jobs", str(arguments.jobs), "--out"]
        report("whole", arguments.records, *run([*command, str(whole)]))
        size = whole.stat().st_size
        run([*command, str(torn)], kill_at_bytes=size // 2)
        left = lines(torn)
        print(f"killed at {left} of {arguments.records} lines ({torn.stat().st_size} of {size} bytes)")
        report("resumed", arguments.records - left, *run([*command, str(torn)]))
        same = torn.read_bytes() == whole.read_bytes()
        print(f"resumed file {'equals' if same else 'DIFFERS FROM'} the whole one ({lines(torn)} lines)")
        sys.exit(not same)


def make_records(folder: Path, count: int) -> None:
    """Records in subfolders, with an index beside them that is no recording; 16 ECGs, used again and again."""
    samples = [(ecg[:, ::2] * 1000).astype("<i2") for ecg in made_ecgs(16)]
    for number in range(count):
        place = folder / f"{number // A_FOLDER:03d}"
        place.mkdir(parents=True, exist_ok=True)
        name, stored = f"r{number:05d}", samples[number % len(samples)]
        sums = stored.sum(axis=1, dtype=np.int64).astype(np.int16)
        signals = [
            f"{name}.dat 16 1000(0)/mV 16 0 {first} {checksum} 0 {lead}"
            for lead, first, checksum in zip(LEADS, stored[:, 0], sums, strict=True)
        ]
        (place / f"{name}.dat").write_bytes(stored.T.tobytes())
        (place / f"{name}.hea").write_text("\n".join([f"{name} 12 250 {stored.shape[1]}", *signals]) + "\n")
    (folder / "index.csv").write_text("record,age\n" + "".join(f"r{n:05d},60\n" for n in range(count)))


def run(command: list[str], kill_at_bytes: int | None = None) -> tuple[float, float, int]:
    """Wall time and time of the processors in s, and the greatest memory of all processes together in MiB."""
    start, busy = time.perf_counter(), cpu_s()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peaks = [0]
    ended = threading.Event()
    watch = threading.Thread(target=watch_memory, args=(process.pid, peaks, ended))
    watch.start()
    out = Path(command[-1])
    while process.poll() is None:
        if kill_at_bytes is not None and out.exists() and out.stat().st_size >= kill_at_bytes:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.02)
    ended.set()
    watch.join()
    return time.perf_counter() - start, cpu_s() - busy, peaks[0]


def cpu_s() -> float:
    """Of the children that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch_memory(pid: int, peaks: list[int], ended: threading.Event) -> None:
    """Sums the resident memory of a process and its children, where /proc tells it (Linux)."""
    while not ended.wait(0.1) and Path("/proc").is_dir():
        children = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and parent(p) == pid]
        peaks[0] = max(peaks[0], sum(map(resident_mib, (pid, *children))))


def parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def resident_mib(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
    except OSError:
        return 0


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def report(name: str, count: int, seconds: float, cpu: float, peak_mib: int) -> None:
    speed = f"{count / seconds:.1f} a second, {1000 * cpu / count:.0f} ms of CPU each"
    print(f"{name:8} {count} in {seconds:.1f} s: {speed}, at most {peak_mib} MiB", flush=True)


if __name__ == "__main__":
    main()
