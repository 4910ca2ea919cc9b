"""The four wings and their one direction, read from the imports; and what `--help` may not wait for."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WINGS = ("agent", "tools", "worldmodel", "knowledge")
ALLOWED = {
    "agent": {"agent", "tools", "worldmodel", "knowledge"},
    "tools": {"tools", "worldmodel", "knowledge"},
    "worldmodel": {"worldmodel"},
    "knowledge": {"knowledge"},
}
# The lower wings know neither the conversation nor the command line.
TALKING = {"langchain", "langchain_core", "langchain_openai", "langgraph", "typer", "click"}
HEAVY = ("torch", "scipy", "numpy", "chromadb", "langgraph", "langchain_core", "matplotlib", "rich")


def modules(wing: str) -> list[Path]:
    return sorted((ROOT / wing).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Top-level package and line of every import in a module, those inside functions, too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the direction"
            yield (node.module or "").split(".")[0], node.lineno


@pytest.mark.parametrize("wing", WINGS)
def test_imports_run_in_one_direction(wing: str) -> None:
    forbidden = (set(WINGS) - ALLOWED[wing]) | (TALKING if wing != "agent" else set())
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(wing)
        for name, line in imported(path)
        if name in forbidden
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("wing", WINGS)
def test_every_wing_has_modules(wing: str) -> None:
    """An empty wing would pass the test above."""
    assert len(modules(wing)) > 3


@pytest.mark.parametrize("wing", WINGS)
def test_the_wings_own_init_is_a_docstring(wing: str) -> None:
    """Another distribution that ships a package of this name can overwrite the file."""
    tree = ast.parse((ROOT / wing / "__init__.py").read_text("utf-8"))
    assert [type(node) for node in tree.body] == [ast.Expr]


def test_help_loads_nothing_heavy() -> None:
    """Importing the command line must not pull in what only the work itself needs."""
    code = f"import sys, agent.cli; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == []
