"""What a question supposes about the patient: "if potassium were 3.0", "if she were 85", "if she were pregnant"."""

import re
from dataclasses import dataclass

from agent.assumptions import Assumptions, Lab
from agent.planning.lexing import LABS, NUMBER, Token

_ONE_UNIT = {"potassium": "mmol/L", "sodium": "mmol/L", "inr": None}  # the rest differ between conventions
_VERBS = (
    "levels?|concentration|count|value|is|was|were|are|of|at|to|had|been|be|being|would|will|went|goes?|up|down|drops?"
    "|dropped|falls?|fell|rises?|rose|becomes?|corrected|only|just|equals?|now|raised|lowered|normali[sz]ed|reached|above"
    "|below|serum|her|his|a|the"
)
_BETWEEN = re.compile(rf"(?:\s|[=:]|\b(?:{_VERBS})\b)*")
_PLAIN = {  # kind of token: the key it fills, and what has to be said before it
    "percent": ("lvef_percent", r"\b(?:lvef|ef|ejection fraction)\b"),
    "years": ("age_years", ""),
    "kg": ("weight_kg", ""),
    "mmhg": ("systolic_bp_mmhg", ""),
}
_AGED = re.compile(
    rf"\b(?:aged|(?:if|suppose|assuming)\s+(?:she|he)\s+(?:were|was|is))\s+({NUMBER})(?![\w.%])"
)
_PREGNANT = re.compile(r"\b(?:were|was|if|suppos\w+|assum\w+)\b[^,;?]{0,20}?\b(not\s+)?pregnant\b")


@dataclass(frozen=True)
class Supposed:
    """Supposed values, labs given without the unit they need, and the tokens that are spoken for."""

    assume: Assumptions
    unitless: tuple[str, ...]
    used: frozenset[Token]


def suppositions(text: str, tokens: list[Token]) -> Supposed:
    """Everything supposed about the patient but drugs, whose roles are for `reading`."""
    labs, lab_tokens = _labs(text, tokens)
    plain: dict[str, float | bool] = {}
    used = set(lab_tokens)
    for token in tokens:
        key, after = _PLAIN.get(token.kind, ("", ""))
        if key and re.search(after, text[: token.start]):
            plain[key] = token.amount
            used.add(token)
    aged = _AGED.search(text)
    for token in tokens:
        if aged and token.kind == "number" and token.start == aged.start(1):
            plain["age_years"] = token.amount
            used.add(token)
    if pregnant := _PREGNANT.search(text):
        plain["pregnant"] = pregnant[1] is None
    unitless = tuple(lab.name for lab in labs if lab.unit is None and lab.name not in _ONE_UNIT)
    return Supposed(Assumptions.model_validate({"labs": labs, **plain}), unitless, frozenset(used))


def _labs(text: str, tokens: list[Token]) -> tuple[list[Lab], set[Token]]:
    labs: list[Lab] = []
    used: set[Token] = set()
    for token in tokens:
        # Magnesium and calcium are drugs, too: what follows tells.
        name = token.value if token.kind == "lab" else token.text if token.text in LABS else None
        number = _value_of(token, tokens, text) if name else None
        if name and number and number not in used:
            used |= {token, number}
            said = re.sub(rf"^(?:{NUMBER})\s*", "", number.text)
            unit = f"{said}/L" if said in ("mmol", "meq") else said or _ONE_UNIT.get(name)
            labs.append(Lab(name=name, value=number.amount, unit=unit))
    return labs, used


def _value_of(lab: Token, tokens: list[Token], text: str) -> Token | None:
    """The value a lab is given: the next number, with nothing but verbs and prepositions between."""
    at = tokens.index(lab)
    if at and tokens[at - 1].kind == "labvalue":
        return tokens[at - 1]
    for token in tokens[at + 1 :]:
        if token.kind in ("number", "labvalue") or (
            token.kind == "dose" and re.search("mmol|meq", token.text)
        ):
            return token if _BETWEEN.fullmatch(text[lab.end : token.start]) else None
    return None
