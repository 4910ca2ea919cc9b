"""What the FDA's crossover trials on PhysioNet share: raw/SUBJECT/UUID, triplicates, a baseline in each period.

How ECGs are paired (ours; no paper says it): the k-th ECG of a time after the dose goes with the k-th of the last time
before it in the same period, in the order of the table, and with the first where the baseline has fewer.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from worldmodel.datasets.splits import split_of
from worldmodel.datasets.transition import Context, Dose, Given, Recording, SubjectRecords, Transition
from worldmodel.ecg import Ecg
from worldmodel.errors import DataSetError


@dataclass(frozen=True)
class TrialEcg:
    """hours: nominal, from the period's first dose; <= 0 before it. doses: on board at this ECG."""

    recording: Recording
    period: str
    hours: float
    arm: str
    doses: tuple[Dose, ...]


class TrialRoom:
    """A trial whose table has been read: ECGs and context by number of subject."""

    def __init__(
        self, name: str, folder: Path, ecgs: Mapping[str, Sequence[TrialEcg]], contexts: Mapping[str, Context]
    ) -> None:
        if not (folder / "raw").is_dir():
            raise DataSetError(
                f"{folder} holds no recordings: there is no folder raw in it.",
                f"`data fetch {name}` downloads them; the table alone is enough for `evaluate`.",
            )
        self.name = name
        self._folder = folder
        self._ecgs = {f"{name}/{number}": tuple(of) for number, of in ecgs.items()}
        self._contexts = {f"{name}/{number}": context for number, context in contexts.items()}

    @property
    def subjects(self) -> Sequence[str]:
        return sorted(self._ecgs)

    def read(self, subject: str) -> SubjectRecords:
        ecgs = self._ecgs[subject]
        transitions = pair(self.name, subject, ecgs, self._contexts.get(subject, Context()))
        return SubjectRecords(tuple(ecg.recording for ecg in ecgs), transitions)

    def ecg(self, recording: Recording) -> Ecg:
        from worldmodel.readers import read_ecg

        return read_ecg(self._folder / recording.path)

    def split_of(self, subject: str) -> str:
        return split_of(subject)


def pair(dataset: str, subject: str, ecgs: Sequence[TrialEcg], context: Context) -> tuple[Transition, ...]:
    """Each ECG after the dose with one before it, as the module says; periods without a baseline give none."""
    times: dict[tuple[str, float], list[TrialEcg]] = defaultdict(list)
    for ecg in ecgs:
        times[ecg.period, ecg.hours].append(ecg)
    transitions = []
    for (period, hours), after in sorted(times.items()):
        earlier = [at for of, at in times if of == period and at <= 0]
        if hours <= 0 or not earlier:
            continue
        before_h = max(earlier)
        before = times[period, before_h]
        for k, ecg in enumerate(after):
            transitions.append(
                Transition(
                    id=f"{subject}/{ecg.recording.id}",
                    dataset=dataset,
                    subject=subject,
                    before=before[k if k < len(before) else 0].recording,
                    before_h=before_h,
                    given=Given(ecg.doses, ecg.arm),
                    context=context,
                    hours=hours,
                    after=ecg.recording,
                    occasion=f"{subject}/{period}/{hours:g}",
                )
            )
    return tuple(transitions)
