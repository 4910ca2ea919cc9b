"""The words the offline planner knows: drugs and goals from the catalogue, leads, and plain English.

A word that is not among them is told to the user instead of being passed over.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from knowledge.drugs import Catalogue, DrugRoute, load_catalogue
from knowledge.names import find_drugs_in

_OF_THE = r"(?:of\s+)?(?:the|her|his|their)?\s*(?:heart|ventricular)?\s*"
_GOAL_WORDS = {
    "rate-control": rf"rate[ -]control\w*|control(?:ling)?\s+{_OF_THE}rate|slow(?:ing|s)?\s+{_OF_THE}rate",
    "rhythm-control": r"rhythm[ -]control\w*|cardioversion|cardiovert\w*|(?:maintain|restor)\w*\s+(?:sinus\s+)?rhythm",
}


@dataclass(frozen=True)
class Vocabulary:
    """The catalogue as the planner reads it."""

    catalogue: Catalogue

    @cached_property
    def drug_of_name(self) -> dict[str, str]:
        """Drug id by lower-case name, alias, brand or salt; names that two drugs share are left out."""
        owners: dict[str, set[str]] = {}
        for drug in self.catalogue.drugs:
            for name in (*drug.names, drug.id):
                owners.setdefault(tidy(name).replace("-", " "), set()).add(drug.id)
        return {name: next(iter(ids)) for name, ids in owners.items() if len(ids) == 1}

    @cached_property
    def drug_pattern(self) -> str:
        """Matches every drug name, the longest first."""
        names = sorted(self.drug_of_name, key=len, reverse=True)
        return "|".join(re.escape(name).replace(r"\ ", r"[\s-]") for name in names)

    def misspelt(self, word: str) -> str | None:
        """Id of the one drug a word is a slip away from; None where it is none or could be several."""
        found = find_drugs_in(word, self.catalogue)
        return found[0].drug.id if len(found) == 1 and found[0].text == word else None

    @cached_property
    def goals(self) -> dict[str, str]:
        """A pattern for every goal that some drug serves."""
        known = {goal for drug in self.catalogue.drugs for goal in drug.goals}
        return {goal: _GOAL_WORDS.get(goal, re.escape(goal).replace(r"\-", "[ -]")) for goal in sorted(known)}

    def name(self, drug_id: str) -> str:
        """The drug's generic name."""
        return self.catalogue.get(drug_id).name

    def route(self, drug_id: str, said: str | None) -> DrugRoute | None:
        """The route that is meant: the one said, or the drug's first. None where it is not given so."""
        routes = self.catalogue.get(drug_id).routes
        if said is None:
            return routes[0] if routes else None
        return next((r for r in routes if r.route == said), None) or next(
            (r for r in routes if r.route.startswith(said) or said.startswith(r.route)), None
        )

    def usual_dose(self, drug_id: str, said_route: str | None) -> str | None:
        """The dose and route to assume where none is said: the reference dose if usual, or else the middle one."""
        route = self.route(drug_id, said_route)
        if route is None:
            return None
        usual = route.usual_doses
        dose = route.reference_dose if route.reference_dose in usual else usual[len(usual) // 2]
        return f"{dose:g} {route.unit} {route.route}"


@lru_cache(maxsize=1)
def shared_vocabulary() -> Vocabulary:
    """The vocabulary of the catalogue that ships with the package."""
    return Vocabulary(load_catalogue())


def tidy(text: str) -> str:
    """Lower case, one kind of micro sign, quote and dash, single spaces."""
    for odd, plain in (("µ", "u"), ("μ", "u"), ("’", "'"), ("‘", "'"), ("–", "-"), ("—", "-"), ("−", "-")):
        text = text.replace(odd, plain)
    return " ".join(text.lower().split())


KNOWN_WORDS = frozenset((Path(__file__).with_name("english.txt")).read_text("utf-8").split())
