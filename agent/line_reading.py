"""Reading lines at a terminal: with a history that is kept, and completion of commands, drugs and goals."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HISTORY = 1000  # lines kept


def completions(text: str, line: str) -> list[str]:
    """What a word that has been begun may become: a slash command at the start of the line, else a drug or a goal."""
    from agent.planning.vocabulary import shared_vocabulary
    from agent.slash import COMMANDS

    if line.lstrip().startswith("/") and " " not in line.lstrip():
        return [f"{name} " for name in COMMANDS if name.startswith(text)]
    words = shared_vocabulary()
    known = [*words.drug_of_name, *words.goals]
    return sorted({name for name in known if text and name.startswith(text.lower())})


@contextmanager
def line_reader(home: Path) -> Iterator[Callable[[str], str]]:
    """A function like `input`; with readline's history and completion where this system has it."""
    try:
        import readline
    except ImportError:  # Windows
        yield input
        return
    file = home / "history"
    with suppress(OSError):
        readline.read_history_file(file)
    readline.set_history_length(HISTORY)
    readline.set_completer_delims(" \t\n,")
    readline.set_completer(_completer(readline.get_line_buffer))
    readline.parse_and_bind("tab: complete")
    try:
        yield input
    finally:
        with suppress(OSError):
            readline.write_history_file(file)


def _completer(line: Callable[[], str]) -> Callable[[str, int], str | None]:
    def complete(text: str, state: int) -> str | None:
        found = completions(text, line())
        return found[state] if state < len(found) else None

    return complete
