"""GE MUSE XML: eight leads in base64, in microvolts per bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.worldmodel.readers.xml_ecgs import eight_counts, muse, muse_file, muse_lead, muse_waveform
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, standard_twelve
from worldmodel.errors import EcgFileError
from worldmodel.readers.muse_xml import read

COUNTS = eight_counts()


@pytest.fixture
def read_text(tmp_path):
    def write_and_read(text: str):
        path = tmp_path / "muse.xml"
        path.write_text(text, encoding="latin-1")
        return read(path)

    return write_and_read


def rhythm(*leads: str, **rate: str) -> str:
    return muse_file(muse_waveform("Rhythm", "".join(leads), **rate))


def test_the_rhythm_is_read_in_millivolts_and_the_median_left_out(read_text):
    ecg = read_text(muse(COUNTS))
    assert (
        ecg.leads == INDEPENDENT_LEADS and ecg.fs_hz == 500 and ecg.warnings == () and ecg.amplitudes_trusted
    )
    np.testing.assert_allclose(ecg.samples_mv, COUNTS * 4.88e-3)


def test_the_other_four_leads_follow_from_the_eight(read_text):
    ecg = standard_twelve(read_text(muse(COUNTS)))
    assert ecg.leads == LEADS and ecg.missing_leads == ()
    np.testing.assert_allclose(ecg.lead("aVF"), (COUNTS[1] - COUNTS[0] / 2) * 4.88e-3)


@given(arrays(np.int16, (8, 100)), st.sampled_from(["4.88", "2.5", "1"]))
def test_any_counts_come_back(tmp_path_factory, counts, units_per_bit):
    path = tmp_path_factory.mktemp("muse") / "muse.xml"
    path.write_text(muse(counts).replace(">4.88<", f">{units_per_bit}<"), encoding="latin-1")
    np.testing.assert_array_equal(np.round(read(path).samples_mv * 1000 / float(units_per_bit)), counts)


@pytest.mark.parametrize(
    "units_per_bit, unit, mv",
    [("4,88", "MICROVOLTS", 4.88e-3), ("0.005", "MILLIVOLTS", 5e-3), ("5", "uV", 5e-3)],
)
def test_units_and_decimal_commas(read_text, units_per_bit, unit, mv):
    ecg = read_text(rhythm(muse_lead("II", COUNTS[1], units_per_bit, unit)))
    np.testing.assert_allclose(ecg.lead("II"), COUNTS[1] * mv)


@pytest.mark.parametrize("base, exponent, fs_hz", [("500", "0", 500), ("25", "1", 250), ("2400", "-1", 240)])
def test_the_rate_has_an_exponent(read_text, base, exponent, fs_hz):
    assert read_text(rhythm(muse_lead("II", COUNTS[1]), base=base, exponent=exponent)).fs_hz == fs_hz


def test_of_several_rhythms_the_longest_is_read(read_text):
    strips = [muse_waveform("Rhythm", muse_lead("II", COUNTS[1, :size])) for size in (300, 900, 500)]
    ecg = read_text(muse_file("".join(strips)))
    assert ecg.samples_mv.shape == (1, 900)
    assert ecg.warnings == ("Of 3 rhythm strips the longest was read.",)


def test_what_the_recorder_says_of_its_leads_is_passed_on(read_text):
    shifted = muse_lead("V1", COUNTS[2]).replace("FirstSample>0", "FirstSample>1250")
    off = muse_lead("V2", COUNTS[3]).replace("<LeadOff>FALSE", "<LeadOff>TRUE")
    warnings = read_text(rhythm(muse_lead("II", COUNTS[1]), shifted, off)).warnings
    assert warnings[0] == "The recorder marked as not attached: 'V2'."
    assert "start at different times (LeadOffsetFirstSample)" in warnings[1]


def test_a_scale_that_cannot_be_is_not_trusted(read_text):
    ecg = read_text(muse(COUNTS).replace("MICROVOLTS", "MILLIVOLTS"))
    assert not ecg.amplitudes_trusted and "microvolts" in ecg.warnings[0]


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("<SampleBase>500</SampleBase>", "", "does not state its sampling rate (SampleBase)"),
        ("<SampleExponent>0</SampleExponent>", "", "does not state the exponent of its rate"),
        (">0</SampleExponent>", ">400</SampleExponent>", "400 as SampleExponent"),
        ("<SampleBase>500<", "<SampleBase>0<", "0 as its sampling rate (SampleBase), which has to be positive"),
        ("<SampleBase>500<", "<SampleBase>fast<", "'fast' as its sampling rate (SampleBase), which is no number"),
        ("<SampleBase>500<", "<SampleBase>5<", "sampling rate of 5 Hz"),
        ("<SampleBase>500<", "<SampleBase>1e9<", "sampling rate of 1e+09 Hz"),
        ("<LeadAmplitudeUnits>MICROVOLTS<", "<LeadAmplitudeUnits><", "does not state the unit of lead 'I'"),
        (">MICROVOLTS<", ">mmHg<", "'mmHg' as the unit of lead 'I'"),
        ("<LeadAmplitudeUnitsPerBit>4.88<", "<LeadAmplitudeUnitsPerBit><", "does not state the resolution of lead 'I'"),
        (">4.88<", ">0<", "resolution of lead 'I' (LeadAmplitudeUnitsPerBit), which has to be positive"),
        (">4.88<", ">1e20<", "which no recorder has"),
        ("<LeadSampleCountTotal>1000<", "<LeadSampleCountTotal>999<", "999 of lead 'I' and holds 1000"),
        ("<LeadByteCountTotal>2000<", "<LeadByteCountTotal>1998<", "1998 of lead 'I' and holds 2000"),
        ("<LeadSampleSize>2<", "<LeadSampleSize>4<", "samples of '4' bytes"),
        ("<LeadID>I<", "<LeadID><", "without its name"),
        ("Rhythm", "Median", "no rhythm waveform (its waveforms: 'Median', 'Median')"),
        ("<Waveform>", "<Other>", "not complete XML"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(read_text, old, new, told):
    """The rhythm's, not the median's: both are changed, and the median is not read."""
    text = muse(COUNTS)
    assert old in text
    with pytest.raises(EcgFileError) as caught:
        read_text(text.replace(old, new))
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


def test_samples_cut_off_are_told(read_text):
    whole = muse_lead("V1", COUNTS[2])
    begin, end = whole.index("<WaveFormData>") + 14, whole.index("</WaveFormData>")
    data = "".join(whole[begin:end].split())
    counts_unsaid = whole[:begin].replace("LeadByteCountTotal", "x").replace("LeadSampleCountTotal", "y")
    for head, kept, told in (
        (whole[:begin], data[:1001], "are cut off or no base64"),
        (whole[:begin], data[:1000], "LeadByteCountTotal 2000 of lead 'V1' and holds 750"),
        (whole[:begin], data[:999] + "=", "end within a number"),
        (whole[:begin], data[:500] + "?" + data[501:], "are cut off or no base64"),
        (whole[:begin], "", "holds no samples of lead 'V1'"),
        (counts_unsaid, data[:800], "differ in length (II 1000, V1 300 samples)"),
    ):
        with pytest.raises(EcgFileError) as caught:
            read_text(rhythm(muse_lead("II", COUNTS[1]), head + kept + whole[end:]))
        assert told in caught.value.message


def test_a_rhythm_without_leads_is_told(read_text):
    with pytest.raises(EcgFileError, match="holds no leads"):
        read_text(rhythm())
