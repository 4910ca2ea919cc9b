"""`simulate`: the ECG after a dose."""

from pathlib import Path
from typing import Annotated

import typer

from agent.options import (
    DEFAULT_K,
    EcgFmOption,
    FsOption,
    HoursOption,
    JsonFlag,
    KOption,
    LeadsOption,
    PatientOption,
    PoolingOption,
    RequiredEcg,
    RiskOption,
    SeedOption,
    UnitOption,
    WindowOption,
    risk_choice,
    stated_facts,
)
from agent.output import emit, progress_bar


def simulate(
    ecg: RequiredEcg,
    patient: PatientOption = None,
    fs: FsOption = None,
    unit: UnitOption = None,
    leads: LeadsOption = None,
    window: WindowOption = None,
    drug: Annotated[str | None, typer.Option(metavar="NAME", help="The drug, with --dose.")] = None,
    dose: Annotated[str | None, typer.Option(metavar='"500 ug"', help="Its dose, with the unit.")] = None,
    route: Annotated[
        str | None, typer.Option(help="oral, iv, ...; needed where a dose fits several.")
    ] = None,
    action: Annotated[
        list[str] | None,
        typer.Option(
            metavar='"NAME DOSE ROUTE"', help='Instead of --drug and --dose; repeat for several; "no drug".'
        ),
    ] = None,
    then: Annotated[
        list[str] | None,
        typer.Option(
            metavar='"NAME DOSE ROUTE"',
            help="Given after the action, when its --hours are over; repeat for a longer chain.",
        ),
    ] = None,
    observed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOURS:FILE",
            help="An ECG of this person so many hours after the dose, or a JSON file of measured intervals; repeat.",
        ),
    ] = None,
    hours: HoursOption = None,
    k: KOption = DEFAULT_K,
    seed: SeedOption = 0,
    risk: RiskOption = "intervals",
    pooling: PoolingOption = "signed",
    ecgfm: EcgFmOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write WFDB records and plots there.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Simulate post-dose ECGs for one or more actions.

    With --then one after the other, exposure and state carried forward; hours then count from each dose to the next.
    What the mask blocks is not simulated (exit code 6); what it cannot evaluate is marked as a what-if.
    """
    actions = _actions(drug, dose, route, action or [])
    if then and len(actions) != 1:
        raise typer.BadParameter("a chain starts with one action: --then goes with one --action or --drug")
    from agent.console import print_simulation
    from tools.case import load_case
    from tools.observed import read_observed
    from tools.simulate import roll_out, simulate_actions

    stated = stated_facts(fs, unit, leads)
    case = load_case(ecg, patient, stated, window)
    seen = read_observed(observed or [], stated)
    choice = risk_choice(risk, pooling, ecgfm)
    with progress_bar("simulating") as progress:
        run, given = (roll_out, [*actions, *then]) if then else (simulate_actions, actions)
        result = run(case, given, hours, k, seed, out=out, progress=progress, observed=seen, choice=choice)
    emit(
        "simulate",
        result,
        as_json=as_json,
        show=lambda console: print_simulation(console, result),
        warnings=result.warnings,
    )


def _actions(drug: str | None, dose: str | None, route: str | None, actions: list[str]) -> list[str]:
    """What is to be simulated, as text. Raises BadParameter for options that do not go together."""
    if drug and dose:
        return [" ".join(filter(None, (drug, dose, route))), *actions]
    if drug or dose or route:
        raise typer.BadParameter("--drug and --dose belong together (and --route to them)")
    if not actions:
        raise typer.BadParameter("say what is given: --drug and --dose, or --action")
    return actions
