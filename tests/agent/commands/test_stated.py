"""What a user states of a table, and which seconds, on the command line; and a thread that keeps both."""

from pathlib import Path

import numpy as np
import pytest

from agent.cases import open_case, reference
from tests.agent.commands.test_talking import run
from tests.agent.conftest import StretchingModel, made_ecg
from tools.window import Window
from worldmodel.readers.stated import Stated

OPTIONS = ("--fs", "500", "--unit", "uV", "--leads", "I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6")
QTC = "What is her QTc?"


@pytest.fixture
def table(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001
    """Thirty seconds of the made ECG in microvolts, without a header; its first ten are flat."""
    monkeypatch.setattr("tools.simulate.shared_model", StretchingModel)
    monkeypatch.setattr("tools.rank.shared_model", StretchingModel)
    rows = np.round(
        1000 * np.concatenate([0 * made_ecg().samples_mv, *2 * [made_ecg().samples_mv]], axis=1)
    ).T
    np.savetxt(tmp_path / "ecg.csv", rows, fmt="%d", delimiter=",")
    return str(tmp_path / "ecg.csv")


@pytest.mark.parametrize(
    "words",
    [
        ("mask", "--drug", "dofetilide"),
        ("rank", "--drug", "dofetilide"),
        ("simulate", "--action", "no drug"),
        ("ask", QTC),
    ],
)
def test_every_command_that_takes_an_ecg_reads_a_table(
    table: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, envelope = run(*words, "--ecg", table, capsys=capsys)
    assert code == 1 and "sampling rate, unit and leads" in envelope["error"]["message"]
    assert "--fs HZ --unit mV --leads I,II,..." in envelope["error"]["hint"]
    code, envelope = run(*words, "--ecg", table, *OPTIONS, "--window", "12-22", capsys=capsys)
    assert code == 0, envelope


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--fs", "7"), "--fs"),
        (("--unit", "bananas"), "no unit of voltage"),
        (("--leads", "I,,II"), "not a list of leads"),
        (("--window", "22-12"), "at least 1 s after it starts"),
        (("--window", "now"), "START-END in seconds"),
    ],
)
def test_options_that_make_no_sense_are_exit_code_2(
    table: str, options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, envelope = run("mask", "--ecg", table, *options, capsys=capsys)
    assert (code, envelope["error"]["code"]) == (2, "usage")
    assert told in envelope["error"]["message"]


def test_facts_of_no_recording_are_not_swallowed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    code, envelope = run("mask", "--drug", "dofetilide", "--window", "0-10", capsys=capsys)
    assert code == 1 and "none is given" in envelope["error"]["message"]


def test_a_thread_reads_its_table_again_in_the_same_way(
    table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, first = run("ask", QTC, "--ecg", table, *OPTIONS, "--window", "12-22", capsys=capsys)
    thread = ("--thread", first["data"]["thread_id"])
    code, again = run("ask", QTC, *thread, capsys=capsys)
    assert code == 0 and again["data"]["answer"] == first["data"]["answer"]
    _, shown = run("threads", "show", first["data"]["thread_id"], capsys=capsys)
    manifests = [turn["manifest"] for turn in shown["data"]["turns"]]
    assert manifests[0]["ecg_sha256"] == manifests[1]["ecg_sha256"]
    assert manifests[1]["case"]["window"] == "12-22" and manifests[1]["case"]["stated"]["unit"] == "uV"
    code, other = run("ask", QTC, *thread, "--window", "15-25", capsys=capsys)
    assert code == 1 and "--window 12-22, not --window 15-25" in other["error"]["message"]


def test_the_window_chooses_what_is_measured(table: str) -> None:
    stated = Stated(500, "uV", tuple(OPTIONS[-1].split(",")))
    flat = open_case(reference(Path(table), None, stated, Window(0, 9)))
    beating = open_case(reference(Path(table), None, stated, Window(12, 22)))
    assert flat.measurement is not None and flat.measurement.intervals.hr_bpm is None
    assert beating.measurement is not None and beating.measurement.intervals.hr_bpm == pytest.approx(
        75, abs=1
    )
    assert beating.ecg is not None and beating.ecg.duration_s == 10
