"""What could have been given at the time of a decision, and which of it the prescription counts as."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from knowledge.doses import DrugDose, GivenAction, parse_action
from knowledge.drugs import Catalogue
from knowledge.errors import DoseError, UnknownDrugError
from tools.alignment.episode import Episode
from tools.goals import candidates_for

MOST_COMBINATIONS = 10
MOST_OCTAVES = 1.0  # between a prescribed dose and the usual one it counts as

Combinations = Mapping[GivenAction, frozenset[str]]
MATCHING = (
    "a prescription counts as the candidate of the same drugs and routes whose doses are nearest, by their ratio, and "
    "within a factor of two"
)
CANDIDATES = (
    "the usual doses of the drugs for the goal, one by one, and the combinations of them that other subjects were "
    f"prescribed, at most the {MOST_COMBINATIONS} most frequent"
)


def combinations_prescribed(episodes: Iterable[Episode], catalogue: Catalogue) -> Combinations:
    """The combinations of drugs among the prescriptions, in usual doses, with the subjects who were given each."""
    given: dict[GivenAction, set[str]] = defaultdict(set)
    read: dict[str, GivenAction | None] = {}
    for episode in episodes:
        if episode.prescribed not in read:
            read[episode.prescribed] = _combination(episode.prescribed, catalogue)
        combination = read[episode.prescribed]
        if combination is not None:
            given[combination].add(episode.subject)
    return {action: frozenset(subjects) for action, subjects in given.items()}


def choices_for(
    goal: str | None, subject: str, combinations: Combinations, catalogue: Catalogue
) -> list[GivenAction]:
    """CANDIDATES for one episode. What this subject was prescribed has no say in it. Raises UnknownDrugError."""
    single = candidates_for(goal, (), catalogue)
    serving = {action.doses[0].drug_id for action in single}
    others = {
        action: len(subjects - {subject})
        for action, subjects in combinations.items()
        if all(dose.drug_id in serving for dose in action.doses) and subjects - {subject}
    }
    frequent = sorted(others, key=lambda action: (-others[action], str(action)))
    return single + frequent[:MOST_COMBINATIONS]


def nearest(action: GivenAction, choices: Sequence[GivenAction]) -> GivenAction | None:
    """The choice that an action counts as (MATCHING); of two as near, the lower dose."""
    apart = [
        (octaves, sum(dose.dose for dose in choice.doses), number)
        for number, choice in enumerate(choices)
        if (octaves := _octaves(action, choice)) is not None and octaves <= MOST_OCTAVES + 1e-9
    ]
    return choices[min(apart)[2]] if apart else None


def _octaves(action: GivenAction, choice: GivenAction) -> float | None:
    """The greatest ratio between doses, as its binary logarithm; None where drugs or routes differ."""
    one, other = ({(d.drug_id, d.route): d.dose for d in given.doses} for given in (action, choice))
    if set(one) != set(other) or len(one) != len(action.doses):
        return None
    return max((abs(math.log2(one[key] / other[key])) for key in one), default=0.0)


def _combination(text: str, catalogue: Catalogue) -> GivenAction | None:
    """Several drugs in usual doses, in one order; None where the text names one drug, or none that is understood."""
    try:
        given = parse_action(text, catalogue)
    except (UnknownDrugError, DoseError):
        return None
    if len({dose.drug_id for dose in given.doses}) < 2:
        return None
    usual: list[DrugDose] = []
    for dose in given.doses:
        route = catalogue.get(dose.drug_id).route(dose.route)
        near = [
            GivenAction(doses=(dose.model_copy(update={"dose": usual_dose}),))
            for usual_dose in route.usual_doses
        ]
        found = nearest(GivenAction(doses=(dose,)), near)
        if found is None:
            return None
        usual += found.doses
    return GivenAction(doses=tuple(sorted(usual, key=lambda dose: (dose.drug_id, dose.route))))
