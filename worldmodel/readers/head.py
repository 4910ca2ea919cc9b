"""The first bytes of a file, by which its format is known."""

from pathlib import Path


def head_of(path: Path, size: int) -> bytes:
    """Up to `size` bytes from the start; none where there is no ordinary file or it cannot be opened. Never raises."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return b""
