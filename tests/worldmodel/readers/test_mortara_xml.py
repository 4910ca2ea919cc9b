"""Mortara XML: one CHANNEL per lead, counts per mV."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.worldmodel.readers.xml_ecgs import mortara, mortara_channel, text_of, twelve_counts
from worldmodel.ecg import LEADS
from worldmodel.errors import EcgFileError
from worldmodel.readers.mortara_xml import read

COUNTS = twelve_counts()


@pytest.fixture
def read_text(tmp_path):
    def write_and_read(text: str):
        path = tmp_path / "mortara.xml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return write_and_read


def test_the_channels_are_read_and_typical_cycles_left_out(read_text):
    ecg = read_text(mortara(COUNTS))
    assert ecg.leads == LEADS and ecg.fs_hz == 500 and ecg.warnings == () and ecg.amplitudes_trusted
    np.testing.assert_allclose(ecg.samples_mv, COUNTS / 400)


@given(arrays(np.int16, (4, 90)), st.sampled_from(["200", "400", "409.6"]))
def test_any_counts_come_back(tmp_path_factory, counts, per_mv):
    path = tmp_path_factory.mktemp("mortara") / "mortara.xml"
    channels = [mortara_channel(f"V{n}", row, per_mv) for n, row in enumerate(counts, start=1)]
    path.write_text(mortara(counts, channels="".join(channels)), encoding="utf-8")
    np.testing.assert_array_equal(np.round(read(path).samples_mv * float(per_mv)), counts)


def test_samples_may_be_the_text_of_a_channel(read_text):
    channel = mortara_channel("II", COUNTS[1])
    begin = channel.index(' DATA="')
    ecg = read_text(mortara(COUNTS, channels=f"{channel[:begin]}>{text_of(COUNTS[1])}</CHANNEL>"))
    np.testing.assert_allclose(ecg.lead("II"), COUNTS[1] / 400)


def test_each_lead_has_its_own_resolution(read_text):
    channels = mortara_channel("V1", COUNTS[6], "200") + mortara_channel("V2", COUNTS[7], "1000")
    np.testing.assert_allclose(
        read_text(mortara(COUNTS, channels=channels)).samples_mv, COUNTS[6:8] / np.array([[200.0], [1000.0]])
    )


def test_an_offset_is_told(read_text):
    ecg = read_text(mortara(COUNTS).replace('OFFSET="0"', 'OFFSET="12"', 1))
    assert ecg.warnings == ("A constant OFFSET of channel 'I' was not applied.",)


def test_a_scale_that_cannot_be_is_not_trusted(read_text):
    ecg = read_text(mortara(COUNTS).replace('PER_MV="400"', 'PER_MV="0.4"'))
    assert not ecg.amplitudes_trusted and "microvolts" in ecg.warnings[0]


@pytest.mark.parametrize(
    "old, new, told",
    [
        ('SAMPLE_FREQ="500" NAME', "NAME", "does not state the rate of channel 'I' (SAMPLE_FREQ)"),
        ('SAMPLE_FREQ="500" NAME', 'SAMPLE_FREQ="0" NAME', "0 as the rate of channel 'I'"),
        ('SAMPLE_FREQ="500" NAME="II"', 'SAMPLE_FREQ="250" NAME="II"', "differ in rate (250, 500 Hz)"),
        ('UNITS_PER_MV="400" DURATION="1000"', 'DURATION="1000"', "does not state the resolution of channel 'I'"),
        ('UNITS_PER_MV="400" DURATION="1000"', 'UNITS_PER_MV="0" DURATION="1000"', "which has to be positive"),
        ('DURATION="1000"', "", "does not state the number of samples of channel 'I'"),
        ('DURATION="1000"', 'DURATION="5000"', "announces 5000 samples of channel 'I' (DURATION) and holds 1000"),
        ('OFFSET="0" BITS="16"', 'OFFSET="0"', "'' as BITS of channel 'I'; known is 16"),
        ('OFFSET="0" BITS="16"', 'OFFSET="x" BITS="16"', "'x' as OFFSET, which is no number"),
        ('"SIGNED" UNITS_PER_MV="400" DURATION="1000"', '"UNSIGNED"', "'UNSIGNED' as FORMAT of channel 'I'"),
        ('NAME="I" ENCODING="BASE64"', 'NAME="I" ENCODING="HEX"', "'HEX' as ENCODING of channel 'I'"),
        ('NAME="I" ENCODING="BASE64"', 'ENCODING="BASE64"', "channel without its NAME"),
        ('NAME="I" ENCODING="BASE64" DATA="', 'NAME="I" ENCODING="BASE64" DATA="?', "cut off or no base64"),
        ('NAME="I" ENCODING="BASE64" DATA="', 'NAME="I" ENCODING="BASE64" OTHER="', "no samples of channel 'I'"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(read_text, old, new, told):
    text = mortara(COUNTS)
    assert old in text
    with pytest.raises(EcgFileError) as caught:
        read_text(text.replace(old, new, 1))
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


def test_leads_of_unequal_length_and_no_leads_are_told(read_text):
    channels = mortara_channel("I", COUNTS[0]) + mortara_channel("II", COUNTS[1, :990])
    with pytest.raises(EcgFileError, match=r"differ in length \(I 1000, II 990 samples\)"):
        read_text(mortara(COUNTS, channels=channels))
    with pytest.raises(EcgFileError, match="holds no leads"):
        read_text(mortara(COUNTS, channels=""))
