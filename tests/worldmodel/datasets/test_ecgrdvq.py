"""Reading the trial's table: units, wraps, triplicates, and what is wrong with other tables."""

from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.datasets_tables import COLUMNS, write_table
from worldmodel.datasets.ecgrdvq import read_trial
from worldmodel.errors import DataSetError
from worldmodel.pharmacology import EFFECTS


def test_triplicates_are_averaged_and_placebo_comes_first(tmp_path: Path) -> None:
    trial = read_trial(write_table(tmp_path / "table.csv"))
    assert trial.arms == ("placebo", "dofetilide") and trial.subjects == ("1", "2", "3")
    assert trial.values.shape == (3, 2, 4, len(EFFECTS)) and trial.taken.all()
    assert trial.values[0, 1, 2, EFFECTS.index("jtpeakc_ms")] == pytest.approx(240.0)
    assert trial.qtcf_ms[0, 1, 2] - trial.qtcf_ms[0, 1, 0] == pytest.approx(38.0)


def test_picograms_become_nanograms(tmp_path: Path) -> None:
    trial = read_trial(write_table(tmp_path / "table.csv"))
    assert trial.plasma_ng_ml[0, 1, 2] == pytest.approx(2.7)
    assert np.isnan(trial.plasma_ng_ml[0, 0]).all()


def test_a_wrapped_pr_is_unwrapped_and_a_missing_value_stays_missing(tmp_path: Path) -> None:
    wrapped = read_trial(write_table(tmp_path / "a.csv", PR=str(160 - 2**32)))
    assert wrapped.values[0, 0, 0, EFFECTS.index("pr_ms")] == pytest.approx(160.0)
    missing = read_trial(write_table(tmp_path / "b.csv", JTPEAK="NA"))
    assert np.isnan(missing.values[..., EFFECTS.index("jtpeakc_ms")]).all()
    assert np.isfinite(missing.values[..., EFFECTS.index("pr_ms")]).all()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PR": "long"}, "PR is 'long'"),
        ({"EXTRT": ""}, "EXTRT is empty"),
        ({"PCSTRESU": "mol", "PCSTRESN": "1"}, "mol"),
    ],
)
def test_a_cell_that_is_no_value_is_named_with_its_line(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(DataSetError, match=said) as raised:
        read_trial(write_table(tmp_path / "table.csv", **changed))
    assert "line 2" in raised.value.message and raised.value.hint


def test_another_layout_and_no_table_are_told(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(",".join(COLUMNS[:4]) + "\n")
    with pytest.raises(DataSetError, match="no column RR"):
        read_trial(tmp_path / "other.csv")
    with pytest.raises(DataSetError, match="no table"):
        read_trial(tmp_path)
