"""Doses as people write them. What can be read in two ways is not read at all: a slip of a comma is a tenfold dose."""

import re
import unicodedata
from dataclasses import dataclass

from knowledge.dose_units import convert_dose, plain_unit
from knowledge.errors import DoseError

LARGEST = 1e9  # no dose in any unit is greater; a number that is was not meant as one

_NUMBER = r"(?:\d+(?:[.,']\d+)*|\.\d+)"
_UNIT = (
    r"(?:[μu]g|mcgs?|micrograms?|milligrams?|mgs?|nanograms?|ng|grams?|gms?|g|meq|milliequivalents?"
    r"|international units|i\.?u\.?|units?(?:\(s\))?|u|mmols?|millimoles?)(?![a-z])"
)
_DOSE = re.compile(
    rf"(?:\bbetween\s+)?(?<![\w.,'])(?P<low>{_NUMBER})"
    rf"(?:\s*(?P<low_unit>{_UNIT})?\s*(?:-|–|—|\bto\b|\bor\b|\band\b)\s*(?P<high>{_NUMBER}))?"
    rf"\s*-?\s*(?P<unit>{_UNIT})"
    r"(?P<per>(?:\s*(?:/|\bper\b)\s*(?:kg|m2|min(?:ute)?s?|hours?|hrs?|hr|h|day|d|24h)(?![a-z0-9]))*)"
    r"(?P<volume>\s*(?:/|\bper\b)\s*(?P<volumes>[\d.,]*)\s*(?:ml|l|cc|dl)(?![a-z]))?",
    re.IGNORECASE,
)
# A sign of its own before a number: "-500 ug", but not the range "10-20 mEq" nor the list item "- 5 mg".
_NEGATIVE = re.compile(r"(?:^|[\s=(])[-\u2212\u2013](?=\.?\d)")
_EXPONENT = re.compile(r"\d[eE][-+]?\d")
_GROUPED_BY_SPACE = re.compile(rf"\d \d{{3}}(?:[.,]\d+)?\s*-?\s*{_UNIT}", re.IGNORECASE)
_BOUND = re.compile(
    r"(?:[<>≤≥~≈±]|\+/?-"
    r"|\b(?:up to|at (?:most|least)|(?:less|more) than|max(?:imum)?(?: of)?|min(?:imum)? of|about))\s*$",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"(?P<number>\d+(?:[.,/⁄]\d+)?|\b(?:half|quarter|one|two|three|four|five|six|several|few|couple|an?))"
    r"\s*(?:of\s+)?(?:an?\s+)?(?P<thing>amps?|ampoules?|ampules?|tab(?:let)?s?|cap(?:sule)?s?|pills?|puffs?|sprays?|drops?"
    r"|vials?|syringes?|patch(?:es)?|sachets?|packets?|suppositor(?:y|ies)|doses?|t(?:ea)?sp(?:oon)?s?|tablespoons?|ml|cc)\b",
    re.IGNORECASE,
)
_TIMES = re.compile(r"\d\s*[x×]\s*\d|(?<![a-z])[x×]\s*\d+(?!\s*(?:d|day|wk|week|month)s?\b)", re.IGNORECASE)
_OVER = re.compile(r"\b(?:over|in)\s+(\d+(?:\.\d+)?)\s*(min(?:ute)?s?|h(?:ou)?rs?|h)\b", re.IGNORECASE)
_FLUID = re.compile(
    r"\b(?:d5w|d10w|ns|normal saline|dextrose|ringer'?s|ivpb|lvp|piggy ?back)\b", re.IGNORECASE
)
_SHORT = r"(?:po|iv|im|sc|sq|sl|pr|ng)"
_EITHER = re.compile(rf"\b({_SHORT})\s*/\s*({_SHORT})\b", re.IGNORECASE)
_ROUTES = {
    "iv infusion": r"(?:(?:iv|i\.v\.|intravenous(?:ly)?)\s+)?(?:continuous\s+)?(?:infusion|drip|gtt)|continuous",
    "oral": r"p\.?o\.?|oral(?:ly)?|by mouth|per os|tab(?:let)?s?|cap(?:sule)?s?|(?:per )?n?g tube|peg|swallow(?:ed)?",
    "iv": r"i\.?v\.?(?:p|pb)?|pb|iv push|iv bolus|intravenous(?:ly)?|bolus|intraven",
    "im": r"i\.?m\.?|intramuscular(?:ly)?",
    "sc": r"s\.?c\.?|sub-?cut(?:an(?:eous(?:ly)?)?)?|sub-?q|sq",
    "inhaled": r"inh(?:aled|alation|ale)?|neb(?:uli[sz](?:ed|er|ation))?s?",
    "sublingual": r"s\.?l\.?|sublingual(?:ly)?",
    "rectal": r"rectal(?:ly)?|p\.?r\.?|rect|re",
    "topical": r"topical(?:ly)?|top|td|transderm(?:al)?|patch|eye drops|ophthalmic|both eyes|nasal",
}
_ROUTE = {
    name: re.compile(rf"(?<![\w/.])(?:{pattern})(?![\w.])", re.IGNORECASE)
    for name, pattern in _ROUTES.items()
}


@dataclass(frozen=True)
class ReadDose:
    """A dose as written: low and high differ for a range. route and over_min are None where not said."""

    low: float
    high: float
    unit: str
    route: str | None = None
    over_min: float | None = None


def has_negative_number(text: str) -> bool:
    """Whether a number in the text has a minus sign of its own."""
    return _NEGATIVE.search(text) is not None


def read_doses(text: str) -> list[ReadDose]:
    """All doses in a text such as '150 mg IV over 10 min, then 1 mg/min', in order; [] when there is none.

    Raises DoseError for what is no dose ('1 amp', '2 mg/mL', 'up to 10 mg', '-5 mg') and for what is
    more than one reading ('1.000 mg', '5 000 units', '2 tablets of 25 mg').
    """
    text = _plain(text)
    _refuse_signs(text)
    hits = [hit for hit in _DOSE.finditer(text) if hit["volume"] is None or hit["volumes"] not in ("", "1")]
    _refuse_counts(text, bool(hits))
    if not hits and (strength := _DOSE.search(text)):
        raise DoseError(
            f"{strength.group(0)!r} is a concentration, not a dose", "Give the whole dose, as in 5 mg."
        )
    doses: list[ReadDose] = []
    for at, hit in enumerate(hits):
        if bound := _BOUND.search(text[: hit.start()]):
            raise DoseError(f"{(bound.group(0) + hit.group(0))!r} is a bound, not a dose", "Choose one dose.")
        tail = text[hit.end() : hits[at + 1].start() if at + 1 < len(hits) else len(text)]
        over = _OVER.search(tail)
        minutes = float(over[1]) * (60 if over[2].lower().startswith("h") else 1) if over else None
        implied = "iv" if over or _FLUID.search(tail) else None
        doses.append(ReadDose(*_amounts(hit), _unit(hit), read_route(tail) or implied, minutes))
    return doses


def read_route(text: str) -> str | None:
    """The route a text names; None when it names none. Raises DoseError when it names two."""
    text = _EITHER.sub(r"\1 \2", text)
    found = {name for name, pattern in _ROUTE.items() if pattern.search(text)}
    if "iv infusion" in found:
        found.discard("iv")
    if len(found) > 1:
        raise DoseError(f"{text.strip()!r} names several routes: {', '.join(sorted(found))}", "Name one.")
    return found.pop() if found else None


def without_doses(text: str) -> str:
    """The text without its doses and durations."""
    return _OVER.sub(" ", _DOSE.sub(" ", _plain(text)))


def drug_words(text: str) -> str:
    """What is left of a text without doses, durations and routes: the drug's name, and maybe more."""
    text = _EITHER.sub(r"\1 \2", without_doses(text))
    for pattern in _ROUTE.values():
        text = pattern.sub(" ", text)
    return " ".join(text.split()).strip(" ,;:-")


def _plain(text: str) -> str:
    """Compatible characters as one: both micro signs, full-width digits, hard spaces, ½, m²."""
    return unicodedata.normalize("NFKC", text).replace("’", "'").replace("\u2212", "-")


def _refuse_signs(text: str) -> None:
    if has_negative_number(text):
        raise DoseError(f"{text.strip()!r} has a negative dose", "Give the dose as a number above 0.")
    if _EXPONENT.search(text):
        raise DoseError(f"{text.strip()!r} has no plain number", "Write it out, as in 1000 mg.")
    if grouped := _GROUPED_BY_SPACE.search(text):
        raise DoseError(f"{grouped.group(0)!r} is one number or two", "Write it without a space.")


def _refuse_counts(text: str, measured: bool) -> None:
    """A number of things: of unknown content without a dose, and beside one a multiple of it."""
    for count in _COUNT.finditer(text):
        number, thing = count["number"].lower(), count["thing"].lower()
        if not measured:
            raise DoseError(
                f"{count.group(0)!r} does not say how much drug it holds", "Give mass, mEq or units."
            )
        if thing not in ("ml", "cc") and number not in ("1", "one", "a", "an"):
            raise DoseError(
                f"{text.strip()!r}: how much is that in all?", "Write the whole dose, as in 50 mg."
            )
    if measured and _TIMES.search(text):
        raise DoseError(f"{text.strip()!r}: how much at once?", "Write the whole of one dose, as in 50 mg.")


def _unit(hit: re.Match[str]) -> str:
    per = re.sub(r"\bper\b", "/", hit["per"].lower())
    return plain_unit("/".join((hit["unit"], *re.findall(r"[^\s/]+", per))))


def _amounts(hit: re.Match[str]) -> tuple[float, float]:
    low = _number(hit["low"])
    if hit["high"] is None:
        return low, low
    high = _number(hit["high"])
    if hit["low_unit"] is not None:
        low = convert_dose(low, hit["low_unit"], hit["unit"])
    if low > high:
        raise DoseError(f"{hit.group(0)!r} runs backwards", "Write the smaller dose first, or one dose.")
    return low, high


def _number(text: str) -> float:
    """A number with a decimal point or comma and with groups of thousands. Raises DoseError for any doubt.

    "1,250" is a thousand and "1,25" is not; "1.250" and "1,125" are written by some for the one and by
    others for the other.
    """
    if re.fullmatch(r"\d+|\d*\.\d+", text) and not re.fullmatch(r"[1-9]\d{0,2}\.\d\d0", text):
        plain = text
    elif re.fullmatch(
        r"[1-9]\d{0,2}(,\d{3})*,\d\d0|[1-9]\d{0,2}(,\d{3})+\.\d+|[1-9]\d{0,2}(,\d{3}){2,}", text
    ):
        plain = text.replace(",", "")
    elif re.fullmatch(r"[1-9]\d{0,2}(\.\d{3})+,\d+|[1-9]\d{0,2}(\.\d{3}){2,}", text):
        plain = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[1-9]\d{0,2}('\d{3})+([.,]\d+)?", text):
        plain = text.replace("'", "").replace(",", ".")
    elif re.fullmatch(r"\d+,\d+", text) and not re.fullmatch(r"[1-9]\d{0,2},\d{3}", text):
        plain = text.replace(",", ".")
    else:
        raise DoseError(f"{text!r} can be read as several numbers", "Write it as in 1250 or 1.25.")
    if float(plain) > LARGEST:
        raise DoseError(f"{text[:20]!r} is no dose", "Check the number.")
    return float(plain)
