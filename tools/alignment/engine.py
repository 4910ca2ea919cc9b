"""Engines: who computes which unit. All map `align_unit` over the same units, so all give the same numbers."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tools.alignment.episode import Episode
from tools.alignment.record import EpisodeKept
from tools.measure_many import WorkerError
from tools.workers import start_worker

if TYPE_CHECKING:
    from tools.alignment.unit import Plan
    from worldmodel.model import WorldModel

UNIT = 8  # episodes in one batch of the world model, with 15 candidates and K = 3 some 360 rows
Unit = tuple[int, Sequence[Episode]]
Done = tuple[int, list[EpisodeKept]]
Engine = Callable[[Sequence[Unit], "Plan"], Iterator[Done]]


def units_of(episodes: Sequence[Episode], numbers: Sequence[int], size: int = UNIT) -> list[Unit]:
    """The units of these numbers: `size` episodes each, in their order."""
    return [(number, episodes[number * size : (number + 1) * size]) for number in numbers]


def here(units: Sequence[Unit], plan: "Plan", model: "WorldModel | None" = None) -> Iterator[Done]:
    """In this process, one after the other."""
    from tools.alignment.unit import align_unit

    for number, episodes in units:
        yield number, align_unit(episodes, plan, model)


def in_processes(jobs: int) -> Engine:
    """In several processes of this machine; units come as they are done. Raises WorkerError when iterated."""

    def run(units: Sequence[Unit], plan: "Plan") -> Iterator[Done]:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # the cores are taken
        waiting = iter(units)
        try:
            with ProcessPoolExecutor(jobs, get_context("spawn"), start_worker) as pool:
                # Only so many at a time, so that memory does not grow with the number of episodes.
                running: set[Future[Done]] = set()
                for unit in waiting:
                    running.add(pool.submit(_one, unit, plan))
                    if len(running) >= 2 * jobs:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
        except BrokenProcessPool as error:
            raise WorkerError(
                "a process was ended from outside, perhaps because memory ran out",
                "Start again with fewer --jobs; what is done is not done again.",
            ) from error

    return run


def _one(unit: Unit, plan: "Plan") -> Done:
    from tools.alignment.unit import align_unit

    return unit[0], align_unit(unit[1], plan)
