"""Measuring thousands of recordings: chunk by chunk, by several processes, only a few chunks in memory at a time."""

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

from tools.errors import ToolError
from tools.find import Found
from tools.measure import MeasureResult, Recording, file_name, measure_file
from tools.measured_file import MeasuredFile
from tools.tally import Entry, Tally
from tools.window import Window
from tools.workers import start_worker
from worldmodel.readers.stated import NOTHING_STATED, Stated

CHUNK = 16  # recordings that a kill loses, at most, of each process
# A process takes about two seconds to start; with fewer recordings one is done as soon.
WORTH_PROCESSES = 100

Progress = Callable[[float], None]
Chunk = tuple[Recording, ...]


class WorkerError(ToolError):
    """One of the processes that measure was ended from outside, as systems do that run out of memory."""


def measure_each(
    files: Sequence[Path],
    window: Window | None = None,
    stated: Stated = NOTHING_STATED,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Generator[Chunk, None, None]:
    """The recordings of `files` in their order, in chunks as they are done; progress is told the fraction.

    Cores are shared by processes, as most of measuring is many small steps that one process cannot share out.
    Close the iterator when leaving it early, so that the processes end. Raises WorkerError.
    """
    chunks = [tuple(files[first : first + CHUNK]) for first in range(0, len(files), CHUNK)]
    many = jobs > 1 and len(files) >= WORTH_PROCESSES
    done = 0
    with closing((_in_processes if many else _here)(chunks, window, stated, jobs)) as measured:
        for chunk in measured:
            done += len(chunk)
            if progress:
                progress(done / len(files))
            yield chunk


def summarise(
    found: Found,
    out: MeasuredFile | None = None,
    window: Window | None = None,
    stated: Stated = NOTHING_STATED,
    jobs: int = 1,
    progress: Progress | None = None,
) -> MeasureResult:
    """Measure what was found and keep the counts; the recordings go to `out`, but for those that it has already.

    The counts include those. Raises OutputError, WorkerError.
    """
    done = dict(out.done) if out else {}
    tally = Tally()
    tally.add(done.values())
    problems = tuple(problem for problem in found.problems if not out or not out.has(problem.file))
    todo = files_to_do(found, out)
    with closing(measure_each(todo, window, stated, jobs, progress)) as chunks:
        for chunk in chain([problems], chunks):
            if out:
                out.append(chunk)
            tally.add(map(Entry.of, chunk))
    summary = tally.summary(out.path if out else None, len(done))
    return MeasureResult(recordings=(), passed_over=found.passed_over, summary=summary)


def files_to_do(found: Found, out: MeasuredFile | None) -> list[Path]:
    """The files that `out` has not yet, each once."""
    return list(dict.fromkeys(file for file in found.files if not out or not out.has(file_name(file))))


def _here(
    chunks: Sequence[tuple[Path, ...]], window: Window | None, stated: Stated, _: int
) -> Generator[Chunk, None, None]:
    for chunk in chunks:
        yield _measure_chunk(chunk, window, stated)


def _in_processes(
    chunks: Sequence[tuple[Path, ...]], window: Window | None, stated: Stated, jobs: int
) -> Generator[Chunk, None, None]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread in each process: the cores are taken
    context = get_context("spawn")
    try:
        with ProcessPoolExecutor(min(jobs, len(chunks)), context, start_worker) as pool:
            everywhere = [window] * len(chunks), [stated] * len(chunks)
            yield from pool.map(_measure_chunk, chunks, *everywhere)
    except BrokenProcessPool as error:
        raise WorkerError(
            "a process that measures was ended from outside, perhaps because memory ran out",
            "Try again with fewer --jobs; with --out, what is done is not done again.",
        ) from error


def _measure_chunk(files: Sequence[Path], window: Window | None, stated: Stated) -> Chunk:
    return tuple(measure_file(file, window, stated) for file in files)
