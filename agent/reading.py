"""What a question mentions: drugs with doses and routes, hours, suppositions, leads, and words unknown.

The question is cut into tokens from left to right, then doses and routes are bound to the drugs they
stand beside. What cannot be bound is kept, so that no number of the user is silently passed over.
What is asked is for `understanding` to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from agent.assumptions import Assumptions, Lab
from agent.vocabulary import KNOWN_WORDS, Vocabulary, tidy

_MASS = r"(?:ug|mcg|micrograms?|mg|milligramm?e?s?|g|grams?|iu|units?)"
_LABS = {
    "potassium": r"potassium|(?<![\w.])k\+?(?=\s*(?:of|were|was|is|=|at|:|to|\d))",
    "magnesium": "magnesium",
    "ionized_calcium": r"ioni[sz]ed\s+calcium",
    "calcium": "calcium",
    "sodium": "sodium",
    "creatinine": "creatinine",
    "glucose": "glucose",
    "digoxin": r"digoxin\s+(?:level|concentration)",
    "inr": "inr",
    "alt": r"\balt\b",
    "platelets": r"platelets?(?:\s+count)?",
}
_ONE_UNIT = {"potassium": "mmol/L", "sodium": "mmol/L", "inr": None}  # the rest differ between conventions
_ROUTES = {
    "iv infusion": r"(?:i\.?v\.?\s+|intravenous\s+)?(?:infusion|drip)",
    "iv": r"i\.?v\.?(?!\w)(?:\s+(?:bolus|push))?|intravenous(?:ly)?(?:\s+bolus)?|bolus|injected|injection",
    "oral": r"oral(?:ly)?|p\.?o\.?(?!\w)|per\s+os|by\s+mouth|tablets?",
}
_SCALES = {
    0.5: r"half(?:\s+(?:of\s+)?(?:the|that|this))?\s+(?:the\s+)?dose|half\s+of\s+(?:that|it)|half\s+that|halv(?:e|ed|ing)",
    2.0: r"double\s+(?:the\s+|that\s+)?dose|twice\s+(?:the|that)(?:\s+dose)?|doubl(?:e|ed|ing)",
    3.0: r"triple\s+(?:the\s+)?dose|three\s+times\s+the\s+dose|tripl(?:e|ed|ing)",
    0.25: r"(?:a\s+)?quarter\s+(?:of\s+)?(?:the|that)(?:\s+dose)?",
    1 / 3: r"(?:a\s+|one\s+)?third\s+of\s+(?:the|that)(?:\s+dose)?",
}
_COUNTS = {
    w: str(n)
    for n, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
}
_COUNTS |= {"half a": "0.5", "half an": "0.5", "an": "1", "twenty-four": "24", "twenty": "20", "thirty": "30"}
_COUNTED = re.compile(
    rf"\b({'|'.join(sorted(_COUNTS, key=len, reverse=True))})\s+(?={_MASS}\b|h\b|hours?\b)", re.IGNORECASE
)
_NUM = r"\d+(?:[.,]\d+)?|\.\d+"
_COPULA = re.compile(
    r"(?:\s|\b(?:level|levels|concentration|count|value|is|was|were|are|of|at|to|had|been|be|being|would|will|went|goes|go"
    r"|drops?|dropped|falls?|fell|rises?|rose|down|up|becomes?|corrected|only|just|equals?|now|raised|lowered|normali[sz]ed"
    r"|reached|above|below|serum|her|his|a|the)\b|[=:])*"
)


@dataclass(frozen=True)
class Token:
    """A piece of the tidied question; `kind` is a name of the lexer, `value` what it stands for."""

    kind: str
    text: str
    start: int
    end: int
    value: str = ""
    slip: bool = False


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

    unknown: words that are neither English of the planner nor a drug. unknown_drugs: those of them that
    stand where a drug would. loose_dose: a dose without a drug. loose: numbers that belong to nothing.
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
    labs: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
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
    text = _COUNTED.sub(lambda m: _COUNTS[m[1].lower()] + " ", tidy(question))
    tokens = _spread_units(_tokens(text, words))
    assume, unitless, tokens = _suppositions(text, tokens)
    drugs, tokens = _bind(text, tokens)
    assume = _with_drugs(assume, drugs, words)
    unknown, unknown_drugs = _unknown(text, tokens)
    return Reading(
        text=text,
        drugs=drugs,
        hours=tuple(dict.fromkeys(float(t.value) for t in tokens if t.kind in ("hours", "minutes"))),
        scale=next((float(t.value) for t in tokens if t.kind == "scale"), None),
        loose_doses=tuple(t.value for t in tokens if t.kind == "dose"),
        loose_route=next((t.value for t in tokens if t.kind == "route"), None),
        assume=assume,
        unitless_labs=unitless,
        goal=next((t.value for t in tokens if t.kind == "goal"), None),
        labs=tuple(t.value for t in tokens if t.kind == "lab"),
        leads=tuple(t.text for t in tokens if t.kind == "lead"),
        repeated=any(t.kind == "frequency" for t in tokens),
        spread_out=any(t.kind == "over" for t in tokens),
        unknown=unknown,
        unknown_drugs=unknown_drugs,
        loose=tuple(
            t.text
            for t in tokens
            if t.kind in ("number", "labvalue", "percent", "years", "kg", "mmhg", "days")
        ),
    )


@lru_cache(maxsize=4)
def _lexer(words: Vocabulary) -> re.Pattern[str]:
    number = rf"(?<![\w.])(?:{_NUM})"
    named = {
        "frequency": r"\b(?:[bt]id|qid|q\d+\s?h|every\s+\d+\s*h(?:ours?)?|(?:once|twice|\w+\s+times)\s+(?:a\s+|per\s+)?da(?:y|ily)|daily)\b",
        "ago": rf"{number}\s*(?:h|hours?|min|minutes|days?)\s+ago\b",
        "labvalue": rf"{number}\s*(?:mmol|meq|mg|ug|umol|u|ng|nmol|g|iu)\s*(?:/|per)\s*(?:l|dl|ml)\b",
        "dose": rf"{number}\s*-?\s*{_MASS}(?:\s*(?:/|per)\s*kg)?(?:\s*(?:/|per)\s*(?:min(?:ute)?|h(?:our|r)?))?(?![\w/])",
        "over": rf"\bover\s+(?:{_NUM})\s*(?:min|minutes?|h|hrs?|hours?)\b",
        "hours": rf"{number}\s*-?\s*(?:h|hrs?|hours?)\b",
        "minutes": rf"{number}\s*-?\s*(?:min|minutes?)\b",
        "days": rf"{number}\s*-?\s*(?:days?|weeks?|months?)\b",
        "years": rf"{number}[\s-]*(?:years?|yo|y/o)\b(?:[\s-]*old)?",
        "percent": rf"{number}\s*(?:%|percent)",
        "kg": rf"{number}\s*kg\b",
        "mmhg": rf"{number}\s*mm\s?hg\b",
        "ms": rf"{number}\s*(?:ms|milliseconds?|bpm)\b",
        "scale": "|".join(rf"\b(?:{pattern})\b" for pattern in _SCALES.values()),
        "drug": rf"(?<![\w-])(?:{words.drug_pattern})(?:'s)?(?![\w-])(?!\s+(?:level|concentration))",
        "lab": "|".join(rf"\b(?:{pattern})" for pattern in _LABS.values()),
        "goal": "|".join(rf"\b(?:{pattern})" for pattern in words.goals.values()),
        "route": "|".join(rf"\b(?:{pattern})" for pattern in _ROUTES.values()),
        "lead": r"\b(?:v[1-6](?:\s*(?:-|to)\s*v?[1-6])?|av[rlf]|lead\s+(?:i{1,3}|av[rlf]|v[1-6]))\b",
        "number": number,
        "word": r"[^\W\d_][\w'/-]*",
        "mark": r"[^\w\s]",
        "stray": r"\S+",
    }
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in named.items() if pattern))


def _tokens(text: str, words: Vocabulary) -> list[Token]:
    found = []
    for match in _lexer(words).finditer(text):
        kind, text = match.lastgroup or "word", match[0]
        value = _value(kind, match, words)
        slip = words.misspelt(text) if kind == "word" and not _is_known(text) else None
        found.append(
            Token("drug" if slip else kind, text, match.start(), match.end(), slip or value, bool(slip))
        )
    return found


def _value(kind: str, match: re.Match[str], words: Vocabulary) -> str:
    text = match[0]
    if kind == "drug":
        return words.drug_of_name[re.sub(r"'s$", "", text).replace("-", " ")]
    if kind == "dose":
        return _dose(text)
    if kind in ("hours", "minutes"):
        return f"{_amount(text) / (60 if kind == 'minutes' else 1):g}"
    tables: dict[str, Mapping[Any, str]] = {
        "scale": _SCALES,
        "lab": _LABS,
        "route": _ROUTES,
        "goal": words.goals,
    }
    if kind in tables:  # matched where it stands: some patterns look at what follows
        named = ((value, re.compile(pattern)) for value, pattern in tables[kind].items())
        return next(str(value) for value, pattern in named if pattern.match(match.string, match.start()))
    return text


def _amount(text: str) -> float:
    match = re.match(_NUM, text)
    assert match is not None  # the lexer found a number here
    return float(match[0].replace(",", "."))


def _dose(text: str) -> str:
    amount = re.match(_NUM, text)
    assert amount is not None
    unit = text[amount.end() :].strip(" -")
    for pattern, plain in (
        (r"^(?:mcg|micrograms?)", "ug"),
        (r"^milligramm?e?s?", "mg"),
        (r"^grams?", "g"),
        (r"\s*(?:/|per)\s*kg", "/kg"),
        (r"\s*(?:/|per)\s*min(?:ute)?$", "/min"),
        (r"\s*(?:/|per)\s*h(?:our|r)?$", "/h"),
    ):
        unit = re.sub(pattern, plain, unit)
    return f"{amount[0].replace(',', '.')} {unit}"


def _spread_units(tokens: list[Token]) -> list[Token]:
    """In "2 and 6 h" and "250 or 500 ug" the bare number has the unit of the next one."""
    spread = list(tokens)
    for i in range(len(spread) - 3, -1, -1):
        token, joint, after = spread[i], spread[i + 1], spread[i + 2]
        if joint.text == "," and after.text in ("and", "or") and i + 3 < len(spread):
            after = spread[i + 3]
        if (
            token.kind == "number"
            and joint.text in ("and", "or", ",", "/", "vs", "versus")
            and after.kind in ("hours", "dose")
        ):
            unit = after.value.partition(" ")[2]
            value = f"{token.text.replace(',', '.')} {unit}".strip()
            spread[i] = replace(token, kind=after.kind, value=value)
    return spread


def _suppositions(text: str, tokens: list[Token]) -> tuple[Assumptions, tuple[str, ...], list[Token]]:
    """Supposed values of the patient, labs given without the unit they need, and the tokens that are left."""
    labs: list[Lab] = []
    unitless: list[str] = []
    plain: dict[str, float | bool] = {}
    used: set[Token] = set()
    for token in tokens:
        name = token.value if token.kind == "lab" else token.text if token.text in _LABS else None
        number = _number_of(token, tokens, text) if name else None
        if name and number and number not in used:
            used |= {token, number}
            unit = re.sub(rf"^(?:{_NUM})\s*", "", number.text) or _ONE_UNIT.get(name)
            if unit is None and name not in _ONE_UNIT:
                unitless.append(name)
            labs.append(Lab(name=name, value=_amount(number.text), unit=unit))
    for kind, key, pattern in (
        ("percent", "lvef_percent", r"\b(?:lvef|ef|ejection fraction)\b"),
        ("years", "age_years", ""),
        ("kg", "weight_kg", ""),
        ("mmhg", "systolic_bp_mmhg", ""),
    ):
        for token in tokens:
            if token.kind == kind and re.search(pattern, text[: token.start]):
                plain[key] = _amount(token.text)
                used.add(token)
    aged = re.search(
        rf"\b(?:aged|(?:if|suppose|assuming)\s+(?:she|he)\s+(?:were|was|is))\s+({_NUM})(?![\w.%])", text
    )
    for token in tokens:
        if aged and token.kind == "number" and token.start == aged.start(1):
            plain["age_years"] = _amount(token.text)
            used.add(token)
    if pregnant := re.search(
        r"\b(?:were|was|if|suppos\w+|assum\w+)\b[^,;?]{0,20}?\b(not\s+)?pregnant\b", text
    ):
        plain["pregnant"] = pregnant[1] is None
    left = [token for token in tokens if token not in used]
    return Assumptions.model_validate({"labs": labs, **plain}), tuple(unitless), left


def _number_of(lab: Token, tokens: list[Token], text: str) -> Token | None:
    """The value a lab is given: the next number, with nothing but verbs and prepositions between."""
    at = tokens.index(lab)
    if at and tokens[at - 1].kind == "labvalue":
        return tokens[at - 1]
    for token in tokens[at + 1 :]:
        if token.kind in ("number", "labvalue"):
            return token if _COPULA.fullmatch(text[lab.end : token.start]) else None
    return None


_ROLE_BEFORE = {
    "allergic": r"allerg(?:ic|y)\s+to\s+(?:\w+\s+)?$",
    "stops": r"\b(?:stop(?:s|ped|ping)?|without|off|hold(?:ing)?|held|withh[eo]ld(?:ing)?|discontinu\w+|withdr[ae]w\w*"
    r"|not\s+(?:on|taking)|no\s+longer\s+(?:on|taking|takes))\s+(?:the\s+|her\s+|his\s+)?$",
    "takes": r"\b(?:she|he|they|patient|who|her|him|already|currently|also|is|was|were)(?:'s)?\b[^,.;?]{0,20}?"
    r"\b(?:on|taking|takes|take|took|receiving|receives|gets)\s+(?:also\s+|already\s+)?$|\btakes\s+$",
    "except": r"\b(?:but\s+not|other\s+than|except(?:\s+for)?|besides|apart\s+from|excluding|not|no|never)\s+$",
}
_CHAIN = re.compile(r"\s*(?:,|and|or|nor|,\s*and)\s*$")
_BESIDE = re.compile(r"(?:\s|\b(?:of|a|an|the|single|dose|doses|at|in|iv|with)\b|[(:])*")
_JOINED = re.compile(r"\s*(?:\+|plus|with|together\s+with|on\s+top\s+of|combined\s+with|and\s+also|to)\s*")
_TOGETHER = re.compile(
    r"\b(?:together|combin\w+|both\s+at\s+once|simultaneously|concomitant\w*|at\s+the\s+same\s+time)\b"
)
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
    """Whether nothing but small words, and other doses and routes, lies between two places."""
    between = text[start:end]
    for token in tokens:
        if token.kind in ("dose", "route", "frequency") and start <= token.start and token.end <= end:
            between = between.replace(token.text, " ", 1)
            between = re.sub(r"\b(?:and|or|vs|versus)\b|,", " ", between)
    return _BESIDE.fullmatch(between) is not None


def _with_joints(text: str, tokens: list[Token], drugs: list[DrugSaid]) -> list[DrugSaid]:
    """Marks drugs that are given together with the one before: "A plus B", "A with B", "A and B together"."""
    together = _TOGETHER.search(text) is not None
    compared = _COMPARED.search(text) is not None
    joined: list[DrugSaid] = []
    for drug in drugs:
        before = joined[-1] if joined else None
        joint = False
        if before is not None and before.role == drug.role == "action":
            between = text[before.end : drug.start]
            for token in tokens:
                if (
                    token.kind in ("dose", "route", "frequency")
                    and before.end <= token.start
                    and token.end <= drug.start
                ):
                    between = between.replace(token.text, " ", 1)
            plain = " ".join(between.split())
            plus = _JOINED.fullmatch(plain) is not None and not (compared and plain in ("with", "to"))
            joint = plus or (together and not compared)
        joined.append(replace(drug, joined=joint))
    return joined


def _with_drugs(assume: Assumptions, drugs: tuple[DrugSaid, ...], words: Vocabulary) -> Assumptions:
    by_role = {
        key: [words.name(drug.drug_id) for drug in drugs if drug.role == role]
        for key, role in (("takes", "takes"), ("stops", "stops"), ("allergic_to", "allergic"))
    }
    return assume.model_copy(update={key: names for key, names in by_role.items() if names})


_SLOT = re.compile(
    r"\b(?:give|gave|giving|given|start(?:ing)?|try|trying|add(?:ing)?|prescrib(?:e|ing)|administer(?:ing)?|use|using"
    r"|compare|comparing|versus|vs|or|than|about|is|does|to|on|with|after|of|exclude|why)\s+(?:her|him|them|the|patient|some)?\s*$"
)


def _unknown(text: str, tokens: list[Token]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Words that are not known, and those of them that stand where a drug would."""
    strange: list[str] = []
    drugs: list[str] = []
    for at, token in enumerate(tokens):
        if token.kind != "word" or len(token.text) < 3 or _is_known(token.text):
            continue
        if at and tokens[at - 1].text in ("mr", "mrs", "ms", "dr"):
            continue
        strange.append(token.text)
        near = [t for t in tokens[max(0, at - 1) : at + 2] if t.kind == "dose"]
        if near or _SLOT.search(text[: token.start]):
            drugs.append(" ".join([token.text, *(t.value for t in near)]))
    return tuple(dict.fromkeys(strange)), tuple(dict.fromkeys(drugs))


def _is_known(word: str) -> bool:
    plain = re.sub(r"'(?:s|re|ll|ve|d|m)$", "", word)
    return plain in KNOWN_WORDS or all(part in KNOWN_WORDS for part in re.split(r"[-/']", plain) if part)
