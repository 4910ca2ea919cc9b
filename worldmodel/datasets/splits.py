"""Splits by subject: the same subject is in the same split today, tomorrow, and in a part of the data set."""

import hashlib

SPLITS = ("train", "validation", "test")
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
_SALT = "ecgwm"  # changing it moves subjects between splits


def split_of(subject: str) -> str:
    """Which of SPLITS a subject is in, by a hash of its name alone."""
    digest = hashlib.sha256(f"{_SALT}:{subject}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2.0**64
    for split, share in SHARES.items():
        if place < share:
            return split
        place -= share
    return SPLITS[-1]
