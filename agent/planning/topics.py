"""Which kind of question it is, by its words. Patterns only; what follows from them is for `understanding`."""

import re

from agent.planning.reading import Reading


def _any_of(*phrases: str) -> re.Pattern[str]:
    """Matches any of the phrases as whole words."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b")


RULE = re.compile(r"\b[a-z]{1,2}\d{1,3}[a-z]?\b")
TABLETS = re.compile(
    r"\b(?:half(?: an?)?|an?|one|two|three|four|\d+|how many|some)\s+(?:\w+\s+)?"
    r"(?:tablets?|pills?|capsules?|ampoules?|drops?)\b"
)
HELP = re.compile(
    r"^\W*(?:$|hi\b|hello\b|help\b|what (?:can|do) you (?:do|know|answer)\b|how do (?:i|you) (?:use|work)\b)"
)
_NEXT_DAY = r"(?:the )?(?:next|following) day|(?:the |a |one )?day (?:after|later)|tomorrow"
SEQUENCE = _any_of("then", "afterwards", "later", "followed by", _NEXT_DAY)
NEXT_DAY = _any_of(_NEXT_DAY)
OTHER_SEX = re.compile(r"\b(?:were|was|suppose|assum\w+)\s+(?:\w+\s+){0,2}(?:male|female|man|woman)\b")
WHY = _any_of("why", "how come", "what (?:is|are) the reasons?", "for what reason")
TO_ALLOW = re.compile(
    r"\bwhat\b.*\b(?:change|needed|need|missing|have to|take)\b.*\b(?:allow|permit|unblock|possible|give|use)"
)
_REFUSED = _any_of(
    r"exclu\w+",
    r"block\w*",
    r"refus\w+",
    r"forbid\w*",
    "ruled? out",
    r"contraindicat\w+",
    r"warn\w*",
    "caution",
    "can(?:'t|not)",
    "shouldn't",
    "unsafe",
    "dangerous",
    "missing",
    "not",
)
SURE = _any_of(
    "(?:how|are you) (?:sure|certain|confident|reliable|uncertain)",
    r"uncertain\w*",
    "confidence",
    "certainty",
    "error bars?",
    "can i trust",
)
INTERACT = _any_of(r"interact\w*", r"interfere\w*")
RANK = _any_of(
    r"rank\w*",
    "safest",
    "best",
    r"recommend\w*",
    r"suggest\w*",
    r"prefer\w*",
    "options?",
    "alternatives?",
    "candidates?",
    "(?:least|lowest) risk",
    "what (?:should|would|could|can) (?:i|we|you) (?:give|use|do|start|choose|prescribe)",
    "(?:anything|something|any other drug) (?:safer|better|else)",
    r"which (?:\w+[ -]){0,3}(?:drug|agent|medication|medicine|one)",
)
WHAT_PASSES = re.compile(
    r"\b(?:which|what|list)\b.*\b(?:excluded|blocked|refused|allowed|permitted|missing)\b|what do you need"
)
FACT = _any_of(
    r"(?:maximum|maximal|max|usual|highest|largest|normal|starting) (?:single |daily )?dos(?:e|es|ing)",
    "half-life",
    "mechanism",
    "side effects?",
    "contraindications?",
    "how is",
)
THANKS = re.compile(r"^\W*(?:thanks?(?: you)?|ok(?:ay)?|great|good)\b[\W\w]{0,20}$")
INSTEAD_OF = _any_of(
    "alternatives?", "options?", r"replace\w*", "instead", "other than", "(?:rather|better|safer) than"
)
MAY = _any_of(
    "safe(?:ly)?",
    "allowed",
    "permitted",
    r"contraindicat\w*",
    "acceptable",
    "okay",
    "ok",
    "unsafe",
    "dangerous",
    "risky",
    "harmful",
    "tolerated?",
    "blocked",
    "(?:can|may|should|could) (?:i|we|she|he|they|you)",
    "check",
)
COMPARED = _any_of("safer", "better", "worse", r"compar\w+", "versus", "vs", "difference")
_NUMBERS_ASKED = _any_of(
    r"happen\w*", "effects?", r"prolong\w*", "qtc?", "pr", "qrs", "how much", r"compar\w+", "safer", "better",
    r"simulat\w*", "what if",
)  # fmt: skip
_EFFECT = _any_of(
    r"happen\w*", "effects?", r"affect\w*", "(?:do|does) to", r"prolong\w*", r"lengthen\w*", r"shorten\w*",
    r"increas\w*", r"decreas\w*", r"raise\w*", r"lower\w*", r"slow\w*", r"widen\w*", r"chang\w*",
    r"simulat\w*", r"predict\w*",
    r"expect\w*", "what if", "(?:what|how) about", "what would", "what will", r"give\w*", "gave", r"start\w*", "try",
    r"add\w*", r"compar\w+", "versus", "vs", "safer", "better", "worse", "instead", "rather than", "difference",
    "impact", "qtc?", "pr", "qrs", "rate", "after", "on", "with", "dose", "if",
)  # fmt: skip
FOLLOWS_UP = re.compile(
    r"^\W*(?:(?:and|or|but|then|if|now|same|at|with|by|instead)\b|(?:what|how) about|what if|suppos|assum)"
)
MEASURED = _any_of(
    "qtc?[bf]?", "pr", "qrs", "rr", "jt", "intervals?", "rate", "hr", "pulse", "rhythm", r"tpeak\w*", r"t-peak\w*",
    r"measure\w*", "ecg", "ekg", "bazett", "fridericia", "bpm", "quality", "p wave", "findings?", "fibrillation",
    "flutter",
)  # fmt: skip
RECORDED = _any_of(
    "potassium", "magnesium", "calcium", "sodium", "creatinine", "glucose", "inr", "platelets?", "digoxin level",
    "labs?", "medications?", "medicines?", "drugs? (?:is|does) (?:she|he)", "taking", "takes",
    r"allerg\w+", "age", "old", "sex",
    "weight", "lvef", "ejection fraction", "record", "chart", "notes", "history", "conditions?",
    r"diagnos\w+", "goal",
    "indication", "blood pressure", "pregnant",
)  # fmt: skip
TAKEN = re.compile(
    r"\b(?:what|which) (?:drugs?|medications?|medicines?) (?:(?:is|does|has) (?:she|he|the patient)|(?:she|he) takes)\b"
    r"|\ballergic to (?:anything|something)"
)
KNOWN = _any_of(
    "mechanism",
    "evidence",
    "source",
    "known?",
    "rules?",
    "literature",
    "label",
    "how does",
    "tell me",
    "explain",
)
INTERVENED = _any_of(
    "after", "on", "with", "if", "give", "gave", "given", "giving", r"start\w*", r"add\w*", r"prolong\w*", "effects?",
    "do to", "does", r"happen\w*", "would", "help",
)  # fmt: skip
TREATED = _any_of("after", "if", r"happen\w*", "effects?", "give", r"start\w*", r"prolong\w*")
_ADDED = re.compile(
    rf"^\W*(?:and )?then\b|\badd\w*\b.*\b(?:then|later|{_NEXT_DAY})|\bthen (?:add|give|start)"
)
_IT = _any_of("it", "that", "this", "them")


def asks_why(reading: Reading) -> bool:
    """Why something is refused, or what it would take to allow it."""
    if TO_ALLOW.search(reading.text):
        return True
    alone = len(reading.text.split()) <= 2
    return bool(WHY.search(reading.text) and (alone or _REFUSED.search(reading.text) or reading.drugs))


def asks_for_ranking(reading: Reading) -> bool:
    """Which of several is best; with doses it is a comparison of those."""
    all_but = bool(reading.excepted) and not reading.actions
    return (all_but or bool(RANK.search(reading.text))) and not has_dose(reading)


def asks_what_passes(reading: Reading) -> bool:
    """Which candidates are allowed, or what is missing to judge them."""
    return bool(WHAT_PASSES.search(reading.text)) and not reading.drugs


def asks_rule(reading: Reading) -> bool:
    """A rule by its id, such as R54."""
    return not reading.drugs and any(RULE.fullmatch(word) for word in reading.unknown)


def asks_fact(reading: Reading) -> bool:
    """A fact of a drug that the knowledge base may hold, and no simulation."""
    return bool(reading.drugs and FACT.search(reading.text)) and not has_dose(reading)


def asks_permission(reading: Reading) -> bool:
    """Whether something is allowed, and not also what it does."""
    named = bool(reading.actions or reading.unknown_drugs)
    return named and bool(MAY.search(reading.text)) and not _NUMBERS_ASKED.search(reading.text)


def asks_effect(reading: Reading) -> bool:
    """What a drug does; its name alone asks that, too."""
    if (reading.unknown_drugs and not reading.actions) or reading.no_drug:
        return True
    if not reading.actions:
        return False
    return bool(_EFFECT.search(reading.text)) or has_dose(reading) or len(reading.text.split()) <= 4


def changes_something(reading: Reading) -> bool:
    """A dose, route, hour or supposition without a drug: a follow-up."""
    changed = (reading.assume, reading.scale, reading.loose_doses, reading.loose_route, reading.hours)
    return any(changed)


def asks_permission_for_it(reading: Reading) -> bool:
    """Whether what was spoken of last is allowed."""
    return bool(MAY.search(reading.text) and _IT.search(reading.text))


def asks_record(reading: Reading) -> bool:
    """What the record says."""
    if TAKEN.search(reading.text):
        return True
    return bool(RECORDED.search(reading.text)) and not INTERVENED.search(
        reading.text.replace("on record", "")
    )


def asks_for_course(reading: Reading) -> bool:
    """Drugs or doses one after the other; "then" beside a single dose that follows nothing is no sequence."""
    if not SEQUENCE.search(reading.text) or not (reading.actions or reading.unknown_drugs):
        return False
    doses = [dose for drug in reading.actions for dose in drug.doses]
    several = len(reading.actions) > 1 or len(doses) + len(reading.loose_doses) > 1
    return several or bool(_ADDED.search(reading.text)) or bool(reading.unknown_drugs)


def has_dose(reading: Reading) -> bool:
    """Whether some drug that is to be given has a dose."""
    return any(drug.doses for drug in reading.actions)


def names_only_a_drug(reading: Reading) -> bool:
    """Whether the last question is asked again of another drug: "and diltiazem?"."""
    said = reading.text
    for drug in reversed(reading.drugs):
        said = said[: drug.start] + said[drug.end :]
    for part in (part for drug in reading.drugs for part in (*drug.doses, drug.route)):
        said = said.replace(part, " ") if part else said
    return not re.sub(r"\b(?:and|or|what about|how about|instead|then)\b|[?.,!]", " ", said).strip()
