"""`doctor`: what is installed, configured and missing, and how to mend it."""

from typing import TYPE_CHECKING
from urllib.parse import urlparse

import typer

from agent.options import JsonFlag
from agent.output import ExitCode, emit

if TYPE_CHECKING:
    from rich.console import Console

    from agent.settings import Settings
    from tools.health import Check


def doctor(as_json: JsonFlag = False) -> None:
    """Say what is installed, configured and missing.

    And how to mend it. No key is ever printed.
    """
    from agent.settings import load_settings
    from tools.health import check_health

    checks = (*check_health(), *_settings_checks(load_settings()))
    sound = all(check.ok for check in checks)
    data = {"ok": sound, "checks": [check.model_dump(mode="json") for check in checks]}
    emit("doctor", data, as_json=as_json, show=lambda console: _print_checks(console, checks))
    if not sound:
        raise typer.Exit(ExitCode.FAILED)


def _settings_checks(settings: "Settings") -> "tuple[Check, ...]":
    from agent.settings import config_path
    from tools.health import Check

    file = config_path(settings.home)
    host = urlparse(settings.base_url).hostname if settings.base_url else None
    planner = settings.model == "offline" or not (settings.key or settings.base_url)
    speaker = (
        "the offline planner" if planner else f"{settings.model or 'the default model'} at {host or 'OpenAI'}"
    )
    return (
        Check(
            name="configuration", ok=True, detail=f"{file} ({'read' if file.is_file() else 'none; defaults'})"
        ),
        Check(
            name="key", ok=True, detail="present" if settings.key else "none; needed for a remote model only"
        ),
        Check(name="answers", ok=True, detail=speaker),
        _home_check(settings),
    )


def _home_check(settings: "Settings") -> "Check":
    import os

    from tools.health import Check

    there = next(folder for folder in (settings.home, *settings.home.absolute().parents) if folder.exists())
    if os.access(there, os.W_OK):
        return Check(name="home", ok=True, detail=str(settings.home))
    return Check(
        name="home", ok=False, detail=f"{there} cannot be written", fix="Set ECGWM_HOME to another folder."
    )


def _print_checks(console: "Console", checks: "tuple[Check, ...]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("", "what", "found"):
        table.add_column(title, overflow="fold")
    for check in checks:
        table.add_row("ok" if check.ok else "MISSING", Text(check.name), Text(check.detail))
        if check.fix:
            table.add_row("", "", Text(f"-> {check.fix}"))
    console.print(table)
