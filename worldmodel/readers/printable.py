"""Words out of a file that may be damaged, for a message in one line."""

MOST = 300


def printable(text: str, most: int = MOST) -> str:
    """`text` with ? for what cannot be printed, cut to `most` characters."""
    seen = "".join(letter if letter.isprintable() else "?" for letter in text)
    return seen if len(seen) <= most else f"{seen[: most - 3]}..."
