"""Episodes as they are kept, made without a world model; and a world model that costs nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.tools.conftest import MadeModel
from tools.alignment.record import CandidateKept, EpisodeKept, PrescribedKept
from tools.alignment.store import Manifest
from tools.results import LabelModelUsed, ModelUsed
from worldmodel.ecg import Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.measurement import Measurement
from worldmodel.model import Request, Simulation
from worldmodel.support import why_refused

MODEL = ModelUsed(name="made", version="0", trained_on="nothing", synthetic=True, sha256="0" * 64)


class ManyModel(MadeModel):
    """Simulates the requests of a batch one after the other."""

    def encode(self, pre: Ecg, measured: Measurement) -> Any:  # noqa: ARG002
        refused = why_refused(measured)
        if refused is not None:
            raise NotSimulatableError(refused, "Give another recording.")
        return None

    def simulate_many(self, requests: Sequence[Request], k: int, progress: Any = None) -> list[Simulation]:  # noqa: ARG002
        self.batches = [*getattr(self, "batches", []), len(requests)]
        return [self.simulate(r.pre, r.measured, r.actions, r.context, k, r.seed) for r in requests]


def manifest(episodes: int, k: int = 3, seed: int = 0) -> Manifest:
    return Manifest(
        episodes=episodes,
        episodes_sha256="0",
        unit=8,
        k=k,
        seed=seed,
        model=MODEL,
        label_model=LabelModelUsed(name="made", file="made", sha256="0" * 64),
        knowledge_sha256="0",
        versions={},
    )


def kept(
    number: int,
    risks: NDArray[np.float64],
    chosen: int,
    *,
    subject: str | None = None,
    blocked: Sequence[int] = (),
    **more: Any,
) -> EpisodeKept:
    """One episode of candidates "a0", "a1", ... with `risks` (candidate, sample), of which `chosen` was prescribed."""
    candidates = tuple(
        CandidateKept(
            action=f"a{i}",
            drugs=(f"a{i}",),
            verdict="blocked" if i in blocked else "allowed",
            hours=1.0,
            risks={} if i in blocked else {"intervals": tuple(map(float, row))},
            full=() if i in blocked else (True,) * len(row),
            reaches=() if i in blocked else (None,) * len(row),
        )
        for i, row in enumerate(risks)
    )
    prescribed = PrescribedKept(
        text=f"a{chosen}",
        action=f"a{chosen}",
        drugs=(f"a{chosen}",),
        candidate=f"a{chosen}",
        standing="blocked" if chosen in blocked else "ranked",
    )
    fields: dict[str, Any] = {"indication": "x", "sex": "male", "age_years": 60.0, "severity": "mild", **more}
    return EpisodeKept(
        id=str(number),
        subject=subject or f"s{number}",
        seed=number,
        prescribed=prescribed,
        candidates=candidates,
        **fields,
    )
