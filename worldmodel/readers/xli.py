"""XLI, the compression of leads in Philips XML: second differences, their bytes apart, LZW with codes of 10 bits.

As described by C. Watford (github.com/sixlettervariables/sierra-ecg-tools, XliDecompressor). One chunk per lead:
size of its body (4 bytes), a field always 1 (2), the first second difference (2), body; all little endian.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_CODE_BITS = 10
_END = (1 << _CODE_BITS) - 1
_HEADER_BYTES = 8
_BIAS = 64


def decode_chunks(data: bytes, samples: int) -> Iterator[NDArray[np.int16]]:
    """One lead after another, (samples,), in counts. Raises ValueError, with the reason, where a chunk is damaged."""
    while data:
        size = int.from_bytes(data[:4], "little")
        if len(data) < _HEADER_BYTES + size:
            raise ValueError(f"a chunk of {size} bytes is cut off")
        first = int.from_bytes(data[6:8], "little", signed=True)
        yield _integrate(_decode_lzw(data[_HEADER_BYTES : _HEADER_BYTES + size], 2 * samples), first)
        data = data[_HEADER_BYTES + size :]


def _decode_lzw(body: bytes, length: int) -> bytes:
    """Exactly `length` bytes. The table grows to all codes but the last, which is the end, and is never emptied."""
    table = [bytes([value]) for value in range(256)]
    decoded = bytearray()
    last = b""
    for code in _codes(body[: 2 * length]):
        if code == _END or len(decoded) > length:
            break
        if code < len(table):
            entry = table[code]
        elif code == len(table) and last:
            entry = last + last[:1]
        else:
            raise ValueError(f"its code {code} stands for nothing")
        if last and len(table) < _END:
            table.append(last + entry[:1])
        decoded += entry
        last = entry
    if len(decoded) != length:
        raise ValueError(f"a chunk holds {len(decoded) // 2} samples instead of {length // 2}, or more")
    return bytes(decoded)


def _codes(body: bytes) -> list[int]:
    bits = np.unpackbits(np.frombuffer(body, dtype=np.uint8)).astype(np.int64)
    whole = bits[: bits.size // _CODE_BITS * _CODE_BITS].reshape(-1, _CODE_BITS)
    codes: list[int] = (whole @ (1 << np.arange(_CODE_BITS)[::-1])).tolist()
    return codes


def _integrate(raw: bytes, first: int) -> NDArray[np.int16]:
    """Samples from 16-bit words, all high bytes before all low ones.

    The words are two samples, then the bends (negated second differences) from the second on, biased; `first` is
    the first bend, and the last word is unused. The arithmetic is that of 16 bits: what runs over comes back in.
    """
    high, low = np.frombuffer(raw, dtype=np.uint8).reshape(2, -1).astype(np.uint16)
    words = (high << 8 | low).view(np.int16).astype(np.int64)
    bends = np.concatenate([[first], words[2:-1] - _BIAS])
    slopes = words[1] - words[0] - np.concatenate([[0], bends.cumsum()])
    samples: NDArray[np.int64] = words[0] + np.concatenate([[0], slopes.cumsum()])
    return samples.astype(np.int16)
