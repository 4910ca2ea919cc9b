"""From facts to labels: the rules of the published labels, and that the unknown stays unknown."""

from dataclasses import replace

import pytest

from worldmodel.labels.definition import NAMES
from worldmodel.labels.facts import Facts, labels_of

HEALTHY = Facts(**dict.fromkeys(Facts.__dataclass_fields__, False) | {"sinus": True})


def true_of(**facts: bool) -> set[str]:
    return {name for name, label in zip(NAMES, labels_of(replace(HEALTHY, **facts)), strict=True) if label}


@pytest.mark.parametrize(
    "facts, expected",
    [
        ({}, {"Sinus rhythm"}),
        (
            {"sinus": False, "fibrillation": True},
            {"Atrial fibrillation", "Tachycardia", "Accessory pathway conduction"},
        ),
        ({"block_3": True}, {"Sinus rhythm", "Bradycardia", "Atrioventricular block"}),
        (
            {"block_1": True},
            {"Sinus rhythm", "Atrioventricular block", "1st degree atrioventricular block"},
        ),
        (
            {"right_block": True, "fascicular": True},
            {"Sinus rhythm", "Right bundle branch block", "Bifascicular block"},
        ),
        (
            {"fast": True, "left_block": True},
            {
                "Sinus rhythm",
                "Tachycardia",
                "Left bundle branch block",
                "Supraventricular tachycardia with aberrancy",
            },
        ),
        (
            {"sinus": False, "ventricular_tachycardia": True, "aberrancy": True},
            {"Tachycardia", "Ventricular tachycardia"},
        ),
    ],
)
def test_a_kind_makes_its_parents_true_and_compounds_need_both(facts, expected) -> None:
    assert true_of(**facts) == expected


def test_the_unknown_is_neither_absent_nor_present() -> None:
    """An unknown counted as absent would teach that it is not there."""
    assert set(labels_of(Facts())) == {None}
    by_name = dict(zip(NAMES, labels_of(Facts(fibrillation=True, right_block=True)), strict=True))
    assert by_name["Tachycardia"] is True
    assert by_name["Bifascicular block"] is None
    assert by_name["Bradycardia"] is None
