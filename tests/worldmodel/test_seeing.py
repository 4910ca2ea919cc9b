"""From measured ECGs to what is learned of a person."""

import torch

from worldmodel.measurement import Intervals, Measurement
from worldmodel.pharmacology import EFFECTS, Action
from worldmodel.population import shipped_population
from worldmodel.response import Bearing
from worldmodel.seeing import ObservedEcg, see_ecgs

VERAPAMIL = shipped_population().drugs["verapamil"].exposure
NOBODY = Bearing(torch.full((1,), torch.nan), torch.zeros(1, dtype=torch.bool))
PR = EFFECTS.index("pr_ms")


def test_what_the_pre_dose_ecg_does_not_show_teaches_nothing_today() -> None:
    """A long PR on the drug is no effect of it where PR before the dose is unknown."""
    observed = [ObservedEcg(Action((VERAPAMIL,), 1.5), Intervals(hr_bpm=60.0, pr_ms=260.0))]
    before = Measurement(intervals=Intervals(hr_bpm=60.0))
    seen = see_ecgs(observed, before, [Action((VERAPAMIL,), 2.0)], NOBODY, shipped_population())
    assert seen.series[1].values[0, PR].isnan()
    known = Measurement(intervals=Intervals(hr_bpm=60.0, pr_ms=160.0))
    taught = see_ecgs(observed, known, [Action((VERAPAMIL,), 2.0)], NOBODY, shipped_population())
    assert float(taught.mean.norm()) > float(seen.mean.norm()) + 0.5


def test_the_change_on_common_leads_is_what_counts() -> None:
    """On its fewer leads QRS was 80 before the dose and is 84 now: 4 ms more, though all leads had 100."""
    before = Measurement(intervals=Intervals(hr_bpm=60.0, qrs_ms=100.0))
    action = Action((VERAPAMIL,), 1.5)
    few = ObservedEcg(action, Intervals(hr_bpm=60.0, qrs_ms=84.0), before=Intervals(hr_bpm=60.0, qrs_ms=80.0))
    all_leads = ObservedEcg(action, Intervals(hr_bpm=60.0, qrs_ms=104.0))
    taught = [see_ecgs([ecg], before, [action], NOBODY, shipped_population()) for ecg in (few, all_leads)]
    assert torch.equal(taught[0].mean, taught[1].mean)
