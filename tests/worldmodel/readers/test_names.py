"""Lead names of many archives come out as one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldmodel.ecg import LEADS
from worldmodel.readers.names import canonical_lead, canonical_leads


@given(
    name=st.sampled_from(LEADS),
    dress=st.sampled_from(["{}", "Lead {}", "ECG {}", " {} ", "MDC_ECG_LEAD_{}", "lead-{}"]),
)
def test_case_and_dress_do_not_matter(name, dress):
    for spelling in (name, name.upper(), name.lower()):
        assert canonical_lead(dress.format(spelling)) == name


@pytest.mark.parametrize(
    "spelling, name",
    [("MLII", "II"), ("DI", "I"), ("VF", "aVF"), ("x", "vx"), ("C4", "V4"), ("Resp", "Resp")],
)
def test_aliases(spelling, name):
    assert canonical_lead(spelling) == name


def test_names_stay_distinct_and_none_is_empty():
    assert canonical_leads(["V1", "v1", "", "V1"]) == ("V1", "V1#2", "signal 3", "V1#3")


@pytest.mark.parametrize("name", ["-aVR", "ECG 1", "channel 1", "EKG2"])
def test_an_inverted_lead_and_a_numbered_signal_are_not_taken_for_a_lead(name):
    assert canonical_lead(name) == name
