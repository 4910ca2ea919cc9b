"""The tool that trains: which preset goes where, and what it takes."""

from pathlib import Path

import pytest

from tools.errors import OutputError, UsageError
from tools.train import train_model, train_part


def test_an_unknown_preset_is_told_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no preset 'large'") as told:
        train_model("large", tmp_path, 0, False, print)
    assert all(name in told.value.hint for name in ("small", "base", "paper", "paper-as-written"))


def test_the_papers_presets_take_no_recordings(tmp_path: Path) -> None:
    """What would not be used is refused, not passed over."""
    with pytest.raises(UsageError, match="makes its own data"):
        train_model("paper", tmp_path, 0, False, print, data=[tmp_path])


def test_the_papers_preset_trains_on_the_actions_of_the_catalogue(tmp_path: Path) -> None:
    lines: list[str] = []
    result = train_model("paper-tiny", tmp_path, 0, False, lines.append, "cpu")
    assert Path(result.weights).is_file()
    assert result.actions is not None and result.actions > 20
    assert any(line.startswith("denoiser 32/32") for line in lines)


@pytest.mark.parametrize("preset", ["tiny", "paper-tiny"])
def test_a_folder_that_cannot_be_written_is_told_before_the_training(tmp_path: Path, preset: str) -> None:
    """Not as a fault of the program, and not after hours."""
    taken = tmp_path / "taken"
    taken.write_text("")
    with pytest.raises(OutputError, match="cannot write to") as told:
        train_model(preset, taken, 0, False, print, "cpu")
    assert "--out" in told.value.hint
    with pytest.raises(OutputError, match="cannot write to"):
        train_part("typical", [], taken, 0, False, print)
