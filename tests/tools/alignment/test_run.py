"""A run that is killed anywhere goes on to the same end; one with other settings is another run."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tools.alignment.made import MODEL, kept
from tools.alignment import run as run_module
from tools.alignment.engine import Done, Unit, in_processes, units_of
from tools.alignment.episode import AlignmentError, Episode, EpisodesError
from tools.alignment.read import COLUMNS, fingerprint, read_episodes
from tools.alignment.result import AlignResult
from tools.alignment.run import align_episodes
from tools.alignment.unit import Plan, seed_of
from worldmodel.networks import ModelInfo

EPISODES = [
    Episode(f"e{i}", f"s{i // 2}", "built-in", {"age_years": 60, "sex": "male"}, "x") for i in range(21)
]


class Killed(BaseException):
    """SIGKILL, as far as Python can tell."""


def made(units: Sequence[Unit], plan: Plan) -> Iterator[Done]:
    """An engine that makes up risks by the seed of each episode, and by nothing else."""
    for number, episodes in units:
        done = []
        for episode in episodes:
            generator = np.random.default_rng(seed_of(plan.seed, episode.id))
            one = kept(0, generator.random((4, plan.k)), int(generator.integers(4)), subject=episode.subject)
            done.append(one.model_copy(update={"id": episode.id}))
        yield number, done


def killed_after(units_done: int) -> Callable[[Sequence[Unit], Plan], Iterator[Done]]:
    def engine(units: Sequence[Unit], plan: Plan) -> Iterator[Done]:
        for number, done in enumerate(made(units, plan)):
            if number == units_done:
                raise Killed
            yield done

    return engine


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loaded:
        info = ModelInfo(**MODEL.model_dump())

    monkeypatch.setattr(run_module, "shared_model", Loaded)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def aligned(folder: Path, engine: object = made, **more: object) -> AlignResult:
    return align_episodes(EPISODES, folder, engine=engine, **more)  # type: ignore[arg-type]


def test_killed_at_any_unit_it_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = aligned(tmp_path / "whole")
    assert (whole.done, whole.scored) == (21, 21)
    for units_done in range(3):
        folder = tmp_path / str(units_done)
        with pytest.raises(Killed):
            aligned(folder, killed_after(units_done))
        assert len(list((folder / "parts").glob("*.jsonl")) if units_done else []) == units_done
        assert aligned(folder).metrics == whole.metrics
        assert contents(folder) == contents(tmp_path / "whole")


def test_killed_while_a_part_is_written_leaves_no_part(tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    aligned(whole)
    shutil.copytree(whole, torn)
    part = torn / "parts" / "000001.jsonl"
    (torn / "parts" / ".unfinished-x.jsonl").write_bytes(part.read_bytes()[:100])
    part.unlink()
    result = aligned(torn)
    assert (result.done, result.metrics) == (21, aligned(whole).metrics)


def test_what_is_done_is_not_done_again_and_units_come_in_any_order(tmp_path: Path) -> None:
    def backwards(units: Sequence[Unit], plan: Plan) -> Iterator[Done]:
        yield from reversed(list(made(units, plan)))

    def never(units: Sequence[Unit], plan: Plan) -> Iterator[Done]:  # noqa: ARG001
        assert not units
        yield from ()

    first = aligned(tmp_path / "a", backwards)
    assert aligned(tmp_path / "a", never) == first
    aligned(tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert aligned(tmp_path / "a", never, lambda_=0.0).lambda_ == 0.0


def test_other_settings_or_episodes_are_refused_and_named(tmp_path: Path) -> None:
    aligned(tmp_path / "a")
    before = contents(tmp_path / "a")
    with pytest.raises(AlignmentError, match="k was 3, now 5") as refused:
        aligned(tmp_path / "a", k=5)
    assert refused.value.hint
    with pytest.raises(AlignmentError, match="seed was 0, now 1"):
        aligned(tmp_path / "a", seed=1)
    with pytest.raises(AlignmentError, match="episodes_sha256"):
        align_episodes([replace(EPISODES[0], prescribed="y"), *EPISODES[1:]], tmp_path / "a", engine=made)
    assert contents(tmp_path / "a") == before


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(AlignmentError, match="no alignment"):
        aligned(tmp_path)
    assert contents(tmp_path) == {"thesis.doc": b"mine"}


def test_a_damaged_part_is_told_by_its_name(tmp_path: Path) -> None:
    aligned(tmp_path)
    (tmp_path / "parts" / "000002.jsonl").write_text('{"id": \n')
    with pytest.raises(AlignmentError, match=r"000002\.jsonl") as damaged:
        aligned(tmp_path)
    assert "Delete" in damaged.value.hint


def test_processes_give_what_one_gives() -> None:
    """Episodes that fail early need no world model, so this stays quick."""
    from tools.alignment.unit import align_unit

    bad = [replace(episode, ecg="") for episode in EPISODES[:10]]
    units = units_of(bad, [0, 1])
    plan = Plan(1, 0, {})
    assert dict(in_processes(2)(units, plan)) == {number: align_unit(own, plan) for number, own in units}


CSV = "id,subject,ecg,patient,prescribed,goal\n"


def write(tmp_path: Path, text: str, name: str = "e.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    table = write(
        tmp_path, CSV + "1,s,a.hea,p.json,digoxin 0.25 mg oral,rate-control\n2,s,built-in,p.json,,\n"
    )
    rows = [
        {"id": 1, "subject": "s", "ecg": "a.hea", "patient": "p.json", "prescribed": "digoxin 0.25 mg oral"}
        | {"goal": "rate-control"},
        {"id": "2", "subject": "s", "ecg": "built-in", "patient": "p.json"},
    ]
    lines = write(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "e.jsonl")
    first, second = read_episodes(table)
    assert read_episodes(lines) == [first, second]
    assert (first.ecg, first.patient, first.goal) == (tmp_path / "a.hea", tmp_path / "p.json", "rate-control")
    assert (second.ecg, second.prescribed, second.goal) == ("built-in", "", None)
    assert fingerprint([first]) != fingerprint([second])
    assert set(CSV.strip().split(",")) < set(COLUMNS)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("e.csv", "id,subject\n1,s\n", "lacks ecg"),
        ("e.csv", CSV.replace("goal", "drug") + "1,s,a,p,x,y\n", "unknown column 'drug'"),
        ("e.csv", CSV + "1,s,a,p,x,g\n1,s,a,p,x,g\n", "line 3: the id '1' is there twice"),
        ("e.csv", CSV + "1,,a,p,x,g\n", "line 2: subject is empty"),
        ("e.csv", CSV + "1,s,a\n", "line 2: the row has another number"),
        ("e.csv", CSV, "no episodes"),
        ("e.jsonl", "{\n", "line 1 is not JSON"),
        ("e.jsonl", "[1]\n", "no JSON object"),
        ("e.xlsx", "", "neither of"),
        ("e.csv", "id\xff", "cannot be read"),
    ],
)
def test_a_file_that_says_no_episodes_is_an_error_with_line_and_hint(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(EpisodesError, match=told) as error:
        read_episodes(path)
    assert error.value.hint
