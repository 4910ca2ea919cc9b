"""What may be asked of the world model; all else is refused in words before anything is computed."""

import math
from collections.abc import Sequence
from numbers import Integral

import torch

from worldmodel.errors import RequestError
from worldmodel.pharmacology import Action


def check_request(actions: Sequence[Action], k: int, seed: int) -> None:
    """Raises RequestError unless there is an action, k is a whole number from 1, seed one, and all hours can be."""
    if not actions:
        raise RequestError("No action is asked for.", "Give at least one; Action() is no drug.")
    if not _is_whole(k) or k < 1:
        raise RequestError(f"{k!r} samples cannot be drawn.", "Give k as a whole number, 1 or more.")
    if not _is_whole(seed) or abs(seed) >= 2**63:
        raise RequestError(f"{seed!r} is no seed.", "Give a whole number, such as 0.")
    check_hours(actions)


def check_hours(actions: Sequence[Action]) -> None:
    """Raises RequestError where an action is looked at before it was given, or never."""
    for action in actions:
        if not (math.isfinite(action.hours) and action.hours >= 0):
            raise RequestError(
                f"An ECG {action.hours:g} hours after the dose cannot be simulated.", "Give 0 hours or more."
            )


def device_of(device: str | torch.device) -> torch.device:
    """A device that computes here, such as "cpu" or "cuda". Raises RequestError."""
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).item()
    except (RuntimeError, AssertionError, TypeError) as error:  # torch raises each of them, by the device
        there = "cpu or cuda" if torch.cuda.is_available() else "cpu; torch sees no GPU here"
        raise RequestError(f"There is no device {str(device)!r} to compute on.", f"Give {there}.") from error
    return found


def _is_whole(number: object) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)
