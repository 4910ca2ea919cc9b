"""The compression of Philips' leads, against a compressor written from its description."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.worldmodel.readers.xml_ecgs import lzw, twelve_counts, xli
from worldmodel.readers.xli import decode_chunks


def decoded(data: bytes, samples: int) -> np.ndarray:
    return np.stack(list(decode_chunks(data, samples)))


@given(st.integers(3, 40).flatmap(lambda samples: arrays(np.int16, (2, samples))))
def test_any_16_bit_leads_come_back_bit_by_bit(counts):
    np.testing.assert_array_equal(decoded(xli(counts), counts.shape[1]), counts)


@pytest.mark.parametrize("samples", [3, 4, 500, 5500])
def test_an_ecg_comes_back_and_takes_less_room(samples):
    counts = twelve_counts(samples=samples)
    data = xli(counts)
    np.testing.assert_array_equal(decoded(data, samples), counts)
    assert samples < 500 or len(data) < counts.nbytes


def test_a_full_table_stays_and_a_run_names_entries_still_being_made():
    noise = np.random.default_rng(0).integers(-(2**15), 2**15, size=4000).astype(np.int16)
    flat = np.full(4000, -7, dtype=np.int16)
    np.testing.assert_array_equal(decoded(xli(np.stack([noise, flat])), 4000), np.stack([noise, flat]))


def test_a_chunk_written_by_hand():
    """Words 5, 7, 64 + bend, unused: 5, 7, then bends 1 (of the header) and -3."""
    words = np.array([5, 7, 64 - 3, 64], dtype=">u2").view(np.uint8).reshape(-1, 2)
    codes = [int(byte) for byte in words.T.ravel()] + [1023]
    bits = "".join(f"{code:010b}" for code in codes)
    body = bytes(int(bits.ljust(96, "0")[place : place + 8], 2) for place in range(0, 96, 8))
    data = bytes([12, 0, 0, 0, 1, 0, 1, 0]) + body
    np.testing.assert_array_equal(decoded(data, 4), [[5, 7, 8, 12]])


def test_channels_behind_the_wanted_ones_are_not_decoded():
    data = xli(twelve_counts()[:2]) + b"spare"
    assert len(list(islice(decode_chunks(data, 1000), 2))) == 2


@pytest.mark.parametrize(
    "data, told",
    [
        (xli(twelve_counts())[:-1], "cut off"),
        (xli(twelve_counts())[:5], "cut off"),
        (b"\x02\0\0\0\1\0\0\0\xff\xc0", "0 samples instead of 1000"),
        (b"\x03\0\0\0\1\0\0\0\x7f\xff\xc0", "code 511 stands for nothing"),
        (b"\x03\0\0\0\1\0\0\0\x10\x5f\xf0", "code 511 stands for nothing"),
        (b"\x02\0\0\0\1\0\0\0\x40\x00", "code 256 stands for nothing"),
        (xli(twelve_counts(samples=999)), "999 samples instead of 1000"),
        (xli(twelve_counts(samples=1001)), "instead of 1000, or more"),
        (len(lzw(bytes(9))).to_bytes(4, "little") + b"\1\0\0\0" + lzw(bytes(9)), "instead of 1000"),
    ],
)
def test_damage_is_told(data, told):
    with pytest.raises(ValueError, match=told):
        list(decode_chunks(data, 1000))


def test_another_decoder_agrees():
    codec = pytest.importorskip("ecgdatakit.parsing.codecs.xli")
    data = xli(twelve_counts(samples=5500))
    np.testing.assert_array_equal(decoded(data, 5500), np.stack(codec.xli_decode(data)))
