"""Leads before and after: the leads asked for, the mask first, and a drawing that shows where the wave is."""

import numpy as np
import pytest

from agent.leads import COLUMNS, ROW_MV, draw_curve, named_leads
from agent.workbench import Workbench
from tests.agent.conftest import StretchingModel, Talk
from tools.errors import ToolError

BLANK = chr(0x2800)


def test_only_the_leads_asked_for_are_drawn_side_by_side(talk: Talk) -> None:
    answer = talk().ask("show me V2-V3 before and after verapamil 40 mg oral")
    (found,) = answer.found
    assert list(found.result["drawing"]) == ["V2", "V3"]
    head, *lines = found.result["drawing"]["V2"]
    assert head.split() == ["before", "after"]
    assert max(map(len, lines)) <= 80
    assert "V2: before PR" in answer.answer
    assert "V1" not in answer.answer


def test_a_blocked_action_is_not_drawn(bench: Workbench, world: StretchingModel) -> None:
    result = bench.show_ecg(["V2"], "dofetilide 500 ug oral")
    assert result["refused"][0]["verdict"] == "blocked"
    assert "drawing" not in result
    assert world.calls == []


def test_a_lead_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ToolError, match="V9"):
        named_leads(["V2", "V9"])


def test_a_peak_stands_in_its_column_and_at_the_top() -> None:
    curve = np.zeros(2 * COLUMNS)
    curve[20] = 1.0
    top, *_, bottom = draw_curve(curve, 0.0, 1.0)
    assert [at for at, sign in enumerate(top) if sign != BLANK] == [10]
    assert all(sign != BLANK for sign in bottom)


def test_what_is_beyond_the_scale_is_cut() -> None:
    curve = np.full(2 * COLUMNS, 9.0)
    assert len(draw_curve(curve, 0.0, ROW_MV)) <= 2
