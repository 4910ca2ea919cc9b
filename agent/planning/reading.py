"""What a question mentions: drugs with doses and routes, hours, suppositions, leads, and words unknown.

The question is cut into tokens from left to right, then doses and routes are bound to the drugs they
stand beside. What cannot be bound is kept, so that no number of the user is silently passed over.
What is asked is for `understanding` to say.
"""

import re
from dataclasses import dataclass, field, replace

from agent.assumptions import Assumptions
from agent.planning.lexing import Token, is_known, tokens_of
from agent.planning.supposing import suppositions
from agent.planning.vocabulary import Vocabulary

# Numbers that have to belong to something, or the question is not understood.
_NUMBERS = ("number", "spelled", "labvalue", "percent", "years", "kg", "mmhg", "days")


@dataclass(frozen=True)
class DrugSaid:
    """A drug as the question names it. role: action | takes | stops | except | allergic.

    joined: given together with the drug before. slip: how it was spelled, where it was misspelt.
    """

    drug_id: str
    start: int
    end: int
    role: str = "action"
    doses: tuple[str, ...] = ()
    route: str | None = None
    joined: bool = False
    slip: str = ""


@dataclass(frozen=True)
class Reading:
    """What a question mentions. joined drugs are given together with the drug before them.

    hours: when to look. scale: a factor for the last dose. loose_doses, loose_route: without a drug.
    no_leads: names of leads that there are not. repeated, spread_out: "twice daily", "over ten minutes".
    unknown: words that are neither English of the planner nor a drug; unknown_drugs: those of them that stand
    where a drug would. loose: numbers that belong to nothing.
    """

    text: str
    drugs: tuple[DrugSaid, ...] = ()
    hours: tuple[float, ...] = ()
    scale: float | None = None
    loose_doses: tuple[str, ...] = ()
    loose_route: str | None = None
    assume: Assumptions = field(default_factory=Assumptions)
    unitless_labs: tuple[str, ...] = ()
    goal: str | None = None
    no_drug: bool = False
    leads: tuple[str, ...] = ()
    no_leads: tuple[str, ...] = ()
    repeated: bool = False
    spread_out: bool = False
    unknown: tuple[str, ...] = ()
    unknown_drugs: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[DrugSaid, ...]:
        """The drugs that are to be given."""
        return tuple(drug for drug in self.drugs if drug.role == "action")

    @property
    def excepted(self) -> tuple[str, ...]:
        """Ids of the drugs that are to be left out."""
        return tuple(drug.drug_id for drug in self.drugs if drug.role == "except")


def read_question(question: str, words: Vocabulary) -> Reading:
    """Everything the question mentions, in the order of its words."""
    text, tokens = tokens_of(question, words)
    supposed = suppositions(text, tokens)
    drugs, tokens = _bind(text, [token for token in tokens if token not in supposed.used])
    unknown, unknown_drugs = _unknown(text, tokens)
    by_kind: dict[str, list[Token]] = {}
    for token in tokens:
        by_kind.setdefault(token.kind, []).append(token)

    def values(*kinds: str) -> tuple[str, ...]:
        return tuple(token.value for kind in kinds for token in by_kind.get(kind, ()))

    return Reading(
        text=text,
        drugs=drugs,
        hours=tuple(dict.fromkeys(map(float, filter(None, values(*_hours_of(drugs)))))),
        no_drug="nodrug" in by_kind,
        scale=next(map(float, values("scale")), None),
        loose_doses=values("dose"),
        loose_route=next(iter(values("route")), None),
        assume=_with_drugs(supposed.assume, drugs, words),
        unitless_labs=supposed.unitless,
        goal=next(iter(values("goal")), None),
        leads=values("lead"),
        no_leads=values("nolead"),
        repeated="frequency" in by_kind,
        spread_out="over" in by_kind,
        unknown=unknown,
        unknown_drugs=unknown_drugs,
        loose=values(*_NUMBERS),
    )


_ROLE_BEFORE = {
    "allergic": r"allerg(?:ic|y)\s+to\s+(?:\w+\s+)?$",
    "stops": r"\b(?:(?:switch|chang|convert|mov|go)(?:e|es|ed|ing)?\s+(?:\w+\s+)?from|replac(?:e|ing)"
    r"|stop(?:s|ped|ping)?|without|off|hold(?:ing)?|held|withh[eo]ld(?:ing)?|discontinu\w+|withdr[ae]w\w*"
    r"|not\s+(?:on|taking)|no\s+longer\s+(?:on|taking|takes))\s+(?:the\s+|her\s+|his\s+)?$",
    "takes": r"\b(?:she|he|they|patient|who|her|him|already|currently|also|is|was|were)(?:'s)?\b[^,.;?]{0,20}?"
    r"\b(?:on|taking|takes|take|taken|took|receiving|receives|gets)\s+(?:also\s+|already\s+)?(?:\d[\d.,]*\s*[a-z]+\s+(?:of\s+)?)?$|\btakes\s+$",
    "except": r"\b(?:but\s+not|other\s+than|except(?:\s+for)?|besides|apart\s+from|excluding|not|no|never|avoid(?:ing)?"
    r"|(?:anything|everything|all)\s+but|(?:don't|do\s+not|never|not)\s+(?:give|use|want|start|try)(?:\s+(?:her|him))?)\s+$",
}
_CHAIN = re.compile(r"\s*(?:,|and|or|nor|,\s*and)\s*$")
_BESIDE = re.compile(r"(?:\s|\b(?:of|a|an|the|single|dose|doses|at|in|iv|with)\b|[(:])*")
_JOINED = re.compile(r"\s*(?:\+|plus|with|together\s+with|on\s+top\s+of|combined\s+with|and\s+also|to)\s*")
_TOGETHER = re.compile(
    r"\b(?:together|combin\w+|both\s+at\s+once|simultaneously|concomitant\w*|at\s+the\s+same\s+time)\b"
)
_APART = re.compile(r"\bnot\s+(?:both\s+)?together\b|\bseparately\b|\beach\s+(?:alone|by\s+itself)\b")
_COMPARED = re.compile(r"\b(?:compar\w+|versus|vs|differen\w+|safer|better|worse)\b")


def _bind(text: str, tokens: list[Token]) -> tuple[tuple[DrugSaid, ...], list[Token]]:
    """The drugs with their roles, doses and routes, and the tokens that are left."""
    drugs = [
        DrugSaid(t.value, t.start, t.end, slip=t.text if t.slip else "") for t in tokens if t.kind == "drug"
    ]
    drugs = _with_roles(text, drugs)
    used: set[Token] = {t for t in tokens if t.kind == "drug"}
    for kind in ("dose", "route"):
        for token in [t for t in tokens if t.kind == kind]:
            place = _owner(text, token, tokens, drugs)
            if place is not None:
                used.add(token)
                drug = drugs[place]
                drugs[place] = (
                    replace(drug, doses=(*drug.doses, token.value))
                    if kind == "dose"
                    else replace(drug, route=token.value)
                )
    return tuple(_with_joints(text, tokens, drugs)), [t for t in tokens if t not in used]


def _hours_of(drugs: tuple[DrugSaid, ...]) -> tuple[str, ...]:
    """Kinds of tokens that say when to look; "given 3 hours ago" does, unless it is a drug that is taken anyhow."""
    taken = any(drug.role == "takes" for drug in drugs)
    return ("hours", "minutes") if taken else ("hours", "minutes", "ago")


def _with_roles(text: str, drugs: list[DrugSaid]) -> list[DrugSaid]:
    """Each drug with what it is to the patient, by the words before it; "A and B" share A's role."""
    found: list[DrugSaid] = []
    for drug in drugs:
        before = text[: drug.start]
        role = next((role for role, pattern in _ROLE_BEFORE.items() if re.search(pattern, before)), None)
        if (
            role is None
            and found
            and found[-1].role != "action"
            and _CHAIN.fullmatch(text[found[-1].end : drug.start])
        ):
            role = found[-1].role
        found.append(replace(drug, role=role or "action"))
    return found


def _owner(text: str, token: Token, tokens: list[Token], drugs: list[DrugSaid]) -> int | None:
    """The drug a dose or route belongs to: the one beside it, or the only one there is."""
    actions = [i for i, drug in enumerate(drugs) if drug.role in ("action", "takes")]
    left = next((i for i in reversed(actions) if drugs[i].end <= token.start), None)
    right = next((i for i in actions if drugs[i].start >= token.end), None)
    beside_left = left is not None and _beside(text, drugs[left].end, token.start, tokens)
    beside_right = right is not None and _beside(text, token.end, drugs[right].start, tokens)
    if beside_left and beside_right and left is not None:
        taken = drugs[left].doses if token.kind == "dose" else drugs[left].route
        return right if taken else left
    if beside_left or beside_right:
        return left if beside_left else right
    strangers = _unknown(text, tokens)[1]
    if len(drugs) == len(actions) == 1 and not strangers:
        drug = drugs[0]
        return 0 if token.kind == "route" or not drug.doses else None
    return None


def _beside(text: str, start: int, end: int, tokens: list[Token]) -> bool:
    """Whether nothing but small words lies between two places; and between doses of one drug, "or"."""
    between = _without_doses(text, start, end, tokens)
    if between != " ".join(text[start:end].split()):
        between = re.sub(r"\b(?:and|or|vs|versus)\b|,", " ", between)
    return _BESIDE.fullmatch(between) is not None


def _with_joints(text: str, tokens: list[Token], drugs: list[DrugSaid]) -> list[DrugSaid]:
    """Marks drugs that are given together with the one before: "A plus B", "A with B", "A and B together"."""
    together = _TOGETHER.search(text) is not None
    compared = (_COMPARED.search(text) or _APART.search(text)) is not None
    joined: list[DrugSaid] = []
    for drug in drugs:
        joint = False
        if joined and joined[-1].role == drug.role == "action":
            between = _without_doses(text, joined[-1].end, drug.start, tokens)
            plus = _JOINED.fullmatch(between) is not None and not (compared and between in ("with", "to"))
            joint = plus or (together and not compared)
        joined.append(replace(drug, joined=joint))
    return joined


def _without_doses(text: str, start: int, end: int, tokens: list[Token]) -> str:
    """The words between two places, without the doses and routes among them."""
    between = text[start:end]
    for token in tokens:
        if token.kind in ("dose", "route", "frequency") and start <= token.start and token.end <= end:
            between = between.replace(token.text, " ", 1)
    return " ".join(between.split())


def _with_drugs(assume: Assumptions, drugs: tuple[DrugSaid, ...], words: Vocabulary) -> Assumptions:
    by_role = {
        key: [words.name(drug.drug_id) for drug in drugs if drug.role == role]
        for key, role in (("takes", "takes"), ("stops", "stops"), ("allergic_to", "allergic"))
    }
    return assume.model_copy(update={key: names for key, names in by_role.items() if names})


_GIVING = (
    "give|gave|giving|start|starting|try|trying|add|adding|prescribe|prescribing|administer|administering|use|using"
    "|compare|comparing|versus|vs|or|than|about|is|does|to|on|with|after|of|exclude|why"
)
_SLOT = re.compile(rf"\b(?:{_GIVING})\s+(?:her|him|them|the|patient|some)?\s*$")


def _unknown(text: str, tokens: list[Token]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Words that are not known, and those of them that stand where a drug would."""
    strange: list[str] = []
    drugs: list[str] = []
    for at, token in enumerate(tokens):
        if token.kind != "word" or len(token.text) < 3 or is_known(token.text):
            continue
        if at and tokens[at - 1].text in ("mr", "mrs", "ms", "dr"):
            continue
        strange.append(token.text)
        near = [t for t in tokens[max(0, at - 1) : at + 2] if t.kind == "dose"]
        if near or _SLOT.search(text[: token.start]):
            drugs.append(" ".join([token.text, *(t.value for t in near)]))
    return tuple(dict.fromkeys(strange)), tuple(dict.fromkeys(drugs))
