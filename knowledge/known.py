"""What is known of a fact: its value, or the inputs that would tell it."""

from knowledge.conditions import Value

Known = tuple[Value, tuple[str, ...]]


def seen_or_charted(flag: bool | None, charted: Known) -> Known:
    """A finding of ECG and chart together: there if either has it; without ECG the chart decides."""
    if flag or charted[0]:
        return True, ()
    return (False, ()) if flag is False else charted


def any_of(*parts: Known) -> Known:
    """`or` of facts."""
    if any(value for value, _ in parts):
        return True, ()
    missing = tuple(dict.fromkeys(name for value, names in parts if value is None for name in names))
    return (None, missing) if any(value is None for value, _ in parts) else (False, ())
