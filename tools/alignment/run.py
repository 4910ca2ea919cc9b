"""Tool: the whole run, from episodes to the result, begun or gone on with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.drugs import load_catalogue
from tools.alignment.analysis import analyse
from tools.alignment.choices import combinations_prescribed
from tools.alignment.engine import UNIT, Engine, here, units_of
from tools.alignment.episode import AlignmentError, Episode
from tools.alignment.language import Ask, LanguageModel, LanguageUse, Price
from tools.alignment.rankers import Ranker
from tools.alignment.read import fingerprint
from tools.alignment.result import AlignResult
from tools.alignment.store import Manifest, Store, versions
from tools.alignment.unit import Plan
from tools.model import label_model, model_used, shared_model
from tools.provenance import knowledge_sha256
from worldmodel.scoring import LAMBDA, K

Progress = Callable[[float], None]
LANGUAGE = "language model alone"


@dataclass(frozen=True)
class Language:
    """A language model to compare with: its name, how to ask it, what it costs, and how much it may cost."""

    name: str
    ask: Ask
    price: Price = field(default_factory=Price)
    most_usd: float | None = None


def align_episodes(
    episodes: Sequence[Episode],
    folder: Path,
    *,
    k: int = K,
    lambda_: float = LAMBDA,
    seed: int = 0,
    engine: Engine = here,
    language: Language | None = None,
    progress: Progress | None = None,
) -> AlignResult:
    """Rank the candidates of each episode, compare with what was prescribed; parts and manifest go to `folder`.

    What the folder has already is not simulated again; lambda_ only orders what is stored, so it may change. language:
    one more baseline, asked after all is simulated. Raises AlignmentError where the folder is of another run,
    OutputError, WeightsError.
    """
    store = Store(folder, _manifest(episodes, k, seed))
    todo = store.todo()
    plan = Plan(k, seed, combinations_prescribed(episodes, load_catalogue()))
    for number, (unit, kept) in enumerate(engine(units_of(episodes, todo), plan), start=1):
        store.write(unit, kept)
        if progress:
            progress((store.units - len(todo) + number) / store.units)
    rankers: dict[str, Ranker] = {}
    used = None
    if language is not None:
        model = LanguageModel(language.name, folder, language.price)
        used = model.ask_all(store.read(), language.ask, language.most_usd)
        rankers[LANGUAGE] = model.rank
    result = analyse(store.read, store.manifest, lambda_, rankers)
    warnings = (*result.warnings, *(_shortfall(used) if used else ()))
    return result.model_copy(update={"folder": str(folder), "language_model": used, "warnings": warnings})


def language_cost(
    episodes: Sequence[Episode], folder: Path, *, k: int, seed: int, name: str, price: Price
) -> LanguageUse:
    """A dry run: what asking the language model would cost, from the episodes that are simulated, for all.

    Nothing is asked. Raises AlignmentError where nothing is simulated yet, or the folder is of another run.
    """
    if not folder.exists():
        raise AlignmentError(
            f"{folder} does not exist, so there are no candidates to ask about yet.",
            "Run once without --language-model; the dry run then counts its episodes.",
        )
    store = Store(folder, _manifest(episodes, k, seed))
    done = sum(1 for _ in store.read())
    estimated = LanguageModel(name, folder, price).estimate(store.read())
    scale = len(episodes) / max(1, done)
    return estimated.model_copy(
        update={
            "calls": round(scale * estimated.calls),
            "input_tokens": round(scale * estimated.input_tokens),
            "output_tokens": round(scale * estimated.output_tokens),
            "usd": round(scale * estimated.usd, 4),
        }
    )


def _shortfall(used: LanguageUse) -> list[str]:
    told = [f"The language model was stopped: {used.stopped}."] if used.stopped else []
    if used.unanswered:
        told.append(f"{used.unanswered} questions have no answer; the language model ranks those by lot.")
    return told


def _manifest(episodes: Sequence[Episode], k: int, seed: int) -> Manifest:
    return Manifest(
        episodes=len(episodes),
        episodes_sha256=fingerprint(episodes),
        unit=UNIT,
        k=k,
        seed=seed,
        model=model_used(shared_model().info),
        label_model=label_model().used,
        knowledge_sha256=knowledge_sha256(),
        versions=versions(),
    )
