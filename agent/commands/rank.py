"""`rank`: candidates, best first, without a conversation."""

from typing import Annotated

import typer

from agent.options import (
    DEFAULT_K,
    DEFAULT_LAMBDA,
    DrugsOption,
    EcgFmOption,
    FsOption,
    GoalOption,
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


def rank(
    ecg: RequiredEcg,
    patient: PatientOption = None,
    fs: FsOption = None,
    unit: UnitOption = None,
    leads: LeadsOption = None,
    window: WindowOption = None,
    goal: GoalOption = None,
    drug: DrugsOption = None,
    k: KOption = DEFAULT_K,
    lambda_: Annotated[
        float, typer.Option("--lambda", min=0.0, max=10.0, help="Weight of the spread in the score.")
    ] = DEFAULT_LAMBDA,
    seed: SeedOption = 0,
    hours: HoursOption = None,
    risk: RiskOption = "intervals",
    pooling: PoolingOption = "signed",
    ecgfm: EcgFmOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Rank the candidates for a goal, or the usual doses of drugs: mask, simulate, score."""
    from agent.console import print_ranking
    from tools.case import load_case
    from tools.rank import rank_candidates

    case = load_case(ecg, patient, stated_facts(fs, unit, leads), window)
    choice = risk_choice(risk, pooling, ecgfm)
    with progress_bar("simulating") as progress:
        result = rank_candidates(
            case, goal, drug or (), k, lambda_, seed, hours, progress=progress, choice=choice
        )
    emit(
        "rank",
        result,
        as_json=as_json,
        show=lambda console: print_ranking(console, result),
        warnings=result.warnings,
    )
