"""Rhythm and findings against the labels of two open sets; swapped electrodes and artefacts against made ones.

    python benchmarks/rhythm.py [--data FOLDER]

The folder holds `ludb/data/*.hea` with `ludb/ludb.csv`, and `cinc2021/*.hea` with `cinc2021/index.csv` (SNOMED
codes); a set that is not there is left out. Labels say what a reader wrote down, not all that is there: of a label
that a set never uses only the false alarms count.
"""

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, LIMB_FROM_I_II, Ecg, standard_twelve
from worldmodel.measurement import Measurement
from worldmodel.readers import read_ecg

# What we say: words of LUDB's table, SNOMED codes of the CinC 2021 challenge.
RHYTHMS = {
    "sinus": (("sinus",), ("426783006", "426177001", "427084000", "427393009")),
    "atrial_fibrillation": (("atrial fibrillation",), ("164889003",)),
    "atrial_flutter": (("atrial flutter",), ("164890007",)),
    "paced": (("paced",), ("10370003",)),
}
FINDINGS = {
    "bradycardia": (("sinus bradycardia",), ("426177001", "426627000")),
    "tachycardia": (("sinus tachycardia",), ("427084000",)),
    "av_block_1": (("i degree av",), ("270492004",)),
    "av_block_2_or_3": (("ii degree av", "iii degree av"), ("195042002", "27885002", "233917008")),
    "rbbb": (("complete right bundle",), ("59118001", "713427006")),
    "lbbb": (("complete left bundle",), ("164909002", "733534002")),
    "left_anterior_hemiblock": (("left anterior hemiblock",), ("445118002",)),
    "preexcitation": (("wpw", "preexcitation"), ("74390002",)),
    "atrial_ectopic_beats": (("atrial extrasystole",), ("284470004", "63593006")),
    "ventricular_ectopic_beats": (("ventricular extrasystole",), ("427172004", "17338001")),
    "long_qt": ((), ("111975006",)),
}
SEED = 0


@dataclass(frozen=True)
class Labelled:
    """A recording, what was measured of it, and the words or codes of its label."""

    name: str
    ecg: Ecg
    measured: Measurement
    labels: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    data = parser.parse_args().data
    sets = {name: load(data) for name, load in (("LUDB", load_ludb), ("CinC 2021", load_cinc))}
    for column, (name, records) in enumerate(sets.items()):
        if records:
            print(f"\n{name}, {len(records)} records")
            report_rhythms(records, column)
            report_findings(records, column)
            report_pr(records, column)
    everything = [record for records in sets.values() for record in records]
    if everything:
        report_electrodes(everything)
        report_artefacts(everything)


def load_ludb(data: Path) -> list[Labelled]:
    """LUDB's table holds several labels in a field, one a line; a pacing entry makes the rhythm paced."""
    table = data / "ludb/ludb.csv"
    if not table.is_file():
        return []
    with table.open(encoding="utf-8") as file:
        rows = {int(row["ID"]): row for row in csv.DictReader(file)}
    records = []
    for path in sorted((data / "ludb/data").glob("*.hea"), key=lambda path: int(path.stem)):
        row = rows[int(path.stem)]
        fields = ("Rhythms", "Conduction abnormalities", "Extrasystolies")
        labels = [line.strip().lower() for name in fields for line in row[name].splitlines() if line.strip()]
        paced = ["paced"] if row["Cardiac pacing"].strip() else []
        records.append(labelled(path, (*labels, *paced)))
    return records


def load_cinc(data: Path) -> list[Labelled]:
    index = data / "cinc2021/index.csv"
    if not index.is_file():
        return []
    with index.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [labelled(index.parent / f"{row['record']}.hea", tuple(row["dx"].split(","))) for row in rows]


def labelled(path: Path, labels: tuple[str, ...]) -> Labelled:
    ecg = read_ecg(path)
    return Labelled(path.stem, standard_twelve(ecg), measure(ecg), labels)


def says(record: Labelled, words: tuple[str, ...], column: int) -> bool:
    """Words begin the label, so that `complete` is not found in `incomplete`, nor `i degree` in `ii degree`."""
    if column:
        return any(code in record.labels for code in words)
    return any(label.startswith(word) for label in record.labels for word in words)


def report_rhythms(records: list[Labelled], column: int) -> None:
    """The confusion table; pacing comes before the rhythm of the atria, and fibrillation before sinus."""
    order = ("paced", "atrial_fibrillation", "atrial_flutter", "sinus")
    table: dict[str, dict[str, int]] = {}
    for record in records:
        true = next((name for name in order if says(record, RHYTHMS[name][column], column)), "not labelled")
        row = table.setdefault(true, {})
        row[record.measured.rhythm.label] = row.get(record.measured.rhythm.label, 0) + 1
    print("rhythm, by label:")
    for true, row in table.items():
        print(f"  {true:20s} " + ", ".join(f"{name} {count}" for name, count in sorted(row.items())))
    paced = [says(record, RHYTHMS["paced"][column], column) for record in records]
    for name in RHYTHMS:
        true = [
            says(record, RHYTHMS[name][column], column) and (name == "paced" or not is_paced)
            for record, is_paced in zip(records, paced, strict=True)
        ]
        print_accuracy(name, [record.measured.rhythm.label == name for record in records], true)


def report_findings(records: list[Labelled], column: int) -> None:
    print("findings with a confidence of 0.5 and more:")
    for name, words in FINDINGS.items():
        said = [
            any(found.name == name and found.confidence >= 0.5 for found in record.measured.findings)
            for record in records
        ]
        print_accuracy(name, said, [says(record, words[column], column) for record in records])


def print_accuracy(name: str, said: list[bool], true: list[bool]) -> None:
    hits = sum(a and b for a, b in zip(said, true, strict=True))
    alarms, missed = sum(said) - hits, sum(true) - hits
    rest = len(true) - hits - alarms - missed

    def share(part: int, whole: int) -> str:
        return f"{part}/{whole} ({part / whole:4.0%})" if whole else "none"

    print(
        f"  {name:26s} sensitivity {share(hits, hits + missed):16s} "
        f"specificity {share(rest, rest + alarms):16s} PPV {share(hits, hits + alarms)}"
    )


def report_pr(records: list[Labelled], column: int) -> None:
    """PR must be null in fibrillation, flutter and pacing, and be there in sinus rhythm."""
    names = ("atrial_fibrillation", "atrial_flutter", "paced")
    none = [any(says(record, RHYTHMS[name][column], column) for name in names) for record in records]
    null = [record.measured.intervals.pr_ms is None for record in records]
    without = sum(a for a, b in zip(null, none, strict=True) if b)
    kept = sum(not a for a, b in zip(null, none, strict=True) if not b)
    print(f"PR null in {without}/{sum(none)} without P waves, given in {kept}/{len(none) - sum(none)} others")


def swap(samples_mv: NDArray[np.float64], first: str, second: str) -> NDArray[np.float64]:
    """The recording with two limb electrodes exchanged. The right leg is taken to be near the left one."""
    lead_i, lead_ii = samples_mv[0], samples_mv[1]
    at = {"RA": np.zeros_like(lead_i), "LA": lead_i, "LL": lead_ii, "RL": lead_ii + 0.03 * (lead_i - lead_ii)}
    before = (at["RA"] + at["LA"] + at["LL"]) / 3
    at[first], at[second] = at[second], at[first]
    limb = np.stack([at["LA"] - at["RA"], at["LL"] - at["RA"]])
    swapped = samples_mv + before - (at["RA"] + at["LA"] + at["LL"]) / 3
    for row, name in enumerate(LEADS[: len(LIMB_FROM_I_II)]):
        swapped[row] = np.array(LIMB_FROM_I_II[name]) @ limb
    return swapped


def report_electrodes(records: list[Labelled]) -> None:
    false = sum(warns(record.measured, "swapped") for record in records)
    print(f"\nswapped limb electrodes: {false} false alarms in {len(records)} records; found once swapped:")
    sinus = [record for record in records if record.measured.rhythm.label == "sinus"]
    for pair in (("RA", "LA"), ("RA", "LL"), ("RA", "RL"), ("LA", "LL")):
        made = [replace(record.ecg, samples_mv=swap(record.ecg.samples_mv, *pair)) for record in sinus]
        found = sum(warns(measure(ecg), "swapped") for ecg in made)
        print(f"  {pair[0]}/{pair[1]}: {found}/{len(sinus)} ({found / len(sinus):.0%})")


def warns(measured: Measurement, word: str) -> bool:
    return any(word in reason for reason in measured.quality.reasons)


def report_artefacts(records: list[Labelled]) -> None:
    """One lead, V3, spoilt in each good recording: how often that lead is told of, before and after."""
    good = [record for record in records if record.measured.quality.verdict == "good"]
    rng = np.random.default_rng(SEED)
    print(f"artefacts added to V3 of {len(good)} recordings of good quality, told:")
    for name, (word, make) in ARTEFACTS.items():
        told, snr_db = 0, []
        for record in good:
            ecg, row = record.ecg, LEADS.index("V3")
            lead = ecg.samples_mv[row]
            spoilt = ecg.samples_mv.copy()
            spoilt[row] = make(Lead(lead, np.arange(lead.size) / ecg.fs_hz, rng))
            told += word in " ".join(measure(replace(ecg, samples_mv=spoilt)).quality.leads.get("V3", ()))
            snr_db.append(20 * np.log10(np.nanstd(lead) / max(float(np.nanstd(spoilt[row] - lead)), 1e-9)))
        print(f"  {name:34s} SNR {np.nanmedian(snr_db):5.1f} dB  {told}/{len(good)} ({told / len(good):.0%})")


@dataclass(frozen=True)
class Lead:
    """What an artefact is made of: the samples in mV, their times, and chance."""

    mv: NDArray[np.float64]
    time_s: NDArray[np.float64]
    rng: np.random.Generator

    def wave(self, hz: float, mv: float) -> NDArray[np.float64]:
        return np.asarray(self.mv + mv * np.sin(2 * np.pi * hz * self.time_s))

    def noise(self, mv: float) -> NDArray[np.float64]:
        return np.asarray(self.mv + mv * self.rng.normal(size=self.mv.size))

    def jump(self, mv: float) -> NDArray[np.float64]:
        """One that dies away in three seconds, as a high-pass of 0.05 Hz leaves it."""
        since = self.time_s - self.rng.uniform(2, 7)
        return np.asarray(self.mv + np.where(since > 0, mv * np.exp(-np.maximum(since, 0) / 3), 0.0))


# The word that tells of it, and how a lead is spoilt.
ARTEFACTS: dict[str, tuple[str, Callable[[Lead], NDArray[np.float64]]]] = {
    "50 Hz hum of 0.1 mV": ("50 Hz", lambda lead: lead.wave(50.0, 0.1)),
    "59.9 Hz hum of 0.05 mV": ("60 Hz", lambda lead: lead.wave(59.9, 0.05)),
    "muscle noise of 0.05 mV RMS": ("muscle", lambda lead: lead.noise(0.05)),
    "muscle noise of 0.1 mV RMS": ("muscle", lambda lead: lead.noise(0.1)),
    "wander of 2 mV at 0.3 Hz": ("wander", lambda lead: lead.wave(0.3, 1.0)),
    "jump of 1.5 mV": ("jump", lambda lead: lead.jump(1.5)),
    "cut off at 60 % of its height": (
        "cut off",
        lambda lead: np.clip(lead.mv, 0.6 * lead.mv.min(), 0.6 * lead.mv.max()),
    ),
    "shrunk to 0.08 mV": ("under 0.1 mV", lambda lead: 0.08 * lead.mv / np.ptp(lead.mv)),
    "0.5 s not recorded": (
        "gaps",
        lambda lead: np.where(np.abs(lead.time_s - 3.2) < 0.25, np.nan, lead.mv),
    ),
}

if __name__ == "__main__":
    main()
