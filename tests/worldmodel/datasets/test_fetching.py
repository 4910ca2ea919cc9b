"""Downloads from a server on this machine with PhysioNet's layout: checksums, going on, and what it refuses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worldmodel.datasets.physionet_server import Server, serving
from worldmodel.datasets import fetching
from worldmodel.datasets.fetching import fetch, read_sums
from worldmodel.errors import DataSetError

FILES = {
    "RECORDS": b"raw/1001/a\n",
    "raw/1001/a.dat": bytes(range(256)) * 400,
    "notes and more.txt": b"x" * 90,
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetching, "PAUSES_S", (0.0, 0.0))
    with serving(FILES) as running:
        yield running


def test_every_listed_file_comes_whole_and_is_not_asked_for_twice(server: Server, tmp_path: Path) -> None:
    told: list[float] = []
    first = fetch(server.url, tmp_path, told.append)
    assert (first.files, first.already) == (3, 0) and told[-1] == 1.0
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
    server.asked.clear()
    second = fetch(server.url + "/", tmp_path)
    assert second.already == 3 and [name for name, _ in server.asked] == ["SHA256SUMS.txt"]


def test_a_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "raw" / "1001" / "a.dat.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(FILES["raw/1001/a.dat"][:70_000])
    fetch(server.url, tmp_path)
    assert ("raw/1001/a.dat", "bytes=70000-") in server.asked
    assert (tmp_path / "raw/1001/a.dat").read_bytes() == FILES["raw/1001/a.dat"] and not part.exists()


@pytest.mark.parametrize("left", [b"another version" * 10, FILES["raw/1001/a.dat"] + b"too long"])
def test_a_half_that_does_not_fit_is_thrown_away(server: Server, tmp_path: Path, left: bytes) -> None:
    part = tmp_path / "raw" / "1001" / "a.dat.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    fetch(server.url, tmp_path)
    assert (tmp_path / "raw/1001/a.dat").read_bytes() == FILES["raw/1001/a.dat"]


def test_a_server_without_ranges_sends_the_whole(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "RECORDS.part").write_bytes(b"raw/")
    fetch(server.url, tmp_path)
    assert (tmp_path / "RECORDS").read_bytes() == FILES["RECORDS"]


def test_a_changed_file_is_fetched_again_and_a_failing_server_is_asked_again(
    server: Server, tmp_path: Path
) -> None:
    fetch(server.url, tmp_path)
    (tmp_path / "RECORDS").write_bytes(b"spoilt")
    server.statuses["RECORDS"] = [503, 503]
    again = fetch(server.url, tmp_path)
    assert again.already == 2 and (tmp_path / "RECORDS").read_bytes() == FILES["RECORDS"]


def test_a_wrong_checksum_keeps_nothing(server: Server, tmp_path: Path) -> None:
    server.files["RECORDS"] = b"forged"
    with pytest.raises(DataSetError, match="checksum"):
        fetch(server.url, tmp_path)
    assert not (tmp_path / "RECORDS").exists()


@pytest.mark.parametrize(
    ("status", "said"), [(403, "needs credentials"), (404, "is not there"), (500, "cannot be")]
)
def test_what_a_server_refuses_is_said(server: Server, tmp_path: Path, status: int, said: str) -> None:
    server.statuses["SHA256SUMS.txt"] = [status] * 3
    with pytest.raises(DataSetError, match=said) as refused:
        fetch(server.url, tmp_path)
    assert refused.value.hint


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "C:\\file"])
def test_a_list_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "SHA256SUMS.txt").write_text(f"{'0' * 64} {name}\n")
    with pytest.raises(DataSetError, match="outside"):
        read_sums(tmp_path / "SHA256SUMS.txt")


def test_only_web_servers_are_asked(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no address"):
        fetch("file:///etc", tmp_path)
