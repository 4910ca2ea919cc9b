"""WFDB records: a `.hea` header with its `.dat` files, or with a `.mat` file as in the PhysioNet challenges."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.head import head_of
from worldmodel.readers.names import canonical_leads
from worldmodel.readers.rates import left_out, shared_rate
from worldmodel.readers.scale import Encoding, check_scale
from worldmodel.units import FS_HZ, mv_per

_RECORD_LINE = re.compile(r"^\S+\s+\d+(\s|$)")
_PLAIN_NAME = re.compile(r"~?[-\w]*\.?\w*", re.ASCII)
_DAMAGED = (
    "The signal file may be truncated, or another one than the header describes; copy the record again."
)
_MOST_HEADER = 1 << 22  # bytes; a record of 24 h in segments of a minute has 30 kB
# A compressed file of zeros holds many samples in a byte; a header that announces more than this has a typing error.
_MOST_SAMPLES_A_BYTE, _ALWAYS_ALLOWED = 64, 50_000_000


def locate(given: Path) -> Path | None:
    """The header `given` stands for: itself, or the one beside it that names it; None where there is none."""
    if given.suffix.lower() == ".hea":
        return given if given.is_file() else None
    for stem in (given, given.with_suffix("")):
        for header in (stem.with_name(f"{stem.name}.hea"), stem.with_name(f"{stem.name}.HEA")):
            text = head_of(header, _MOST_HEADER).decode("utf-8", errors="replace")
            # A table or an EDF file may lie beside the header of the same name; then it is meant itself.
            if text and (not given.is_file() or given.name.lower() in text.lower().replace("/", " ").split()):
                return header
    return None


def read(header: Path) -> Ecg:
    """The record of a `.hea` file: voltage signals in mV, at the rate that most leads share. Raises EcgFileError."""
    lines = _checked_lines(header)
    record = _read_record(header, lines)
    unit_mv = np.array([mv_per(str(unit)) or np.nan for unit in record.units])
    names = canonical_leads([str(name or "") for name in record.sig_name])
    rates = [record.fs * per_frame for per_frame in record.samps_per_frame]
    voltage = [int(index) for index in np.flatnonzero(np.isfinite(unit_mv))]
    if not voltage:
        raise EcgFileError(
            f"{header} holds no signal in a unit of voltage ({', '.join(map(str, record.units))}).",
            "The units stand after the gain in the header, as in 1000/mV.",
        )
    fs_hz = shared_rate([rates[index] for index in voltage], [names[index] for index in voltage])
    if not FS_HZ[0] <= fs_hz <= FS_HZ[1]:
        raise EcgFileError(
            f"{header} gives a sampling frequency of {fs_hz:g} Hz.",
            "An ECG needs at least 50 samples per second.",
        )
    kept = [index for index in voltage if rates[index] == fs_hz]
    samples = np.empty((len(kept), record.e_p_signal[kept[0]].size))
    for row, index in enumerate(kept):  # a long record is in memory once: what is copied is let go
        np.multiply(record.e_p_signal[index], unit_mv[index], out=samples[row])
        record.e_p_signal[index] = None
    ecg = Ecg(
        samples_mv=samples,
        fs_hz=float(fs_hz),
        leads=tuple(names[index] for index in kept),
        warnings=(
            *left_out([name for i, name in enumerate(names) if i not in voltage], "not in a unit of voltage"),
            *left_out(
                [names[i] for i in voltage if i not in kept], f"not sampled at {fs_hz:g} Hz like the others"
            ),
        ),
        source=str(header),
    )
    return check_scale(ecg, _encoding(record, unit_mv, kept))


def _checked_lines(header: Path) -> list[str]:
    """The header without comments. Refuses what is no header before the library trips over it."""
    try:
        with header.open(encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file.read(_MOST_HEADER).splitlines()]
    except OSError as error:
        raise EcgFileError(
            f"{header} cannot be read: {error.strerror}.", "Check the file's permissions."
        ) from error
    lines = [line.removeprefix("\ufeff") for line in lines if line and not line.startswith("#")]
    if not lines or not _RECORD_LINE.match(lines[0]):
        raise EcgFileError(
            f"{header} is not a WFDB header.",
            "Its first line must give record name, number of signals and sampling frequency, as in 'rec 12 500 5000'.",
        )
    return lines


def _read_record(header: Path, lines: list[str]) -> Any:
    """The library's record, physical, each signal at its own rate (`e_p_signal`). Raises EcgFileError."""
    with warnings.catch_warnings():  # wfdb 4.3 uses what pandas 3 deprecates; not the user's concern
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb
    try:
        with _as_the_library_reads(header, lines) as name:
            announced = wfdb.rdheader(name, rd_segments=True)
            _check_size(header, announced, Path(name).parent)
            record = wfdb.rdrecord(name, smooth_frames=False)
    except EcgFileError:
        raise
    except FileNotFoundError as error:
        raise _missing(header, Path(error.filename).name if error.filename else "a signal file") from error
    except ImportError as error:
        raise EcgFileError(
            f"{header} is compressed with FLAC (formats 508, 516, 524), and {error.name or 'a library'} is missing.",
            "Install it with `pip install soundfile`.",
        ) from error
    except Exception as error:  # the library raises whatever its parser meets in a damaged file
        raise EcgFileError(
            f"The signals of {header} do not fit their header ({str(error).rstrip('.') or type(error).__name__}).",
            _DAMAGED,
        ) from error
    if not getattr(record, "e_p_signal", None) or not any(signal.size for signal in record.e_p_signal):
        raise EcgFileError(
            f"{header} holds no samples.", "The header announces no signals; check the record."
        )
    if record.units is None:
        raise EcgFileError(
            f"The segments of {header} give a signal in different units.",
            "Name one segment, by its own header.",
        )
    return record


def _missing(header: Path, file: str) -> EcgFileError:
    return EcgFileError(
        f"{header} names the signal file {file}, which is not there.",
        "Keep the header and its signal files (.dat or .mat) in one folder, under their own names.",
    )


@contextmanager
def _as_the_library_reads(header: Path, lines: list[str]) -> Iterator[str]:
    """The name to read the record by.

    wfdb 4.3 wants `.hea`, names of ASCII letters, digits and one dot in the folder of the header, and drops a micro
    sign, which turns microvolts into volts. A header that asks for more is read as a copy with links to its files.
    """
    name, *rest = lines[0].split(maxsplit=1)
    # "100/5 2 360" are five segments of the record 100; in the header 100.hea, "mitdb/100 2 360" is a path.
    segmented = bool(re.fullmatch(r"[^/]+/\d+", name)) and name.rpartition("/")[2] != header.stem
    files = [] if segmented else [line.split(maxsplit=1)[0] for line in lines[1:]]
    plain = all(line.isascii() for line in lines) and all(_PLAIN_NAME.fullmatch(file) for file in files)
    there = header.suffix == ".hea" and all((header.parent / file).exists() for file in files if plain)
    if segmented or (plain and there and _PLAIN_NAME.fullmatch(name)):
        yield str(header.with_suffix(""))
        return
    with TemporaryDirectory() as folder:
        links = {}
        for number, file in enumerate(dict.fromkeys(files)):
            links[file] = file if file == "~" else f"file{number}"
            if file != "~":
                (Path(folder) / links[file]).symlink_to(_found(header, file))
        copy = [f"record {' '.join(rest)}"]
        for file, line in zip(files, lines[1:], strict=True):
            copy.append(line.replace(file, links[file], 1))
        text = "\n".join(copy).replace("µ", "u").replace("μ", "u")
        (Path(folder) / "record.hea").write_text(text, "utf-8")
        yield str(Path(folder) / "record")


def _found(header: Path, file: str) -> Path:
    """The signal file, in whatever case its name came off a disk. Raises EcgFileError."""
    path = (header.parent / file.replace("\\", "/")).absolute()
    if not path.is_file() and path.parent.is_dir():
        path = next((p for p in path.parent.iterdir() if p.name.lower() == path.name.lower()), path)
    if not path.is_file() and not (path := header.absolute().parent / path.name).is_file():
        raise _missing(header, file)
    return path


def _check_size(header: Path, announced: Any, folder: Path) -> None:
    """Refuses what would ask for gigabytes that the files do not hold. Raises EcgFileError."""
    parts = [part for part in getattr(announced, "segments", None) or [announced] if part is not None]
    files = {folder / file for part in parts for file in part.file_name or () if file != "~"}
    held = sum(file.stat().st_size for file in files if file.is_file())
    per_frame = sum(
        max((part.samps_per_frame for part in parts if part.samps_per_frame), key=sum, default=[1])
    )
    samples = (announced.sig_len or 0) * max(per_frame, announced.n_sig or 0)
    if samples > _ALWAYS_ALLOWED + _MOST_SAMPLES_A_BYTE * held:
        raise EcgFileError(
            f"{header} announces {samples} samples, and its files have {held} bytes.",
            "The header is damaged, or belongs to other signal files.",
        )


def _encoding(record: Any, unit_mv: NDArray[np.float64], kept: list[int]) -> Encoding | None:
    """None where the file does not say it, as where segments differ."""
    gains, baselines = getattr(record, "adc_gain", None), getattr(record, "baseline", None)
    if not gains or not baselines or None in gains or None in baselines:
        return None
    return Encoding(
        counts_per_mv=np.array([gains[index] for index in kept], dtype=np.float64) / unit_mv[kept],
        baseline=np.array([baselines[index] for index in kept], dtype=np.float64),
    )
