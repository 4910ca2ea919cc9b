"""Cutting a question into tokens: drugs, doses, hours, labs, routes, numbers, and words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from agent.planning.vocabulary import KNOWN_WORDS, Vocabulary, tidy

NUMBER = r"\d+(?:[.,]\d+)?|\.\d+"
_MASS = r"(?:ug|mcg|micrograms?|mg|milligramm?e?s?|g|grams?|iu|units?|meq|mmol)"
_PER_TIME = r"(?:\s*(?:/|per)\s*(?:min(?:ute)?|h(?:our|r)?))"
_PER_KG = r"(?:\s*(?:/|per)\s*kg)"
LABS = {
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
_ROUTES = {
    "iv infusion": r"(?:i\.?v\.?\s+|intravenous\s+)?(?:infusion|drip)",
    "iv": r"i\.?v\.?(?!\w)(?:\s+(?:bolus|push))?|intravenous(?:ly)?(?:\s+bolus)?|bolus|injected|injection",
    "oral": r"oral(?:ly)?|p\.?o\.?(?!\w)|per\s+os|by\s+mouth|tablets?",
}
_THE = r"(?:\s+(?:of\s+)?(?:the|that|this|it))"
_SCALES = {
    0.5: rf"half{_THE}?(?:\s+the)?\s+dose|half{_THE}|halv(?:e|ed|ing)",
    2.0: rf"double{_THE}?(?:\s+dose)?|twice{_THE}(?:\s+dose)?|doubl(?:ed|ing)",
    3.0: rf"triple{_THE}?(?:\s+dose)?|three\s+times{_THE}(?:\s+dose)?|tripl(?:ed|ing)",
    0.25: rf"(?:a\s+)?quarter{_THE}(?:\s+dose)?",
    1 / 3: rf"(?:a\s+|one\s+)?third{_THE}(?:\s+dose)?",
}
_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SPELLED = {word: value for value, word in enumerate(_ONES.split())}
_SPELLED |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)} | {
    "hundred": 100,
    "thousand": 1000,
}
_CHEST = r"v[1-6]"
_LEAD = rf"(?:{_CHEST}(?:\s*(?:-|to)\s*v?[1-6])?|av[rlf]|i{{1,3}})"
_BEFORE_UNIT = rf"(?=\s*-?\s*(?:{_MASS}\b|h\b|hours?\b))"
_IN_WORDS = re.compile(
    rf"\b(?:{'|'.join(_SPELLED)})(?:[\s-]+(?:and\s+)?(?:{'|'.join(_SPELLED)}))*\b{_BEFORE_UNIT}"
)
_FRACTION = re.compile(rf"(?<![\w./])(\d+)\s*/\s*(\d+){_BEFORE_UNIT}")
_HALF_A = re.compile(rf"\bhalf\s+an?{_BEFORE_UNIT}")
_A = re.compile(r"\ban?(?=\s+hours?\b)")
# Number words that stand for nothing else in a question: left over, they are a number not understood.
_ONLY_NUMBERS = frozenset(_SPELLED) - {"one", "two"}


@dataclass(frozen=True)
class Token:
    """A piece of the tidied question; `kind` is a name of the lexer, `value` what it stands for.

    slip: a word that was taken for the drug it is a typing error away from.
    """

    kind: str
    text: str
    start: int
    end: int
    value: str = ""
    slip: bool = False

    @property
    def amount(self) -> float:
        """The number that it begins with."""
        return _amount(self.text)


def tokens_of(question: str, words: Vocabulary) -> tuple[str, list[Token]]:
    """The tidied question, numbers before units as digits, and its tokens."""
    text = _in_digits(tidy(question))
    return text, _with_units([_token(match, words) for match in _lexer(words).finditer(text)])


def is_known(word: str) -> bool:
    """Whether it is English of the planner, or put together of such words."""
    plain = re.sub(r"'(?:s|re|ll|ve|d|m)$", "", word)
    return plain in KNOWN_WORDS or all(part in KNOWN_WORDS for part in re.split(r"[-/']", plain) if part)


def _in_digits(text: str) -> str:
    """Numbers before units as digits: "five hundred micrograms", "1/2 mg", "half an hour"."""
    text = _FRACTION.sub(lambda m: f"{int(m[1]) / max(int(m[2]), 1):g}", text)
    text = _A.sub("1", _HALF_A.sub("0.5", text))
    return _IN_WORDS.sub(lambda m: str(_spelled_out(m[0])), text)


def _spelled_out(words: str) -> int:
    """ "two hundred and fifty" -> 250."""
    total = 0
    for word in re.findall(r"[a-z]+", words):
        value = _SPELLED.get(word, 0)
        total = max(total, 1) * value if value >= 100 else total + value
    return total


@lru_cache(maxsize=4)
def _lexer(words: Vocabulary) -> re.Pattern[str]:
    """One pattern with a named group for each kind; of several that fit, the first in this order."""
    number = rf"(?<![\w./])(?:{NUMBER})(?!\s*/\s*\d)"
    times = r"(?:once|twice|\w+\s+times)\s+(?:a\s+|per\s+)?da(?:y|ily)"
    kinds = {
        "frequency": rf"\b(?:[bt]id|qid|q\d+\s?h|every\s+\d+\s*h(?:ours?)?|{times}|daily)\b",
        "ago": rf"{number}\s*(?:h|hours?|min|minutes|days?)\s+ago\b",
        "labvalue": rf"{number}\s*(?:mmol|meq|mg|ug|umol|u|ng|nmol|g|iu)\s*(?:/|per)\s*(?:l|dl|ml)\b",
        "dose": rf"{number}\s*-?\s*{_MASS}{_PER_KG}?{_PER_TIME}?(?![\w/])",
        "over": rf"\bover\s+(?:{NUMBER})\s*(?:min|minutes?|h|hrs?|hours?)\b",
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
        "lab": "|".join(rf"\b(?:{pattern})" for pattern in LABS.values()),
        "goal": "|".join(rf"\b(?:{pattern})" for pattern in words.goals.values()),
        "route": "|".join(rf"\b(?:{pattern})" for pattern in _ROUTES.values()),
        "lead": rf"\b(?:leads?\s+{_LEAD}|{_CHEST}\s*(?:-|to)\s*v?[1-6]|{_CHEST}|av[rlf])(?!\w)",
        "nolead": r"\b(?:leads?\s+(?:v\d+|av\w|[ivx]+)|v\d+|av[a-z])\b",
        "number": number,
        "nodrug": r"\b(?:no (?:drug|treatment)|placebo|nothing)\b",
        "spelled": rf"\b(?:{'|'.join(_ONLY_NUMBERS)}|{_MASS.replace('|g|', '|').replace('|mg|', '|')})\b",
        "word": r"[^\W\d_][\w'/-]*",
        "mark": r"[^\w\s]",
        "stray": r"\S+",
    }
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items() if pattern))


def _token(match: re.Match[str], words: Vocabulary) -> Token:
    kind, text = match.lastgroup or "word", match[0]
    if kind == "word" and not is_known(text) and (drug_id := words.misspelt(text)):
        return Token("drug", text, match.start(), match.end(), drug_id, slip=True)
    return Token(kind, text, match.start(), match.end(), _value(kind, match, words))


def _value(kind: str, match: re.Match[str], words: Vocabulary) -> str:
    text = match[0]
    if kind == "drug":
        return words.drug_of_name[re.sub(r"'s$", "", text).replace("-", " ")]
    if kind == "dose":
        return _dose(text)
    if kind == "ago":
        return f"{_amount(text) / (60 if 'min' in text else 1):g}" if "day" not in text else ""
    if kind in ("hours", "minutes"):
        return f"{_amount(text) / (60 if kind == 'minutes' else 1):g}"
    tables: dict[str, Mapping[Any, str]] = {
        "scale": _SCALES,
        "lab": LABS,
        "route": _ROUTES,
        "goal": words.goals,
    }
    if kind not in tables:
        return text
    named = ((value, re.compile(pattern)) for value, pattern in tables[kind].items())
    # Matched where it stands, because some patterns look at what follows.
    return next(str(value) for value, pattern in named if pattern.match(match.string, match.start()))


def _amount(text: str) -> float:
    match = re.match(NUMBER, text)
    if match is None:
        raise ValueError(f"{text!r} does not begin with a number")
    return float(match[0].replace(",", "."))


def _dose(text: str) -> str:
    """The dose in the spelling of the tools: "500mcg" -> "500 ug", "0.1 mg per kg" -> "0.1 mg/kg"."""
    unit = re.sub(rf"^(?:{NUMBER})", "", text).strip(" -")
    for pattern, plain in (
        (r"^(?:mcg|micrograms?)", "ug"),
        (r"^milligramm?e?s?", "mg"),
        (r"^grams?", "g"),
        (r"\s*(?:/|per)\s*kg", "/kg"),
        (r"\s*(?:/|per)\s*min(?:ute)?$", "/min"),
        (r"\s*(?:/|per)\s*h(?:our|r)?$", "/h"),
    ):
        unit = re.sub(pattern, plain, unit)
    return f"{_amount(text):g} {unit}"


def _with_units(tokens: list[Token]) -> list[Token]:
    """In "2 and 6 h" and "250 or 500 ug" the bare number has the unit of the next one."""
    spread = list(tokens)
    for at in range(len(spread) - 3, -1, -1):
        token, joint, after = spread[at : at + 3]
        if joint.text == "," and after.text in ("and", "or") and at + 3 < len(spread):
            after = spread[at + 3]
        joined = joint.text in ("and", "or", ",", "vs", "versus")
        if token.kind == "number" and joined and after.kind in ("hours", "dose"):
            unit = after.value.partition(" ")[2]
            spread[at] = replace(token, kind=after.kind, value=f"{token.amount:g} {unit}".strip())
    return spread
