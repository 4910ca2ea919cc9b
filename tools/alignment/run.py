"""Tool: the whole run, from episodes to the result, begun or gone on with."""

from collections.abc import Callable, Sequence
from pathlib import Path

from knowledge.drugs import load_catalogue
from tools.alignment.analysis import analyse
from tools.alignment.choices import combinations_prescribed
from tools.alignment.engine import UNIT, Engine, here, units_of
from tools.alignment.episode import Episode
from tools.alignment.rankers import Ranker
from tools.alignment.read import fingerprint
from tools.alignment.result import AlignResult
from tools.alignment.store import Manifest, Store, knowledge_sha256, versions
from tools.alignment.unit import Plan
from tools.model import model_used, shared_model
from worldmodel.scoring import LAMBDA, K

Progress = Callable[[float], None]


def align_episodes(
    episodes: Sequence[Episode],
    folder: Path,
    *,
    k: int = K,
    lambda_: float = LAMBDA,
    seed: int = 0,
    engine: Engine = here,
    rankers: dict[str, Ranker] | None = None,
    progress: Progress | None = None,
) -> AlignResult:
    """Rank the candidates of each episode, compare with what was prescribed; parts and manifest go to `folder`.

    What the folder has already is not simulated again; lambda_ only orders what is stored, so it may change. rankers:
    further baselines. Raises AlignmentError where the folder is of another run, OutputError, WeightsError.
    """
    store = Store(folder, _manifest(episodes, k, seed))
    todo = store.todo()
    plan = Plan(k, seed, combinations_prescribed(episodes, load_catalogue()))
    for number, (unit, kept) in enumerate(engine(units_of(episodes, todo), plan), start=1):
        store.write(unit, kept)
        if progress:
            progress((store.units - len(todo) + number) / store.units)
    result = analyse(store.read, store.manifest, lambda_, rankers)
    return result.model_copy(update={"folder": str(folder)})


def _manifest(episodes: Sequence[Episode], k: int, seed: int) -> Manifest:
    return Manifest(
        episodes=len(episodes),
        episodes_sha256=fingerprint(episodes),
        unit=UNIT,
        k=k,
        seed=seed,
        model=model_used(shared_model().info),
        knowledge_sha256=knowledge_sha256(),
        versions=versions(),
    )
