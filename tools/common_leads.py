"""Two ECGs of one person on the leads that both have: intervals of other leads differ by more than many effects."""

from dataclasses import dataclass

import numpy as np

from tools.errors import MissingInputError
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, Ecg
from worldmodel.measurement import Intervals, Measurement

OTHER_RECORDING = "Give a recording with leads of the pre-dose ECG, best all of them."


@dataclass(frozen=True)
class Recording:
    """An ECG in standard lead order, and what was measured of it."""

    ecg: Ecg
    measured: Measurement

    @property
    def leads(self) -> tuple[str, ...]:
        """Those that its intervals are read from: of the limb leads only I and II, where they are there."""
        independent = tuple(name for name in INDEPENDENT_LEADS if name in self.measured.lead_intervals)
        return independent or tuple(self.measured.lead_intervals)

    def intervals_on(self, leads: tuple[str, ...]) -> Intervals:
        """The same ECG, measured as if no other leads had been recorded."""
        from worldmodel.delineation.measure import measure_batch

        kept = np.isin(LEADS, leads)[:, None]
        return measure_batch(np.where(kept, self.ecg.samples_mv, np.nan)[None], self.ecg.fs_hz)[0].intervals


@dataclass(frozen=True)
class Compared:
    """Intervals to compare. before: None where they are those of the whole pre-dose ECG."""

    after: Intervals
    before: Intervals | None = None
    warnings: tuple[str, ...] = ()


def compare(before: Recording, after: Recording, name: str) -> Compared:
    """Both on the leads they share. name: of the later one, in a sentence.

    Raises MissingInputError where they share none, or where nothing can be measured in the later one or on these leads.
    """
    if not after.leads:
        reason = " ".join(after.measured.quality.reasons[-1:])
        raise MissingInputError(f"Nothing can be measured in {name}: {reason}", OTHER_RECORDING)
    if (
        set(after.leads) == set(before.leads) or not before.leads
    ):  # without any the model refuses, and says why
        return Compared(after.measured.intervals)
    # All leads of use count here: a limb lead may be there alone on one side and follow from others on the other.
    common = tuple(lead for lead in before.measured.lead_intervals if lead in after.measured.lead_intervals)
    sides = f"the pre-dose ECG ({', '.join(before.leads)}) and {name} ({', '.join(after.leads)})"
    if not common:
        raise MissingInputError(f"There is no lead of use that both {sides} have.", OTHER_RECORDING)
    pair = Compared(
        after.intervals_on(common),
        before.intervals_on(common),
        (f"Of {sides} only the leads that both have are compared: {', '.join(common)}.",),
    )
    if None in (pair.after.hr_bpm, pair.before and pair.before.hr_bpm):
        raise MissingInputError(f"The leads that both {sides} have show no beats.", OTHER_RECORDING)
    return pair
