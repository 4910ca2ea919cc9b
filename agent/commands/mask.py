"""`mask`: which actions are safe for this patient, and which rules say otherwise."""

from typing import Annotated

import typer

from agent.options import (
    DrugsOption,
    EcgOption,
    FsOption,
    GoalOption,
    JsonFlag,
    LeadsOption,
    PatientOption,
    UnitOption,
    WindowOption,
    stated_facts,
)
from agent.output import emit


def mask(
    patient: PatientOption = None,
    ecg: EcgOption = None,
    fs: FsOption = None,
    unit: UnitOption = None,
    leads: LeadsOption = None,
    window: WindowOption = None,
    drug: DrugsOption = None,
    action: Annotated[
        list[str] | None, typer.Option(metavar='"NAME DOSE ROUTE"', help="One action; repeat for several.")
    ] = None,
    goal: GoalOption = None,
    together: Annotated[
        int,
        typer.Option(min=1, max=3, help="From 2 on also no drug, and combinations of up to so many drugs."),
    ] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Say which actions are safe for this patient, and which rules speak."""
    from agent.console import print_mask
    from tools.case import load_case
    from tools.mask import mask_actions, mask_together

    if together > 1 and action:
        raise typer.BadParameter("combines drugs, not actions; join these with +", param_hint="--together")
    case = load_case(ecg, patient, stated_facts(fs, unit, leads), window)
    if together > 1:
        result = mask_together(case, drug or (), goal, together)
    else:
        result = mask_actions(case, drug or (), action or (), goal)
    emit(
        "mask",
        result,
        as_json=as_json,
        show=lambda console: print_mask(console, result),
        warnings=result.warnings,
    )
