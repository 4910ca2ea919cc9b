"""`data` as scripts meet it: what is there, what needs credentials, and a made set from end to end."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli import app
from tests.worldmodel.datasets.physionet_server import serving
from tests.worldmodel.datasets.releases import write_ecgrdvq
from worldmodel.datasets.store import Store


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and envelope of a command."""
    with pytest.raises(SystemExit) as ended:
        app(["data", *words, "--json"])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return int(ended.value.code or 0), json.loads(out)


def test_a_trial_is_downloaded_and_prepared_without_naming_a_folder_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = write_ecgrdvq(tmp_path / "release")
    files = {str(f.relative_to(release)): f.read_bytes() for f in release.rglob("*") if f.is_file()}
    there = ("ecgrdvq", "--folder", str(tmp_path / "data"))
    with serving(files) as server:
        code, envelope = run("fetch", *there, "--url", server.url, capsys=capsys)
    assert code == 0 and envelope["data"]["files"] == 37 and envelope["data"]["licence"] == "ODC-By 1.0"
    code, envelope = run("prepare", *there, capsys=capsys)
    assert code == 0 and (envelope["data"]["recordings"], envelope["data"]["skipped"]) == (18, 0)


def test_list_shows_what_is_downloaded_and_prepared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ecgrdvq(tmp_path / "ecgrdvq")
    code, envelope = run("prepare", "ecgrdvq", "--folder", str(tmp_path), capsys=capsys)
    assert (
        code == 0 and envelope["data"]["transitions"] == 9 and sum(envelope["data"]["by_split"].values()) == 1
    )
    code, envelope = run("list", "--folder", str(tmp_path), capsys=capsys)
    sets = {one["name"]: one for one in envelope["data"]["data_sets"]}
    assert code == 0 and sets["ecgrdvq"]["complete"] and sets["ecgrdvq"]["recordings"] == 18
    assert sets["mimic"]["access"] == "credentials needed" and sets["ptbxl"]["folder"] is None


def test_list_is_readable_without_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app(["data", "list", "--folder", str(tmp_path)])
    out = capsys.readouterr().out
    assert "ecgcipa: " in out and "credentials needed" in out and "not here" in out


def test_fetch_says_how_to_get_what_not_everybody_may(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, envelope = run("fetch", "mimic", "--folder", str(tmp_path), capsys=capsys)
    assert code == 1 and envelope["error"]["code"] == "data_set"
    assert "credentials" in envelope["error"]["message"] and "wget" in envelope["error"]["hint"]
    code, envelope = run("fetch", "virtual", "--folder", str(tmp_path), capsys=capsys)
    assert code == 1 and "prepare virtual" in envelope["error"]["hint"]
    code, envelope = run("fetch", "mimik", "--folder", str(tmp_path), capsys=capsys)
    assert code == 1 and "ecgrdvq" in envelope["error"]["hint"]


def test_a_made_set_is_prepared_with_the_windows_that_were_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worldmodel.datasets.made_mimic.PEOPLE", 2)
    made, store = tmp_path / "made", tmp_path / "store"
    code, envelope = run("make", "--out", str(made), "--patients", "4", "--labs", "8", capsys=capsys)
    assert code == 0 and envelope["data"]["rows"]["labevents"] == 32
    words = ("prepare", "mimic", "--data", str(made), "--out", str(store))
    code, envelope = run(*words, "--before-h", "12", capsys=capsys)
    assert code == 0 and envelope["data"]["transitions"] == 4
    assert envelope["data"]["settings"]["before_h"] == 12.0
    assert len(list(Store(store).transitions())) == 4 and not (store / "tables.sqlite").exists()
    code, envelope = run(*words, capsys=capsys)
    assert code == 1 and "another preparation" in envelope["error"]["message"]


def test_what_is_not_there_or_not_known_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, envelope = run("prepare", "ludb", "--folder", str(tmp_path), capsys=capsys)
    assert code == 1 and "data fetch ludb" in envelope["error"]["hint"]
    code, envelope = run("make", "--out", str(tmp_path / "m"), "--policy", "kind", capsys=capsys)
    assert code == 1 and "risk-averse" in envelope["error"]["hint"]


def test_the_virtual_trial_is_prepared_without_anything_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worldmodel.datasets.virtual.GROUP", 2)
    monkeypatch.setattr("worldmodel.datasets.virtual.HOURS", (2.5,))
    from worldmodel.datasets.virtual import _actions

    _actions.cache_clear()
    code, envelope = run("prepare", "virtual", "--folder", str(tmp_path), "--patients", "2", capsys=capsys)
    _actions.cache_clear()
    assert code == 0 and envelope["data"]["subjects"] == 2
    assert envelope["data"]["transitions"] == 2 * 5 and envelope["data"]["skipped"] == 0
