"""XML files of recorders: what they are by their first bytes, a safe way in, and the values found there."""

import binascii
import codecs
import math
import re
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from defusedxml import DefusedXmlException, ElementTree  # type: ignore[import-untyped]
from numpy.typing import NDArray

from worldmodel.errors import EcgFileError
from worldmodel.readers.head import head_of

HEAD_BYTES = 65_536
# Declarations, comments and the document type before the first tag. Atomic: garbage must not make it backtrack.
_FIRST_TAG = re.compile(
    r"(?:\s|(?><\?.*?\?>)|(?><!--.*?-->)|(?><!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>))*+<([\w.:-]+)", re.DOTALL
)
_EXPORT_AGAIN = "The file may be damaged or cut off; export or copy it again."


class Opening(NamedTuple):
    """root: name of the first tag, without its namespace, empty where there is none; head: the text around it."""

    root: str
    head: str


def opening(path: Path) -> Opening:
    """How the file begins; nothing beyond its head is read, and what cannot be read has no root."""
    head = _text(head_of(path, HEAD_BYTES))
    first = _FIRST_TAG.match(head)
    return Opening(first[1].rpartition(":")[2] if first else "", head)


def parse(path: Path) -> Element:
    """The root element, every name without its namespace. Raises EcgFileError; entities are never expanded."""
    try:
        root: Element = ElementTree.fromstring(_text(path.read_bytes()), forbid_external=True)
    except OSError as error:
        raise EcgFileError(
            f"{path} cannot be read: {error.strerror}.", "Check the file's permissions."
        ) from error
    except ElementTree.ParseError as error:
        raise EcgFileError(f"{path} is not complete XML ({error}).", _EXPORT_AGAIN) from error
    except DefusedXmlException as error:
        raise EcgFileError(
            f"{path} declares entities of its own, which can hide anything and are not expanded.",
            "No recorder writes such a file; export the recording again from where it was stored.",
        ) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in [name for name in element.attrib if "}" in name]:
            element.attrib[name.rpartition("}")[2]] = element.attrib.pop(name)
    return root


def _text(raw: bytes) -> str:
    """Decoded by its bytes, not by its declaration: files are saved anew in other encodings and keep it.

    All that is read from these files is ASCII, so Latin-1 stands for every other encoding that contains it.
    """
    if raw.startswith(codecs.BOM_UTF16_LE) or raw[1:2] == b"\0":
        text = raw.decode("utf-16-le", errors="replace")
    elif raw.startswith(codecs.BOM_UTF16_BE) or raw[:1] == b"\0":
        text = raw.decode("utf-16-be", errors="replace")
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    return text.strip("\ufeff\0 \t\r\n")


def child_text(element: Element | None, name: str) -> str:
    """Text of the child `name`, empty where there is none."""
    found = None if element is None else element.find(name)
    return (found.text or "").strip() if found is not None else ""


def number(text: str | None, what: str, path: Path) -> float:
    """A finite number; a decimal comma is one too. Raises EcgFileError that names `what` is missing or unreadable."""
    if not (text or "").strip():
        raise EcgFileError(
            f"{path} does not state {what}.",
            "It is not guessed; export the recording again with its full header.",
        )
    try:
        value = float(str(text).strip().replace(",", "."))
    except ValueError:
        value = math.nan
    if not (value == 0 or 1e-30 < abs(value) < 1e30):  # beyond, or NaN
        raise EcgFileError(f"{path} gives {shown(text)} as {what}, which is no number.", _EXPORT_AGAIN)
    return value


def positive(text: str | None, what: str, path: Path) -> float:
    """A finite number above zero. Raises EcgFileError that names `what` is missing or wrong."""
    value = number(text, what, path)
    if value <= 0:
        raise EcgFileError(f"{path} gives {value:g} as {what}, which has to be positive.", _EXPORT_AGAIN)
    return value


def base64_bytes(text: str | None, what: str, path: Path) -> bytes:
    """The bytes of `what`. Raises EcgFileError where the text is cut off, empty, or no base64."""
    compact = "".join((text or "").split())
    if not compact:
        raise EcgFileError(f"{path} holds no samples of {what}.", _EXPORT_AGAIN)
    try:
        return binascii.a2b_base64(compact, strict_mode=True)
    except ValueError as error:
        raise EcgFileError(
            f"The samples of {what} in {path} are cut off or no base64.", _EXPORT_AGAIN
        ) from error


def samples_16_bit(text: str | None, what: str, path: Path) -> NDArray[np.int16]:
    """Base64 of little-endian 16-bit samples, shape (time,). Raises EcgFileError."""
    raw = base64_bytes(text, what, path)
    if len(raw) % 2:
        raise EcgFileError(f"The samples of {what} in {path} end within a number.", _EXPORT_AGAIN)
    return np.frombuffer(raw, dtype="<i2").astype(np.int16)


def shown(text: str | None) -> str:
    """What a file says, fit to stand in a message: quoted, on one line, and short."""
    return ascii((text or "").strip()[:40])
