"""MIMIC-IV-ECG with MIMIC-IV: an ECG before an administration, an ECG after it, and what was known in between.

Which ECGs belong to which dose is ours, for no paper says it: see `Windows`. Drugs given within `together_h` are one
action. A drug that was given before, since the ECG before, is a repetition and starts no transition of its own.
Recordings store aVF before aVL; leads go by name. Carts' clocks were not all set alike, which `clock_h` allows for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from worldmodel.datasets.mimic_context import context_at, read_chart
from worldmodel.datasets.mimic_doses import Administration, read_administrations
from worldmodel.datasets.mimic_tables import (
    MOST_MS,
    REPORTS,
    Progress,
    find_folder,
    hours_between,
    take_clinical,
    take_ecgs,
)
from worldmodel.datasets.splits import split_of
from worldmodel.datasets.tables import Tables
from worldmodel.datasets.transition import Context, Given, Recording, SubjectRecords, Transition
from worldmodel.ecg import Ecg
from worldmodel.errors import DataSetError


@dataclass(frozen=True)
class Windows:
    """Hours around a dose. before_h: the oldest ECG before it; after_from_h, after_until_h: of the first ECG after it.

    clock_h: an ECG so near to the dose may be on its other side. together_h: what is given so soon is one action.
    facts_h: the oldest laboratory value or vital sign. on_board_h: drugs given before that are carried along.
    """

    before_h: float = 24.0
    after_from_h: float = 0.25
    after_until_h: float = 24.0
    clock_h: float = 0.1
    together_h: float = 0.5
    facts_h: float = 72.0
    on_board_h: float = 48.0


class Mimic:
    """folder: holds both modules, some levels down. work: the SQLite file that the tables are taken to."""

    name = "mimic"

    def __init__(
        self, folder: Path, work: Path, windows: Windows | None = None, progress: Progress | None = None
    ) -> None:
        ecg_folder = find_folder(folder, "record_list.csv")
        hosp = find_folder(folder, "patients.csv.gz") or find_folder(folder, "patients.csv")
        if ecg_folder is None or hosp is None:
            lacking = (
                "record_list.csv of MIMIC-IV-ECG"
                if ecg_folder is None
                else "hosp/patients.csv.gz of MIMIC-IV"
            )
            raise DataSetError(
                f"{folder} holds no {lacking}.",
                "Put MIMIC-IV-ECG and MIMIC-IV (hosp and icu) into one folder and name that.",
            )
        self.windows = windows or Windows()
        self._ecg_folder = ecg_folder
        self._tables = Tables(work)
        take_ecgs(self._tables, ecg_folder)
        several = self._tables.subjects("record_list", at_least=2)
        self.rows_read = take_clinical(self._tables, hosp.parent, several, progress)
        known = set(self._tables.subjects("patients"))
        self._subjects = [f"{self.name}/{subject}" for subject in several if subject in known]

    @property
    def subjects(self) -> Sequence[str]:
        return self._subjects

    @property
    def settings(self) -> dict[str, Any]:
        """What the transitions depend on."""
        return asdict(self.windows)

    def read(self, subject: str) -> SubjectRecords:
        """Transitions of a patient, and the recordings that they use."""
        number = int(subject.split("/")[1])
        chart = read_chart(self._tables, number)
        recordings = self._recordings(number)
        if chart is None or len(recordings) < 2:
            return SubjectRecords(())
        given = read_administrations(self._tables, number)
        found = []
        for episode in pair(recordings, given, self.windows):
            context = context_at(chart, episode.hour_zero, self.windows.facts_h)
            found.append(_transition(subject, episode, given, context, self.windows))
        used = {ecg.id: ecg for one in found for ecg in (one.before, one.after)}
        return SubjectRecords(tuple(used.values()), tuple(found))

    def ecg(self, recording: Recording) -> Ecg:
        from worldmodel.readers import read_ecg

        return read_ecg(self._ecg_folder / recording.path)

    def split_of(self, subject: str) -> str:
        return split_of(subject)

    def _recordings(self, subject: int) -> list[Recording]:
        """All of a patient in order of time, with what the machine said."""
        machine = {row["study_id"]: row for row in self._tables.of("machine_measurements", subject)}
        found = []
        for row in self._tables.of("record_list", subject):
            said = machine.get(row["study_id"], {})
            labels = tuple(said[line] for line in REPORTS if said.get(line))
            found.append(Recording(row["study_id"], row["path"], row["ecg_time"], measured(said), labels))
        return sorted(found, key=lambda recording: (recording.time, recording.id))


@dataclass(frozen=True)
class Episode:
    """An action with its ECGs. hour_zero: when the first of its drugs was given."""

    hour_zero: str
    before: Recording
    after: Recording
    drugs: tuple[Administration, ...]


def pair(recordings: Sequence[Recording], given: Sequence[Administration], windows: Windows) -> list[Episode]:
    """Each action with the last ECG before it and the first after it. Both sequences are in order of time."""
    episodes = []
    for group in _together(given, windows.together_h):
        start = group[0].time
        before = [
            r for r in recordings if windows.clock_h <= hours_between(r.time, start) <= windows.before_h
        ]
        after = [
            r
            for r in recordings
            if hours_between(group[-1].time, r.time) >= windows.after_from_h
            and hours_between(start, r.time) <= windows.after_until_h
        ]
        if not before or not after:
            continue
        since = {one.dose.drug for one in given if before[-1].time <= one.time < start}
        new = tuple(one for one in group if one.dose.drug not in since)
        if new:
            episodes.append(Episode(start, before[-1], after[0], new))
    return episodes


def measured(row: dict[str, str]) -> dict[str, float]:
    """Intervals from a row of machine_measurements; sentinels such as 29999 and 65535 are not measured."""

    def ms(name: str) -> float | None:
        text = row.get(name, "")
        value = float(text) if text else -1.0
        return value if 0.0 <= value <= MOST_MS else None

    found: dict[str, float] = {}
    rr_ms = ms("rr_interval")
    if rr_ms:
        found |= {"rr_ms": rr_ms, "hr_bpm": 60_000.0 / rr_ms}
    for name, start, end in (
        ("pr_ms", "p_onset", "qrs_onset"),
        ("qrs_ms", "qrs_onset", "qrs_end"),
        ("qt_ms", "qrs_onset", "t_end"),
    ):
        a, b = ms(start), ms(end)
        if a is not None and b is not None and b > a:
            found[name] = b - a
    return found


def _together(given: Sequence[Administration], together_h: float) -> list[list[Administration]]:
    groups: list[list[Administration]] = []
    for one in given:
        if groups and hours_between(groups[-1][0].time, one.time) <= together_h:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _transition(
    subject: str, episode: Episode, given: Sequence[Administration], context: Context, windows: Windows
) -> Transition:
    zero = episode.hour_zero
    earlier = tuple(
        one.at(zero)
        for one in given
        if one.time < zero and hours_between(one.time, zero) <= windows.on_board_h
    )
    later = tuple(
        one.at(zero) for one in given if zero <= one.time < episode.after.time and one not in episode.drugs
    )
    names = "+".join(dict.fromkeys(one.dose.drug for one in episode.drugs))
    return Transition(
        id=f"{subject}/{episode.before.id}/{zero.replace(' ', 'T')}/{names}",
        dataset="mimic",
        subject=subject,
        before=episode.before,
        before_h=-round(hours_between(episode.before.time, zero), 4),
        given=Given(tuple(one.at(zero) for one in episode.drugs), later=later),
        context=Context(context.patient, context.facts, context.diagnoses, earlier, context.rhythm),
        hours=round(hours_between(zero, episode.after.time), 4),
        after=episode.after,
        occasion=f"{subject}/{episode.before.id}/{episode.after.id}",
    )
