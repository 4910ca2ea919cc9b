"""From measured ECGs of a person on drugs to what stage one learns of that person."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.beat import JT_RR_EXPONENT
from worldmodel.measurement import Intervals, Measurement
from worldmodel.observed import Seen, Series, see
from worldmodel.pharmacology import EFFECTS, Action
from worldmodel.population import Population
from worldmodel.response import Bearing


@dataclass(frozen=True)
class ObservedEcg:
    """Measured intervals of this person: what had been given and how many hours before, `action.hours`.

    period: 0 for the day that is simulated, which begins with the pre-dose ECG; another number for another day, which
    needs an ECG before its dose (an action without drugs) to compare with. before: of the pre-dose ECG on the leads
    that this one has as well, where they are fewer than all of it.
    """

    action: Action
    intervals: Intervals
    period: int = 0
    before: Intervals | None = None


def values_of(intervals: Intervals, *, by_tangent: bool = True) -> Tensor:
    """The values that stage one looks at, (6,) in the order of EFFECTS; NaN where not measured.

    Tpeak-Tend ends by the tangent where that was measured, as the effects of the trial do, and where readers see its
    end unless `by_tangent`. T amplitude is not looked at: it is no interval.
    """
    found = dict.fromkeys(EFFECTS, float("nan"))
    for name in ("hr_bpm", "pr_ms", "qrs_ms", "tpeak_tend_ms"):
        value = getattr(intervals, name)
        if value is not None:
            found[name] = value
    if intervals.jtpeak_ms is not None and intervals.hr_bpm:
        found["jtpeakc_ms"] = intervals.jtpeak_ms / (60.0 / intervals.hr_bpm) ** JT_RR_EXPONENT
    qt, qrs, jt = intervals.qt_tangent_ms, intervals.qrs_ms, intervals.jtpeak_ms
    if by_tangent and qt is not None and qrs is not None and jt is not None:
        found["tpeak_tend_ms"] = qt - qrs - jt
    return torch.tensor([found[name] for name in EFFECTS], dtype=torch.float64)


def see_ecgs(
    observed: Sequence[ObservedEcg],
    before: Measurement,
    actions: Sequence[Action],
    bearing: Bearing,
    population: Population,
) -> Seen:
    """What the ECGs say of the person, the pre-dose ECG of today among them. actions: all that will be asked about."""
    # T ends later to readers than by the tangent: a change between the two would be no effect of a drug.
    every = [part for ecg in observed for part in (ecg.intervals, ecg.before) if part is not None]
    by_tangent = all(intervals.qt_tangent_ms is not None for intervals in every)
    measured = values_of(before.intervals, by_tangent=by_tangent)
    # What today's pre-dose ECG does not show has no change to be counted from. Any level will do for it, but nothing
    # measured later today may then be compared with that level.
    baseline = torch.where(measured.isfinite(), measured, population.day.level_mean)
    series = [Series((), torch.zeros(1, dtype=torch.float64), baseline[None])]
    for ecg in observed:
        hours = torch.tensor([ecg.action.hours], dtype=torch.float64)
        values = values_of(ecg.intervals, by_tangent=by_tangent)
        if ecg.before is not None:  # the change is what counts, from where the whole pre-dose ECG is
            values = measured + values - values_of(ecg.before, by_tangent=by_tangent)
        if ecg.period == 0:
            values = torch.where(measured.isfinite(), values, torch.nan)
        series.append(Series(ecg.action.drugs, hours, values[None], period=ecg.period))
    names = [drug.name for action in actions for drug in action.drugs]
    return see(series, names, population, bearing)
