"""Which leads a question asks to see."""

import re

from worldmodel.ecg import LEADS

_SHOW = re.compile(r"\b(?:show|draw|plot|display|see|view|look at|overlay)\b")
_DRAWN = re.compile(
    r"\b(?:leads?|v[1-6]|av[rlf]|iii?|ecgs?|ekgs?|tracings?|traces?|strips?|beats?|waveforms?|complex(?:es)?)\b"
)
_RANGE = re.compile(r"\bv([1-6])\s*(?:-|to|through)\s*v?([1-6])\b")
_ONE = re.compile(r"\b(v[1-6]|av[rlf]|iii?)\b")
_FIRST = re.compile(r"\bleads?\s+i\b|\bi\s*(?:,|and)\s*(?:ii|av[rlf]|v[1-6])\b|\band\s+i\b(?=\s*(?:$|[?.,]))")
_BOTH = re.compile(r"\b(?:before and after|pre and post)\b")
_AFTER = re.compile(r"\b(?:before and after|pre and post|after|overlay)\b")


def asks_to_see(text: str) -> bool:
    """Whether an ECG or some of its leads are to be drawn."""
    return bool(_DRAWN.search(text) and (_SHOW.search(text) or _BOTH.search(text)))


def asks_after(text: str) -> bool:
    """Whether the ECG after a dose is to be drawn, too."""
    return bool(_AFTER.search(text))


def leads_asked(text: str) -> list[str]:
    """The leads that are named, ranges spelled out, in standard order; none where all are meant."""
    named = {f"v{n}" for a, b in _RANGE.findall(text) for n in range(int(a), int(b) + 1)}
    named |= {match[1] for match in _ONE.finditer(text)}
    if _FIRST.search(text):
        named.add("i")
    return [lead for lead in LEADS if lead.lower() in named]
