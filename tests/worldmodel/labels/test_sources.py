"""Labelled recordings: what the tables say, and what a virtual patient was drawn with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from worldmodel.errors import EcgFileError
from worldmodel.labels.sources import (
    VIRTUAL,
    facts_of_codes,
    facts_of_ludb,
    facts_of_patients,
    read_labelled,
    sample_virtual,
)
from worldmodel.virtual.patients import sample_patients

NOTHING = dict.fromkeys(
    ("Rhythms", "Conduction abnormalities", "Extrasystolies", "Cardiac pacing", "Ischemia"), ""
)


def test_a_row_of_ludb() -> None:
    facts = facts_of_ludb(
        NOTHING
        | {
            "Rhythms": "Sinus bradycardia",
            "Conduction abnormalities": "Incomplete right bundle branch block\nI degree av block",
            "Extrasystolies": "Atrial extrasystole, type: single pac",
        }
    )
    assert facts.sinus and facts.slow and facts.right_block and facts.block_1
    assert facts.ventricular_ectopy is False
    assert facts.block_2 is False
    assert facts.block_3 is False
    assert facts.poor_quality is None


def test_what_may_be_a_scar_is_unknown() -> None:
    """The readers could not tell it from ischaemia; a STEMI beside it decides."""
    undefined = "Undefined ischemia/scar/supp.nstemi: lateral wall"
    assert facts_of_ludb(NOTHING | {"Ischemia": undefined}).infarction is None
    assert facts_of_ludb(NOTHING | {"Ischemia": undefined + "\nSTEMI: septal"}).infarction is True
    assert facts_of_ludb(NOTHING | {"Ischemia": "Ischemia: apical"}).infarction is False


def test_codes_of_the_challenge() -> None:
    facts = facts_of_codes(["427084000", " 713426002"])
    assert facts.sinus and facts.fast and facts.right_block
    assert facts.fibrillation is False
    assert facts.poor_quality is None


def test_virtual_patients_are_labelled_by_what_they_were_drawn_with() -> None:
    patients = sample_patients(64, torch.Generator().manual_seed(3))
    facts = facts_of_patients(patients)
    assert [f.fibrillation for f in facts] == patients.rhythm.irregular.tolist()
    assert {f.fast for f, rr in zip(facts, patients.timing.rr_s.tolist(), strict=True) if rr < 0.59} == {True}
    assert {f.infarction for f in facts} == {None}, "nothing in the virtual trial is an infarct"


def test_virtual_recordings_are_the_same_for_the_same_seed() -> None:
    one, again = (list(sample_virtual(3, seed=4)) for _ in range(2))
    assert [labelled.origin for labelled in one] == [VIRTUAL] * 3
    assert one[0].samples_mv.shape[0] == 12
    assert all(np.array_equal(a.samples_mv, b.samples_mv) for a, b in zip(one, again, strict=True))


def test_a_folder_without_labels_is_refused_with_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(EcgFileError) as refused:
        list(read_labelled(tmp_path))
    assert "ludb.csv" in refused.value.hint
