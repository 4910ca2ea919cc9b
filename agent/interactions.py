"""Interactions of drugs, read from the rules by name and class; nothing is searched by likeness here."""

from collections.abc import Sequence

from agent.state import Json
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.errors import UnknownDrugError
from knowledge.names import resolve_drug
from knowledge.rules import Rule, load_rules
from tools.mask import SEVERITIES

_GRAVEST_FIRST = "BWCI"


def interactions_of(drugs: Sequence[str]) -> list[Json]:
    """The rules on one drug with any other, or on these drugs with each other; the gravest first.

    Raises UnknownDrugError for a name that is none or several.
    """
    catalogue = load_catalogue()
    ids = [_id_of(name, catalogue) for name in drugs]
    rules = [rule for rule in load_rules() if rule.partners and _concerns(rule, ids, catalogue)]
    rules.sort(key=lambda rule: (_GRAVEST_FIRST.index(rule.severity), rule.id))
    return [
        {
            "id": rule.id,
            "kind": "rule",
            "severity": SEVERITIES[rule.severity],
            "text": rule.text,
            "source": rule.source,
        }
        for rule in rules
    ]


def _concerns(rule: Rule, ids: Sequence[str], catalogue: Catalogue) -> bool:
    """Whether the rule speaks of the one drug on either side, or of two of them on both sides."""
    given = _members(rule.drugs, catalogue) - _members(rule.but_not, catalogue)
    partners = _members(rule.partners, catalogue) - _members(rule.partners_but_not, catalogue)
    if len(ids) == 1:
        return ids[0] in given | partners
    return any(a in given and b in partners for a in ids for b in ids if a != b)


def _members(names: Sequence[str], catalogue: Catalogue) -> frozenset[str]:
    return frozenset().union(*(catalogue.members(name) for name in names))


def _id_of(name: str, catalogue: Catalogue) -> str:
    found = resolve_drug(name, catalogue)
    if found.drug is None:
        near = ", ".join(drug.name for drug in found.suggestions)
        raise UnknownDrugError(
            f"no drug is called {name!r}", f"Did you mean {near}?" if near else "Try `kb search`."
        )
    return found.drug.id
