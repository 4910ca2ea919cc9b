"""Downloading a data set from PhysioNet, or a server of the same layout: every file that SHA256SUMS.txt lists.

A file counts once its checksum is right. What is half there goes on where it stopped, and what is there is not asked
for again: its checksum is compared once and then remembered in `.fetched`.
"""

import hashlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock

from worldmodel.errors import DataSetError

SUMS, REMEMBERED = "SHA256SUMS.txt", ".fetched"
AT_ONCE = 4  # files; the server is a public one
TIMEOUT_S = 60.0
PAUSES_S = (1.0, 5.0)  # before the second and third attempt
_BLOCK = 1 << 20
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Fetched:
    """files: all of the data set; of these `already` were there, and `downloaded` bytes came over the network."""

    files: int
    already: int
    downloaded: int


def fetch(url: str, folder: Path, progress: Progress | None = None) -> Fetched:
    """Download the data set at `url` into `folder`, or what is lacking of it. Raises DataSetError."""
    base = url.rstrip("/") + "/"
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise DataSetError(f"{url} is no address of a web server.", "Give one that starts with https://.")
    folder.mkdir(parents=True, exist_ok=True)
    sums_file = folder / SUMS
    sums_file.unlink(missing_ok=True)
    downloaded = _download(base + SUMS, sums_file)
    sums = read_sums(sums_file)
    memory = _Memory(folder / REMEMBERED)
    already = done = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(_fetch_file, base, folder, name, digest, memory) for name, digest in sums.items()]
        try:
            for job in as_completed(jobs):
                size = job.result()
                already, downloaded, done = already + (size is None), downloaded + (size or 0), done + 1
                if progress:
                    progress(done / len(sums))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Fetched(len(sums), already, downloaded)


def read_sums(file: Path) -> dict[str, str]:
    """SHA-256 by name. Raises DataSetError where a name would lead out of the folder, or there is none."""
    sums: dict[str, str] = {}
    for line in file.read_text("utf-8", errors="replace").splitlines():
        digest, _, name = line.strip().partition(" ")
        path = PurePosixPath(name.strip().removeprefix("*"))
        if not name or len(digest) != 64:
            continue
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
            raise DataSetError(
                f"{SUMS} names the file {name.strip()!r}, outside of the folder.", "Do not trust it."
            )
        sums[str(path)] = digest.lower()
    if not sums:
        raise DataSetError(f"{file} lists no files.", "Check the address: it should hold SHA256SUMS.txt.")
    return sums


class _Memory:
    """Names of files whose checksums were found right, with size and time of change: they are not read again."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, Lock()
        lines = file.read_text("utf-8").splitlines() if file.is_file() else []
        self._known = set(lines)

    def holds(self, name: str, digest: str, path: Path) -> bool:
        return path.is_file() and self._line(name, digest, path) in self._known

    def add(self, name: str, digest: str, path: Path) -> None:
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(self._line(name, digest, path) + "\n")

    @staticmethod
    def _line(name: str, digest: str, path: Path) -> str:
        stat = path.stat()
        return f"{digest} {stat.st_size} {stat.st_mtime_ns} {name}"


def _fetch_file(base: str, folder: Path, name: str, digest: str, memory: _Memory) -> int | None:
    """Bytes that came over the network; None where the file was there. Raises DataSetError."""
    path = folder / name
    if memory.holds(name, digest, path):
        return None
    if path.is_file() and _digest(path) == digest:
        memory.add(name, digest, path)
        return None
    size = 0
    for _ in range(
        2
    ):  # a half that was left by another version does not fit; then the whole is asked for once more
        size += _download(base + urllib.parse.quote(name), path)
        if _digest(path) == digest:
            memory.add(name, digest, path)
            return size
        path.unlink()
    raise DataSetError(f"{name} does not have the checksum that {SUMS} gives.", "Try again later.")


def _download(url: str, path: Path) -> int:
    """Get a file, going on with `path`.part; bytes that came. Raises DataSetError after three attempts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    came = 0
    for pause_s in (*PAUSES_S, None):
        try:
            came += _attempt(url, part)
            part.replace(path)
            return came
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # more is there than the server has
                part.unlink(missing_ok=True)
            elif error.code < 500:
                raise _refused(url, error) from error
            problem: Exception = error
        except (OSError, http.client.HTTPException) as error:
            problem = error
        if pause_s is not None:
            time.sleep(pause_s)
    raise DataSetError(
        f"{url} cannot be downloaded: {problem}.", "Run the same command again: it goes on where it stopped."
    ) from problem


def _attempt(url: str, part: Path) -> int:
    there = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "ecgwm-agent"})
    if there:
        request.add_header("Range", f"bytes={there}-")
    came = 0
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        goes_on = answer.status == 206
        with part.open("ab" if goes_on else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                came += len(block)
        expected = answer.headers.get("Content-Length")
    if expected is not None and came != int(expected):
        raise http.client.IncompleteRead(b"", int(expected) - came)
    return came


def _refused(url: str, error: urllib.error.HTTPError) -> DataSetError:
    if error.code in (401, 403):
        return DataSetError(
            f"{url} needs credentials.",
            "Sign in at physionet.org, accept its agreement, and download it from there.",
        )
    return DataSetError(
        f"{url} is not there ({error.code}).", "Check the name and the version of the data set."
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
