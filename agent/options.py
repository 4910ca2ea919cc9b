"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tools.window import Window, parse_window
from worldmodel.scoring import LAMBDA, K, PoolingName, RiskName
from worldmodel.units import FS_HZ, UNITS, mv_per

if TYPE_CHECKING:
    from tools.judging import RiskChoice
    from worldmodel.readers.stated import Stated

DEFAULT_K = K
DEFAULT_LAMBDA = LAMBDA


def _window(text: str) -> Window:
    try:
        return parse_window(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _unit(text: str) -> str:
    if mv_per(text) is None:
        raise typer.BadParameter(f"{text!r} is no unit of voltage; known are {', '.join(UNITS)}")
    return text


def _leads(text: str) -> str:
    if not all(name.strip() for name in text.split(",")):
        raise typer.BadParameter(f"{text!r} is not a list of leads such as I,II,V5")
    return text


EcgOption = Annotated[Path | None, typer.Option("--ecg", metavar="FILE", help="The pre-dose ECG.")]
RequiredEcg = Annotated[Path, typer.Option("--ecg", metavar="FILE", help="The pre-dose ECG.")]
PatientOption = Annotated[
    Path | None, typer.Option("--patient", metavar="FILE", help="The patient file (JSON).")
]
# What a table of numbers does not say of itself (CSV, NumPy); other formats carry their own.
FsOption = Annotated[
    float | None,
    typer.Option("--fs", metavar="HZ", min=FS_HZ[0], max=FS_HZ[1], help="Of a table: samples per second."),
]
UnitOption = Annotated[
    str | None,
    typer.Option("--unit", metavar="UNIT", parser=_unit, help=f"Of a table: {', '.join(UNITS)}."),
]
LeadsOption = Annotated[
    str | None,
    typer.Option("--leads", metavar="I,II,...", parser=_leads, help="Of a table: its leads, in order."),
]
WindowOption = Annotated[
    Window | None,
    typer.Option(
        "--window",
        metavar="START-END",
        parser=_window,
        help="Seconds of a longer recording, such as 12-22; of more than ten their cleanest ten. Default: of all.",
    ),
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
RiskOption = Annotated[
    RiskName,
    typer.Option(
        "--risk", help="The risk to go by: of the intervals, of the 17 labels, or of both and the patient."
    ),
]
PoolingOption = Annotated[
    PoolingName,
    typer.Option("--pooling", help="How labels become one number: by sign and severity, or as in the paper."),
]
EcgFmOption = Annotated[
    Path | None,
    typer.Option(
        "--ecgfm",
        metavar="CHECKPOINT",
        help="ECG-FM's published checkpoint, to judge labels with. Default: ECGWM_ECGFM, or our own model.",
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")]


def stated_facts(fs: float | None, unit: str | None, leads: str | None) -> "Stated":
    """What the user says of a table, from --fs, --unit and --leads."""
    from worldmodel.readers.stated import Stated

    names = tuple(name.strip() for name in leads.split(",")) if leads else ()
    return Stated(fs_hz=fs, unit=unit, leads=names)


def risk_choice(risk: RiskName, pooling: PoolingName, ecgfm: Path | None) -> "RiskChoice":
    """The risk to go by, from --risk, --pooling and --ecgfm."""
    from tools.judging import RiskChoice

    return RiskChoice(risk, pooling, ecgfm)
