"""What holds for every XML format: recognised by content, opened safely, damage told in one sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worldmodel.readers.xml_ecgs import aecg, eight_counts, mortara, muse, philips, twelve_counts
from worldmodel.errors import EcgFileError
from worldmodel.readers import hl7_aecg, mortara_xml, muse_xml, philips_xml, xml_file

READERS = {"muse": muse_xml, "aecg": hl7_aecg, "philips": philips_xml, "mortara": mortara_xml}
FILES = {
    "muse": muse(eight_counts()),
    "aecg": aecg(twelve_counts()),
    "philips": philips(twelve_counts()),
    "mortara": mortara(twelve_counts()),
}
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {new} "{10 * f"&{old};"}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><{root}><x>&i;</x></{root}>"
)


def write(folder: Path, text: str, encoding: str = "utf-8", name: str = "ecg.xml") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("name", ["ecg.xml", "ecg.dat", "ecg"])
def test_a_file_is_known_by_its_content_to_its_own_reader_alone(tmp_path, kind, name):
    path = write(tmp_path, FILES[kind], name=name)
    assert [other for other, reader in READERS.items() if reader.locate(path) == path] == [kind]


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_file_is_read_in_the_encoding_it_has_not_the_one_it_declares(tmp_path, kind, encoding):
    text = FILES[kind].replace("<!-- ", "<!-- Müller ").replace("</documentname>", " Müller</documentname>")
    path = write(tmp_path, "\n" + text, encoding)
    assert READERS[kind].locate(path) == path
    np.testing.assert_array_equal(
        READERS[kind].read(path).samples_mv, READERS[kind].read(write(tmp_path, FILES[kind])).samples_mv
    )


@pytest.mark.parametrize("kind", READERS)
def test_comments_and_a_document_type_may_come_first(tmp_path, kind):
    declaration, rest = FILES[kind].split("?>", 1)
    if "<!DOCTYPE" not in rest:
        rest = f"\n<!DOCTYPE {kind} [ <!ELEMENT x (y)> ]>{rest}"
    path = write(tmp_path, f"{declaration}?><?style a?><!-- <RestingECG> <ECG> -->{rest}")
    assert [other for other, reader in READERS.items() if reader.locate(path)] == [kind]
    assert READERS[kind].read(path).fs_hz == 500


@pytest.mark.parametrize("kind", READERS)
def test_a_prefix_instead_of_the_default_namespace(tmp_path, kind):
    text = FILES[kind].replace("</", "</e:").replace("<", "<e:").replace("<e:/e:", "</e:")
    for mark in "?!":
        text = text.replace(f"<e:{mark}", f"<{mark}")
    text = text.replace(' xmlns="', ' xmlns:e="')
    if "xmlns:e=" not in text:
        root = xml_file.opening(write(tmp_path, FILES[kind])).root
        text = text.replace(f"<e:{root}", f'<e:{root} xmlns:e="urn:x"', 1)
    path = write(tmp_path, text)
    assert READERS[kind].locate(path) == path
    assert READERS[kind].read(path).samples_mv.shape[1] == 1000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\xff\xfe",
        b"<",
        b"<?xml version='1.0'?>",
        b"<html><body>RestingECG AnnotatedECG restingecgdata</body></html>",
        b"<ECG><beat/></ECG>",
        b"RestingECG",
        b"<!-- <RestingECG>",
        40_000 * b"<?a?>",
        20_000 * b"<!-->",
        bytes(range(256)) * 300,
    ],
)
def test_other_content_under_the_same_extension_is_not_claimed(tmp_path, content):
    path = tmp_path / "ecg.xml"
    path.write_bytes(content)
    assert not any(reader.locate(path) for reader in READERS.values())


def test_sniffing_reads_no_more_than_the_head(tmp_path):
    path = tmp_path / "garbage.xml"
    with path.open("wb") as file:
        file.write(np.random.default_rng(0).bytes(1000))
        file.seek(50_000_000)
        file.write(b"end")
    assert len(xml_file.opening(path).head) <= xml_file.HEAD_BYTES
    assert not any(reader.locate(path) for reader in READERS.values())


def test_what_is_no_readable_file_is_not_claimed_and_raises_nothing(tmp_path):
    pipe = tmp_path / "pipe.xml"
    if hasattr(os, "mkfifo"):
        os.mkfifo(pipe)
    for path in (tmp_path, pipe, tmp_path / "missing.xml", tmp_path / (300 * "x"), Path("a\0b")):
        assert not any(reader.locate(path) for reader in READERS.values())


def told_by(reader, path: Path) -> str:
    """The message of the one error that may leave a reader."""
    with pytest.raises(EcgFileError) as caught:
        reader.read(path)
    assert "\n" not in caught.value.message and caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("kind", READERS)
def test_entities_are_refused_not_expanded(tmp_path, kind):
    root = xml_file.opening(write(tmp_path, FILES[kind])).root
    path = write(tmp_path, BOMB.replace("{root}", root))
    assert "declares entities" in told_by(READERS[kind], path)
    secret = write(tmp_path, "secret", name="secret.txt")
    outside = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]><{root}>&s;</{root}>'
    assert "declares entities" in told_by(READERS[kind], write(tmp_path, outside))


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_ends_early_is_told(tmp_path, kind):
    text = FILES[kind]
    for part in (0.02, 0.5, 0.95):
        assert "not complete XML" in told_by(READERS[kind], write(tmp_path, text[: int(part * len(text))]))
    assert "not complete XML" in told_by(READERS[kind], write(tmp_path, ""))


@pytest.mark.parametrize("kind", READERS)
def test_the_file_of_another_make_and_a_missing_one_are_told(tmp_path, kind):
    for other in READERS:
        if other != kind:
            told_by(READERS[kind], write(tmp_path, FILES[other]))
    assert "cannot be read" in told_by(READERS[kind], tmp_path / "missing.xml")
    assert "cannot be read" in told_by(READERS[kind], tmp_path)


def test_deep_nesting_is_no_trouble(tmp_path):
    path = write(tmp_path, "<RestingECG>" + 50_000 * "<a>" + 50_000 * "</a>" + "</RestingECG>")
    assert "no rhythm waveform" in told_by(muse_xml, path)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_damage_ends_in_another_error(tmp_path_factory, kind, data):
    """Pieces of the file are cut out, repeated or overwritten."""
    text = FILES[kind]
    start = data.draw(st.integers(0, len(text)))
    stop = min(len(text), start + data.draw(st.integers(0, 300)))
    patch = data.draw(
        st.sampled_from(
            ["", text[start:stop] * 2, "0", "-1", "nan", "1e999", "1e-320", "9" * 400, "\x00", "é<", '"']
        )
    )
    path = tmp_path_factory.mktemp("damaged") / "ecg.xml"
    path.write_text(text[:start] + patch + text[stop:], encoding="utf-8")
    try:
        ecg = READERS[kind].read(path)
    except EcgFileError as error:
        assert "\n" not in error.message and error.hint
    else:
        assert np.isfinite(ecg.samples_mv).all() and ecg.fs_hz >= 50
