"""HL7 aECG: digits with origin, scale and units, on a time of even steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.worldmodel.readers.xml_ecgs import (
    aecg,
    aecg_file,
    aecg_lead,
    aecg_leads,
    aecg_series,
    aecg_set,
    twelve_counts,
)
from worldmodel.ecg import LEADS
from worldmodel.errors import EcgFileError
from worldmodel.readers.hl7_aecg import read

COUNTS = twelve_counts()


@pytest.fixture
def read_text(tmp_path):
    def write_and_read(text: str):
        path = tmp_path / "aecg.xml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return write_and_read


def one_lead(**lead: str) -> str:
    return aecg_file(aecg_series(aecg_set(aecg_lead("MDC_ECG_LEAD_II", COUNTS[1], **lead))))


def test_the_rhythm_is_read_and_its_representative_beat_left_out(read_text):
    ecg = read_text(aecg(COUNTS))
    assert ecg.leads == LEADS and ecg.fs_hz == 500 and ecg.warnings == () and ecg.amplitudes_trusted
    np.testing.assert_allclose(ecg.samples_mv, COUNTS * 5e-3)


@given(arrays(np.int16, (3, 80)), st.sampled_from(["1", "2.5", "4.88"]), st.integers(-2000, 2000))
def test_any_digits_come_back(tmp_path_factory, counts, scale, origin):
    path = tmp_path_factory.mktemp("aecg") / "aecg.xml"
    quantities = {"scale": f'value="{scale}" unit="uV"', "origin": f'value="{origin}" unit="uV"'}
    path.write_text(aecg(counts, ("V1", "V2", "V3"), **quantities), encoding="utf-8")
    np.testing.assert_allclose(read(path).samples_mv, (counts * float(scale) + origin) / 1000, atol=1e-9)


@pytest.mark.parametrize(
    "scale, origin, mv, zero_mv",
    [
        ('value="0.005" unit="mV"', 'value="-100" unit="uV"', 5e-3, -0.1),
        ('value="2500" unit="nV"', 'value="0.2" unit="mV"', 2.5e-3, 0.2),
        ('value="4.88" unit="µV"', 'value="0"', 4.88e-3, 0.0),
        ('value="0.000005" unit="V"', "", 5e-3, 0.0),
    ],
)
def test_scale_and_origin_have_units_of_their_own(read_text, scale, origin, mv, zero_mv):
    ecg = read_text(one_lead(scale=scale, origin=origin))
    np.testing.assert_allclose(ecg.lead("II"), COUNTS[1] * mv + zero_mv, atol=1e-12)


@pytest.mark.parametrize("time", ["TIME_ABSOLUTE", "TIME_RELATIVE"])
@pytest.mark.parametrize(
    "increment, fs_hz",
    [("0.002 s", 500), ("2 ms", 500), ("1000 us", 1000), ("0.00390625 s", 256), ("3.9 ms", 1000 / 3.9)],
)
def test_the_rate_is_that_of_the_increment(read_text, time, increment, fs_hz):
    value, unit = increment.split()
    lead = aecg_lead("MDC_ECG_LEAD_II", COUNTS[1])
    ecg = read_text(aecg_file(aecg_series(aecg_set(lead, f'value="{value}" unit="{unit}"', time))))
    assert ecg.fs_hz == pytest.approx(fs_hz, rel=1e-12)


def test_digits_may_have_decimals_and_any_white_space(read_text):
    text = one_lead(scale='value="1" unit="mV"')
    begin, end = text.index("<digits>") + 8, text.index("</digits>")
    ecg = read_text(text[:begin] + "\n 0.25\t-1.5\r\n0  3 " + text[end:])
    np.testing.assert_allclose(ecg.lead("II"), [0.25, -1.5, 0, 3])


def test_of_several_parts_the_longest_is_read_and_the_rest_named(read_text):
    columns = [aecg_set(aecg_leads(COUNTS[part : part + 3, :500], LEADS[part : part + 3])) for part in (0, 3)]
    long = aecg_set(aecg_lead("MDC_ECG_LEAD_II", COUNTS[1]))
    beat = aecg_series(aecg_set(aecg_leads(COUNTS)), kind="REPRESENTATIVE_BEAT")
    ecg = read_text(aecg_file(aecg_series("".join(columns)) + beat + aecg_series(long)))
    assert ecg.leads == ("II",) and ecg.samples_mv.shape[1] == 1000
    assert ecg.warnings == (
        "Of 3 parts of the recording the longest was read; left out: 3 leads of 1 s, 3 leads of 1 s.",
    )


def test_of_equally_long_parts_the_one_with_most_leads_is_read(read_text):
    parts = [aecg_set(aecg_leads(COUNTS[:size], LEADS[:size])) for size in (1, 12, 3)]
    assert read_text(aecg_file(aecg_series("".join(parts)))).leads == LEADS


def test_what_is_no_voltage_is_left_out_and_said(read_text):
    pressure = aecg_lead("MDC_PRESS_BLD_ART", COUNTS[0], scale='value="1" unit="mm[Hg]"')
    vendor = aecg_lead("MINDRAY_ECG_LEAD_V4R", COUNTS[2])
    ecg = read_text(
        aecg_file(aecg_series(aecg_set(pressure + aecg_lead("MDC_ECG_LEAD_AVF", COUNTS[1]) + vendor)))
    )
    assert ecg.leads == ("aVF", "V4R")
    assert ecg.warnings == ("Left out, not in a unit of voltage: 'MDC_PRESS_BLD_ART'.",)


def test_a_scale_that_cannot_be_is_not_trusted(read_text):
    ecg = read_text(aecg(COUNTS, scale='value="5" unit="mV"'))
    assert not ecg.amplitudes_trusted and "microvolts" in ecg.warnings[0]


@pytest.mark.parametrize(
    "old, new, told",
    [
        ('<scale value="5" unit="uV"/>', "", "does not state the scale of lead 'I'"),
        ('<scale value="5" unit="uV"/>', '<scale value="5"/>', "does not state the unit of lead 'I'"),
        ('<scale value="5"', '<scale value="0"', "scale of lead 'I', which has to be positive"),
        ('<scale value="5"', '<scale value="x"', "'x' as the scale of lead 'I', which is no number"),
        ('<scale value="5"', '<scale value="1e-20"', "which no recorder has"),
        ('<origin value="0" unit="uV"', '<origin value="7"', "does not state the unit of the origin of lead 'I'"),
        ('<origin value="0" unit="uV"', '<origin value="7" unit="%"', "'%' as the unit of the origin of lead 'I'"),
        ('<increment value="0.002" unit="s"/>', "", "does not state the time between its samples"),
        ('<increment value="0.002" unit="s"/>', '<increment value="0.002"/>', "'' as the unit of time"),
        ('<increment value="0.002" unit="s"/>', '<increment value="1" unit="min"/>', "'min' as the unit of time"),
        ('<increment value="0.002"', '<increment value="0"', "the time between its samples"),
        ('<increment value="0.002"', '<increment value="2"', "sampling rate of 0.5 Hz"),
        ("TIME_ABSOLUTE", "CLOCK", "does not state the scale of lead 'CLOCK'"),
        ('code="MDC_ECG_LEAD_I"', 'code=""', "lead without its code"),
        ("component>", "part>", "no series of rhythm"),
        ("RHYTHM", "REPRESENTATIVE_BEAT", "no series of rhythm"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(read_text, old, new, told):
    text = aecg(COUNTS)
    assert old in text
    with pytest.raises(EcgFileError) as caught:
        read_text(text.replace(old, new))
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


def test_leads_without_digits_are_told(read_text):
    with pytest.raises(EcgFileError, match="holds no leads with samples"):
        read_text(aecg(COUNTS[:, :0]))
    with pytest.raises(EcgFileError, match="holds no leads with samples"):
        read_text(aecg_file(aecg_series(aecg_set(""))))


@pytest.mark.parametrize(
    "first, told",
    [
        ("1,2", "no numbers separated by spaces"),
        ("7 7", "differ in length (I 1001, II 1000"),
        ("nan", "larger than any recorder"),
        ("1e300", "larger than any recorder"),
    ],
)
def test_damaged_digits_are_told(read_text, first, told):
    with pytest.raises(EcgFileError) as caught:
        read_text(aecg(COUNTS).replace(f"<digits>{COUNTS[0, 0]}", f"<digits>{first}", 1))
    assert told in caught.value.message


def test_plain_integers_have_no_unit_and_are_refused(read_text):
    with pytest.raises(EcgFileError, match="does not state the unit of lead 'II'"):
        read_text(one_lead(kind="SLIST_INT", scale='value="5"', origin='value="0"'))
