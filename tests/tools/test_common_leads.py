"""An observed ECG is compared with the pre-dose ECG on the leads that both have, and this is said."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.case import Case
from tools.common_leads import Recording, compare
from tools.errors import MissingInputError
from tools.observed import on_common_leads, read_observed
from tools.simulate import roll_out, simulate_actions
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg, standard_twelve
from worldmodel.readers.stated import Stated

DOFETILIDE = "dofetilide 500 ug oral"


def with_leads(ecg: Ecg, *names: str) -> Recording:
    samples = np.stack([ecg.lead(name) for name in names])
    part = standard_twelve(replace(ecg, samples_mv=samples, leads=names))
    return Recording(part, measure(part))


@pytest.fixture
def uneven(made_ecg: Callable[..., Ecg]) -> Ecg:
    """QRS ends 50 ms later in V1 to V3 than elsewhere, as repolarisation and conduction do differ by lead."""
    ecg = made_ecg()
    samples = ecg.samples_mv.copy()
    chest = [LEADS.index(name) for name in ("V1", "V2", "V3")]
    samples[chest] -= np.roll(samples[chest], round(0.05 * ecg.fs_hz), axis=1)
    return replace(ecg, samples_mv=samples)


def test_the_same_ecg_on_fewer_leads_is_no_effect_of_a_drug(uneven: Ecg) -> None:
    """Silently compared, the leads left out looked like a shorter QRS."""
    before, after = with_leads(uneven, *LEADS), with_leads(uneven, "I", "II", "V5", "V6")
    assert before.measured.intervals.qrs_ms is not None and after.measured.intervals.qrs_ms is not None
    assert before.measured.intervals.qrs_ms > after.measured.intervals.qrs_ms + 10
    for pair in (compare(before, after, "the later"), compare(after, before, "the later")):
        assert pair.before == pair.after
        assert "V5, V6" in pair.warnings[0]


def test_the_same_leads_are_compared_as_they_are(uneven: Ecg) -> None:
    """Limb leads that follow from others make no difference."""
    whole, eight = with_leads(uneven, *LEADS), with_leads(uneven, "I", "II", *LEADS[6:])
    assert compare(whole, eight, "the later").warnings == ()
    assert compare(whole, eight, "the later").before is None


def test_without_a_common_lead_or_a_beat_it_is_refused(uneven: Ecg) -> None:
    with pytest.raises(MissingInputError, match="no lead of use that both") as told:
        compare(with_leads(uneven, "V1"), with_leads(uneven, "II"), "the later")
    assert told.value.hint
    flat = replace(uneven, samples_mv=np.zeros_like(uneven.samples_mv))
    with pytest.raises(MissingInputError, match="Nothing can be measured in the later: No lead"):
        compare(with_leads(uneven, *LEADS), with_leads(flat, *LEADS), "the later")


@pytest.mark.parametrize("run", [simulate_actions, roll_out])
def test_a_simulation_says_which_leads_were_compared(
    run: Any, case: Case, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(model), "roll_out", type(model).simulate, raising=False)
    ecg, _ = case.pre_dose()
    table = tmp_path / "later.csv"
    np.savetxt(table, np.stack([ecg.lead("II"), ecg.lead("V5")]).T, delimiter=",", fmt="%.4f")
    seen = read_observed([f"2:{table}"], Stated(ecg.fs_hz, "mV", ("II", "V5")))
    result = run(case, [DOFETILIDE], k=1, model=model, observed=seen)
    assert any("the ECG 2 h after the dose (II, V5)" in warning for warning in result.warnings)
    (compared,), _ = on_common_leads(seen, case)
    assert compared.before is not None
