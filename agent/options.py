"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from worldmodel.scoring import LAMBDA, K

DEFAULT_K = K
DEFAULT_LAMBDA = LAMBDA

EcgOption = Annotated[Path | None, typer.Option("--ecg", metavar="FILE", help="The pre-dose ECG.")]
RequiredEcg = Annotated[Path, typer.Option("--ecg", metavar="FILE", help="The pre-dose ECG.")]
PatientOption = Annotated[
    Path | None, typer.Option("--patient", metavar="FILE", help="The patient file (JSON).")
]
GoalOption = Annotated[str | None, typer.Option(help="What it is given for, such as rate-control.")]
DrugsOption = Annotated[
    list[str] | None,
    typer.Option("--drug", metavar="NAME", help="Its usual doses; repeat for several drugs."),
]
KOption = Annotated[int, typer.Option("-k", min=1, max=200, help="Simulated ECGs for each action.")]
SeedOption = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same numbers.")]
HoursOption = Annotated[
    float | None,
    typer.Option(min=0.05, max=48.0, help="Hours after the dose; otherwise when the effect peaks."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")]
