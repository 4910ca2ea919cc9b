"""The file that a run over a folder leaves: whole lines, gone on with after any kill, and nobody else's."""

import csv
import json
from pathlib import Path

import pytest

from tools.errors import OutputError, UsageError
from tools.measure import FileProblem, QualityFound, Recording, RhythmFound
from tools.measured_file import MeasuredFile

KINDS = ("jsonl", "csv")


def made(file: str, **more: object) -> Recording:
    return Recording(
        file=file,
        quality=QualityFound(verdict="good", reasons=()),
        rhythm=RhythmFound(label="sinus", confidence=0.9),
        intervals={"hr_bpm": 70.0, "pr_ms": None},
        not_measurable={"pr_ms": "No P wave."},
        **more,  # type: ignore[arg-type]
    )


UNREAD = Recording(
    file="gone.hea", error=FileProblem(message="There is no recording.", hint="Check the path.")
)


def write(path: Path, *recordings: Recording) -> bytes:
    with MeasuredFile(path) as file:
        file.append(recordings)
    return path.read_bytes()


def test_a_line_of_json_is_the_recording(tmp_path: Path) -> None:
    lines = write(tmp_path / "x.jsonl", made("a.hea"), UNREAD).decode().splitlines()
    assert [Recording.model_validate_json(line) for line in lines] == [made("a.hea"), UNREAD]
    assert json.loads(lines[0])["intervals"] == {"hr_bpm": 70.0, "pr_ms": None}


def test_a_row_of_csv_has_the_numbers_and_the_reasons(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", made("a.hea"), UNREAD)
    with (tmp_path / "x.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["file"], first["verdict"], first["rhythm"]) == ("a.hea", "good", "sinus")
    assert (first["hr_bpm"], first["pr_ms"], first["not_measurable"]) == ("70.0", "", "pr_ms: No P wave.")
    assert (second["error"], second["hint"]) == ("There is no recording.", "Check the path.")


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_known_when_it_is_opened_again(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    write(path, made("a.hea", warnings=("a doubt",)), UNREAD)
    with MeasuredFile(path) as again:
        a, gone = again.done.values()
    assert (a.file, a.verdict, a.rhythm, a.warned, a.error) == ("a.hea", "good", "sinus", True, "")
    assert (gone.file, gone.error) == ("gone.hea", "There is no recording.")


@pytest.mark.parametrize("kind", KINDS)
def test_wherever_a_kill_cuts_the_file_going_on_gives_the_whole_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    recordings = [made('tricky, "name"\nof a file.hea'), UNREAD, made("ünï/code.hea")]
    whole = write(path, *recordings)
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with MeasuredFile(path) as file:
            file.append([recording for recording in recordings if not file.has(recording.file)])
        assert path.read_bytes() == whole, cut


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    ['{"a": 1}\n', "record,age\nr1,60\n", "no newline", "\n", '[{"file": "x"}]\n', "file\n", "\xff\xfe\n"],
)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(
    tmp_path: Path, kind: str, content: str
) -> None:
    path = tmp_path / f"x.{kind}"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(OutputError, match="not a measurement") as error:
        MeasuredFile(path)
    assert error.value.hint
    assert path.read_bytes() == content.encode("latin-1")


@pytest.mark.parametrize("name", ["x.txt", "x", "x.json", "folder.csv"])
def test_what_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises((OutputError, UsageError)) as error:
        MeasuredFile(tmp_path / name)
    assert error.value.hint


def test_a_missing_folder_is_made_and_one_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    assert write(tmp_path / "new" / "x.csv").startswith(b"file,verdict,")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        MeasuredFile(tmp_path / "file" / "x.csv")
