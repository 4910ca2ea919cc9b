"""Which data sets there are, where they come from, what they may be used for, and how each is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from worldmodel.datasets.transition import Room

PHYSIONET = "https://physionet.org/files"


@dataclass(frozen=True)
class DataSet:
    """modules: folder below the data set's own, and where its files are; the same layout has SHA256SUMS.txt.

    credentials: how to get at it where not everybody may; "" where everybody may.
    """

    name: str
    title: str
    licence: str
    modules: tuple[tuple[str, str], ...] = ()
    credentials: str = ""


_MIMIC = (
    "Sign up at physionet.org, finish the training it asks for, and sign the agreement of mimiciv 3.1 (mimic-iv-ecg "
    "1.0 says itself what it asks for). Then, in one folder: wget -r -N -c -np -nH --cut-dirs=1 --user NAME "
    f"--ask-password {PHYSIONET}/mimiciv/3.1/ {PHYSIONET}/mimic-iv-ecg/1.0/, then `data prepare mimic --data .`"
)
DATA_SETS = {
    one.name: one
    for one in (
        DataSet(
            "ecgrdvq",
            "FDA crossover trial of dofetilide, quinidine, ranolazine, verapamil",
            "ODC-By 1.0",
            (("", f"{PHYSIONET}/ecgrdvq/1.0.0"),),
        ),
        DataSet(
            "ecgdmmld",
            "FDA crossover trial of dofetilide with mexiletine or lidocaine, moxifloxacin with diltiazem",
            "ODC-By 1.0",
            (("", f"{PHYSIONET}/ecgdmmld/1.0.0"),),
        ),
        DataSet(
            "ecgcipa",
            "FDA trial that validates CiPA: seven treatments, 60 subjects",
            "ODC-By 1.0",
            (("", f"{PHYSIONET}/ecgcipa/1.0.0"),),
        ),
        DataSet("ptbxl", "21,799 ECGs with statements", "CC BY 4.0", (("", f"{PHYSIONET}/ptb-xl/1.0.3"),)),
        DataSet(
            "ludb", "200 ECGs with marks and diagnoses", "ODC-By 1.0", (("", f"{PHYSIONET}/ludb/1.0.1"),)
        ),
        DataSet(
            "mimic-demo",
            "demos of MIMIC-IV and MIMIC-IV-ECG, 100 patients",
            "ODbL 1.0",
            (
                ("mimic-iv-demo", f"{PHYSIONET}/mimic-iv-demo/2.2"),
                ("mimic-iv-ecg-demo", f"{PHYSIONET}/mimic-iv-ecg-demo/0.1"),
            ),
        ),
        DataSet(
            "mimic", "MIMIC-IV with MIMIC-IV-ECG, 800,035 ECGs", "PhysioNet, credentialed", credentials=_MIMIC
        ),
        DataSet("virtual", "the virtual trial, of any size; made, nothing to download", "as this program"),
    )
}


def open_folder(name: str, folder: Path) -> Room:
    """The data set in a folder; mimic and virtual, which take more than a folder, have classes of their own."""
    from worldmodel.datasets import ecgcipa, ecgdmmld, ecgrdvq
    from worldmodel.datasets.ludb import Ludb
    from worldmodel.datasets.ptbxl import PtbXl

    openers: dict[str, Callable[[Path], Room]] = {
        "ecgrdvq": ecgrdvq.open_room,
        "ecgdmmld": ecgdmmld.open_room,
        "ecgcipa": ecgcipa.open_room,
        "ptbxl": PtbXl,
        "ludb": Ludb,
    }
    return openers[name](folder)
