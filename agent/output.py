"""What the commands print: the JSON envelope, errors, exit codes.

Results go to stdout, everything else to stderr, so that `--json` can be piped.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from agent.errors import ApprovalPending, ConfigurationError, ProviderError
from agent.wording import one_line
from knowledge.errors import DoseError, UnknownDrugError
from tools.errors import SafetyRefusal, UsageError
from worldmodel.errors import RequestError, WeightsError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

SCHEMA_VERSION = 1


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    PROVIDER = 4
    WAITING = 5
    REFUSED = 6


EXIT_CODES: dict[type[Exception], ExitCode] = {
    DoseError: ExitCode.USAGE,
    UnknownDrugError: ExitCode.USAGE,
    UsageError: ExitCode.USAGE,
    RequestError: ExitCode.USAGE,
    ConfigurationError: ExitCode.CONFIGURATION,
    WeightsError: ExitCode.CONFIGURATION,
    ProviderError: ExitCode.PROVIDER,
    ApprovalPending: ExitCode.WAITING,
    SafetyRefusal: ExitCode.REFUSED,
}


def emit(
    command: str,
    data: "BaseModel | dict[str, Any]",
    *,
    as_json: bool,
    show: "Callable[[Console], None]",
    warnings: Sequence[str] = (),
) -> None:
    """Print one result: as JSON on stdout, or for people by `show(console)`, its warnings on stderr."""
    if as_json:
        payload = data if isinstance(data, dict) else data.model_dump(mode="json")
        _print_envelope(command, {"data": payload, "warnings": list(warnings)})
        return
    from rich.console import Console

    show(Console())
    for warning in warnings:
        print(f"warning: {one_line(warning)}", file=sys.stderr)


def emit_error(command: str, error: Exception, *, as_json: bool) -> ExitCode:
    """Print one error, as JSON on stdout or as a line and a hint on stderr; the exit code it stands for."""
    message, hint = describe(error)
    if as_json:
        body = {"code": error_code(error), "message": message, "hint": hint}
        _print_envelope(command, {"error": body})
    else:
        print(f"error: {message}", file=sys.stderr)
        if hint:
            print(f"hint: {hint}", file=sys.stderr)
    return exit_code(error)


def describe(error: Exception) -> tuple[str, str]:
    """Message and hint of an error, each in one line. An error that is not ours is a fault of the program."""
    if is_usage_error(error):
        return one_line(error.format_message()) or "Missing command.", "See --help."  # type: ignore[attr-defined]
    if hasattr(error, "message") and hasattr(error, "hint"):
        return one_line(str(error.message)), one_line(str(error.hint or ""))
    fault = f"{type(error).__name__}: {one_line(str(error)) or 'no message'}"
    return fault, "This is a fault of the program; run again with --debug for its traceback."


def is_usage_error(error: Exception) -> bool:
    """Whether the command line's parser raised it; newer versions of Typer keep that class to themselves."""
    return hasattr(error, "format_message")


def error_code(error: Exception) -> str:
    """The error's class in snake case, without its ending: EcgFileError -> "ecg_file"."""
    name = re.sub(r"(Error|Exception)$", "", type(error).__name__)
    return "usage" if is_usage_error(error) else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def exit_code(error: Exception) -> ExitCode:
    """Which exit code an error stands for; 1 unless its kind has one of its own."""
    if is_usage_error(error):
        return ExitCode.USAGE
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), ExitCode.FAILED)


@contextmanager
def progress_bar(what: str, count: int = 0) -> "Iterator[Callable[[float], None] | None]":
    """A callback for the fraction done, drawn on stderr where that is a terminal; else None.

    count: of the things that are done one by one; their rate is drawn, too.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0, rate="")

        def show(fraction: float) -> None:
            seconds = progress.tasks[task].elapsed
            rate = f"{fraction * count / seconds:.0f}/s" if count and seconds else ""
            progress.update(task, completed=fraction, rate=rate)

        yield show


def _print_envelope(command: str, body: dict[str, Any]) -> None:
    """Strict JSON: a NaN would be a fault, for a number that is not known is null."""
    envelope = {"schema_version": SCHEMA_VERSION, "command": command, **body}
    print(json.dumps(envelope, indent=2, ensure_ascii=False, allow_nan=False))
