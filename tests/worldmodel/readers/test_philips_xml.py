"""Philips XML: compressed or not, versions 1.03 and 1.04, limb leads predicted, calibration at the end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tests.worldmodel.readers.xml_ecgs import less_predicted, lines_of, philips, text_of, twelve_counts, xli
from worldmodel.ecg import LEADS
from worldmodel.errors import EcgFileError
from worldmodel.readers.philips_xml import read

COUNTS = twelve_counts()
XLI_1_03 = 'compressflag="True" compressmethod="XLI" dataencoding="Base64"'
PLAIN = "\n".join(" ".join(str(count) for count in row) for row in COUNTS.tolist())


@pytest.fixture
def read_text(tmp_path):
    def write_and_read(text: str):
        path = tmp_path / "philips.xml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return write_and_read


@pytest.mark.parametrize(
    "variant",
    [
        {"version": "1.04"},
        {"version": "1.04.01", "how": 'dataencoding="Base64" compression="XLI" compressflag="True"'},
        {"version": "1.03", "how": XLI_1_03},
        {
            "version": "1.04",
            "how": 'dataencoding="Base64" compression="Uncompressed"',
            "waves": text_of(COUNTS),
        },
        {"version": "1.03", "how": 'compressflag="False" dataencoding="Base64"', "waves": text_of(COUNTS)},
        {"version": "1.03", "how": 'compressflag="False" dataencoding="Plain"', "waves": PLAIN},
    ],
)
def test_every_variant_gives_the_same_leads(read_text, variant):
    ecg = read_text(philips(COUNTS, **variant))
    assert ecg.leads == LEADS and ecg.fs_hz == 500 and ecg.warnings == () and ecg.amplitudes_trusted
    np.testing.assert_allclose(ecg.samples_mv, COUNTS * 5e-3)


@settings(max_examples=50)
@given(arrays(np.int16, (12, 40)))
def test_any_twelve_leads_come_back_bit_by_bit(tmp_path_factory, counts):
    path = tmp_path_factory.mktemp("philips") / "philips.xml"
    path.write_text(philips(counts), encoding="utf-8")
    np.testing.assert_array_equal(np.round(read(path).samples_mv * 200), counts)


def test_halves_of_predicted_leads_are_dropped_towards_zero(read_text):
    """By hand: I = -2, II = -3 predict aVR 2.5 as 2; I = 3, III = 0 predict aVL 1.5 as 1."""
    stored = np.zeros((12, 1000), dtype=np.int16)
    stored[0], stored[1] = -2, -3
    stored[:2, 500:] = 3
    samples = read_text(philips(COUNTS, waves=lines_of(xli(stored)))).samples_mv * 200
    np.testing.assert_allclose(samples[:6, 0], [-2, -3, -1, 2, 0, -2])
    np.testing.assert_allclose(samples[:6, 999], [3, 3, 0, -3, 1, 1])


def test_spare_channels_behind_the_leads_are_left_out(read_text):
    spare = np.zeros((4, 1000), dtype=np.int16)
    for version, how in (("1.03", XLI_1_03), ("1.04", 'dataencoding="Base64" compression="XLI"')):
        waves = lines_of(xli(np.concatenate([less_predicted(COUNTS), spare])))
        assert read_text(philips(COUNTS, version, waves, how)).samples_mv.shape == (12, 1000)


def test_other_leads_than_the_twelve_are_named_by_their_labels(read_text):
    names = ("I", "II", "V1", "V2", "V3R", "V7")
    ecg = read_text(philips(COUNTS[6:], names=names))
    assert ecg.leads == names
    np.testing.assert_allclose(ecg.samples_mv, COUNTS[6:] * 5e-3)


def with_calibration(counts: np.ndarray, height: int = 200) -> np.ndarray:
    """Half a second at 500 Hz, as machines append it: flat, a pulse of 200 ms in every lead, flat."""
    end = np.zeros((counts.shape[0], 250), dtype=np.int16)
    end[:, 100:200] = height
    return np.concatenate([counts, end], axis=1)


def test_the_closing_calibration_is_cut_and_told(read_text):
    ecg = read_text(philips(with_calibration(COUNTS)))
    np.testing.assert_allclose(ecg.samples_mv, COUNTS * 5e-3)
    assert ecg.warnings == ("The last 0.50 s hold a calibration pulse of 1 mV and were left out.",)


def test_what_only_resembles_a_calibration_stays(read_text):
    short = with_calibration(COUNTS)
    short[:, 1110:1200] = 0
    uneven = with_calibration(COUNTS)
    uneven[7, 1100:1200] += 1
    for counts in (short, uneven):
        assert read_text(philips(counts)).samples_mv.shape[1] == 1250
    flat = np.concatenate([COUNTS, np.repeat(COUNTS[:, -1:], 500, axis=1)], axis=1)
    assert read_text(philips(flat)).samples_mv.shape[1] == 1500


def test_the_zero_of_the_converter_is_taken_off(read_text):
    ecg = read_text(philips(COUNTS).replace('signaloffset="0"', 'signaloffset="100"'))
    np.testing.assert_allclose(ecg.samples_mv, (COUNTS - 100.0) * 5e-3)


def test_a_scale_that_cannot_be_is_not_trusted(read_text):
    text = philips(COUNTS).replace('resolution="5"', 'resolution="5000"')
    ecg = read_text(text.replace("<resolution>5<", "<resolution>5000<"))
    assert not ecg.amplitudes_trusted and "microvolts" in ecg.warnings[0]


RATE = 'samplespersecond="500"'


@pytest.mark.parametrize(
    "changes, told",
    [
        ({RATE: "", "samplingrate": "x"}, "does not state its sampling rate"),
        ({RATE: 'samplespersecond="250"'}, "250 and 500 as its sampling rate"),
        ({RATE: 'samplespersecond="0"'}, "0 as its sampling rate, which has to be positive"),
        ({'resolution="5"': "", "<resolution>5<": "<resolution><"}, "does not state its resolution in uV"),
        ({"<resolution>5<": "<resolution>2.5<"}, "2.5 and 5 as its resolution in uV"),
        ({'durationperchannel="2000"': ""}, "does not state its duration"),
        ({'durationperchannel="2000"': 'durationperchannel="2002"'}, "1000 samples instead of 1001"),
        ({'durationperchannel="2000"': 'durationperchannel="1998"'}, "instead of 999, or more"),
        ({'durationperchannel="2000"': 'durationperchannel="1e20"'}, "samples per lead"),
        ({'durationperchannel="2000"': 'durationperchannel="1"'}, "0.5 samples per lead"),
        ({'numberofleads="12"': 'numberofleads="14"'}, "announces 14 leads and holds 12"),
        ({'numberofleads="12"': 'numberofleads="0"'}, "number of leads (numberofleads), which has to be positive"),
        ({"leadlabels": "x", "STD-12": "FRANK"}, "does not name its leads (lead set 'FRANK')"),
        ({"I II III": "II I III"}, "limb leads in an unknown order"),
        ({'compression="XLI"': 'compression="LZO"'}, "encoded as 'Base64', compressed by 'LZO'"),
        ({'compression="XLI"': 'compressflag="True"'}, "compressed by ''"),
        ({'dataencoding="Base64"': ""}, "encoded as ''"),
        ({'compression="XLI"': ""}, "holds"),
        ({'"16"': '"24"'}, "samples of '24' bits"),
        ({'signalsigned="True"': 'signalsigned="False"'}, "known are 16 bits, signed"),
        ({">1.04<": ">2.01<"}, "has version '2.01'"),
        ({"<documentversion>1.04</documentversion>": ""}, "has version ''"),
        ({"parsedwaveforms": "rawwaveforms"}, "holds no waveforms"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(read_text, changes, told):
    text = philips(COUNTS)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(EcgFileError) as caught:
        read_text(text)
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


@pytest.mark.parametrize(
    "how, waves, told",
    [
        (XLI_1_03, lines_of(xli(COUNTS))[:-8], "compressed leads"),
        (XLI_1_03, lines_of(xli(COUNTS))[:-7], "cut off or no base64"),
        (XLI_1_03, lines_of(xli(COUNTS[:11])), "announces 12 leads and holds 11"),
        (XLI_1_03, "", "holds no samples"),
        ('dataencoding="Base64"', text_of(COUNTS[:, :-1]), "12 leads of 1000 samples and holds 11988"),
        ('dataencoding="Base64"', text_of(COUNTS[:11]), "12 leads of 1000 samples and holds 11000"),
        ('dataencoding="Plain"', PLAIN[:-30], "12 leads of 1000 samples and holds"),
        ('dataencoding="Plain"', PLAIN + " 40000", "no numbers of 16 bits"),
        ('dataencoding="Plain"', PLAIN + " 0.5", "no numbers of 16 bits"),
    ],
)
def test_samples_cut_off_are_told(read_text, how, waves, told):
    with pytest.raises(EcgFileError) as caught:
        read_text(philips(COUNTS, "1.03", waves, how))
    assert told in caught.value.message
