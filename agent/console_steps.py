"""What a terminal shows while the graph works: the step that is done, and how far a simulation is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from agent.session import OnStep
from agent.state import Json

STEPS = {
    "intake": "measuring",
    "mask": "checking the mask",
    "propose": "choosing tools",
    "consult": "looking up",
    "simulate": "simulating",
    "score": "scoring",
    "explain": "explaining",
}


@contextmanager
def showing_steps() -> Iterator[OnStep | None]:
    """A callback for the stream of the graph, shown on stderr where that is a terminal; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading the case") as status:

        def show(event: Json) -> None:
            if "progress" in event:
                status.update(f"simulating {event['progress']:.0%}")
            else:
                status.update(f"{STEPS.get(event['step'], event['step'])}: {event.get('text', '')}")

        yield show
