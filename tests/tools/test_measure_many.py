"""A run over many files: in order, in bounded memory, by one process or several, and never lost."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tools.made_records import write_record
from tools import measure_many
from tools.find import Found
from tools.measure import FileProblem, QualityFound, Recording, RhythmFound, measure_file
from tools.measure_many import CHUNK, WorkerError, measure_each, summarise
from tools.measured_file import MeasuredFile
from worldmodel.ecg import Ecg
from worldmodel.errors import WeightsError

FILES = tuple(Path(f"r{number:02d}.hea") for number in range(40))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which files were measured, in a world where that takes no time and every tenth cannot be read."""
    calls: list[Path] = []

    def measured(path: Path, *_: object) -> Recording:
        calls.append(path)
        if int(path.stem[1:]) % 10 == 9:
            return Recording(file=str(path), error=FileProblem(message="damaged", hint="copy it again"))
        quality = QualityFound(verdict="good", reasons=())
        return Recording(file=str(path), quality=quality, rhythm=RhythmFound(label="sinus", confidence=0.9))

    monkeypatch.setattr(measure_many, "measure_file", measured)
    return calls


def test_no_more_than_a_chunk_is_measured_before_it_is_handed_on(asked: list[Path]) -> None:
    told: list[float] = []
    chunks = measure_each(FILES, progress=told.append)
    first = next(chunks)
    assert [recording.file for recording in first] == [str(file) for file in FILES[:CHUNK]]
    assert len(asked) == CHUNK
    chunks.close()
    assert told == [CHUNK / len(FILES)]


def test_the_summary_counts_and_names_what_could_not_be_read(asked: list[Path]) -> None:
    result = summarise(Found(FILES, passed_over=3))
    assert result.failed
    assert result.passed_over == 3
    summary = result.summary
    assert summary is not None
    assert (summary.recordings, summary.verdicts, summary.rhythms) == (40, {"good": 36}, {"sinus": 36})
    assert [failed.file for failed in summary.first_failed] == ["r09.hea", "r19.hea", "r29.hea", "r39.hea"]
    assert len(asked) == 40


def test_no_more_than_twenty_failures_are_named(asked: list[Path]) -> None:
    files = tuple(Path(f"r{number}9.hea") for number in range(30))
    summary = summarise(Found(files)).summary
    assert summary is not None
    assert (summary.failed, len(summary.first_failed), len(asked)) == (30, 20, 30)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_after_an_interruption_only_the_rest_is_measured_and_the_file_is_the_same(
    asked: list[Path], tmp_path: Path, kind: str
) -> None:
    def interrupt(fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    whole, torn = tmp_path / f"whole.{kind}", tmp_path / f"torn.{kind}"
    with MeasuredFile(whole) as out:
        at_once = summarise(Found(FILES), out).summary
    with pytest.raises(KeyboardInterrupt), MeasuredFile(torn) as out:
        summarise(Found(FILES), out, progress=interrupt)
    asked.clear()
    with MeasuredFile(torn) as out:
        assert len(out.done) == CHUNK
        resumed = summarise(Found(FILES), out).summary
    assert asked == list(FILES[CHUNK:])
    assert torn.read_bytes() == whole.read_bytes()
    assert at_once is not None
    assert resumed is not None
    assert resumed.already_there == CHUNK
    assert resumed.model_copy(update={"already_there": 0, "file": ""}) == at_once.model_copy(
        update={"file": ""}
    )


def test_a_file_that_is_named_twice_is_written_once(asked: list[Path], tmp_path: Path) -> None:
    with MeasuredFile(tmp_path / "x.jsonl") as out:
        summarise(Found((FILES[0], FILES[0])), out)
    assert asked == [FILES[0]]


def test_several_processes_give_what_one_gives(
    tmp_path: Path, made_ecg: Callable[..., Ecg], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [write_record(tmp_path, f"r{rate}", made_ecg(hr_bpm=rate)) for rate in (60, 75, 90)]
    files.append(tmp_path / "gone.hea")
    monkeypatch.setattr(measure_many, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(measure_many, "CHUNK", 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one, two = (
        [recording for chunk in measure_each(files, jobs=jobs) for recording in chunk] for jobs in (1, 2)
    )
    assert one == two
    assert [round(r.intervals["hr_bpm"] or 0) for r in one[:3]] == [60, 75, 90]
    assert one[3].error is not None


def test_a_process_that_is_killed_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed:
        def map(self, *_: Sequence[object]) -> Iterator[object]:
            raise BrokenProcessPool

    @contextmanager
    def pool(*_: object) -> Iterator[Killed]:
        yield Killed()

    monkeypatch.setattr(measure_many, "ProcessPoolExecutor", pool)
    monkeypatch.setattr(measure_many, "WORTH_PROCESSES", 1)
    with pytest.raises(WorkerError) as error:
        list(measure_each(FILES, jobs=2))
    assert "--jobs" in error.value.hint


def test_a_fault_of_the_program_is_told_at_the_file_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Ecg:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("worldmodel.readers.read_ecg", fail)
    recording = measure_file("strange.dcm")
    assert recording.error is not None
    assert recording.error.message == "ZeroDivisionError: division by zero"
    assert "--debug" in recording.error.hint


def test_what_no_file_can_be_measured_without_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Ecg:
        raise WeightsError("no weights", "Install them.")

    monkeypatch.setattr("worldmodel.readers.read_ecg", fail)
    with pytest.raises(WeightsError):
        measure_file("any.dcm")
