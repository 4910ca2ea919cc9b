"""Lead names: the many spellings of archives, and the one spelling used here."""

import re
from collections.abc import Sequence

from worldmodel.ecg import LEADS

_CANONICAL = (
    {name.lower(): name for name in LEADS}
    | {
        "1": "I",
        "2": "II",
        "3": "III",
        "mli": "I",
        "mlii": "II",
        "mliii": "III",
        "ml1": "I",
        "ml2": "II",
        "ml3": "III",
        "di": "I",
        "dii": "II",
        "diii": "III",
        "vr": "aVR",
        "vl": "aVL",
        "vf": "aVF",
        "x": "vx",
        "y": "vy",
        "z": "vz",
        "vx": "vx",
        "vy": "vy",
        "vz": "vz",
    }
    | {f"c{n}": f"V{n}" for n in range(1, 7)}
)


def canonical_lead(name: str) -> str:
    """`AVR`, `Lead aVR`, `ecg_avr`, `MDC_ECG_LEAD_AVR` -> `aVR`; a name that is no lead's stays as it is.

    So do `-aVR`, which is the lead upside down, and `ECG 1` or `channel 1`, which number a signal and name no lead.
    """
    words = re.sub(r"[^a-z0-9]", " ", name.lower()).split()
    bare = "".join(word for word in words if word not in ("mdc", "ecg", "ekg", "lead", "channel"))
    numbered = (
        bare.isdigit() and any(word in ("ecg", "ekg", "channel") for word in words) and "lead" not in words
    )
    if numbered or name.strip().startswith("-"):
        return name.strip()
    return _CANONICAL.get(bare, name.strip())


def canonical_leads(names: Sequence[str]) -> tuple[str, ...]:
    """Canonical and distinct: a second signal of the same name becomes `V1#2`."""
    seen: dict[str, int] = {}
    result = []
    for index, raw in enumerate(names):
        name = canonical_lead(raw) or f"signal {index + 1}"
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(result)
