"""The command line: which commands there are, and what happens when one fails.

Nothing heavy is imported here or at the top of a command's module, so that `--help` is immediate.
"""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from agent.commands import (
    align,
    ask,
    chat,
    data,
    demo,
    doctor,
    evaluate,
    kb,
    mask,
    measure,
    plot,
    rank,
    simulate,
    threads,
    train,
)
from agent.output import emit_error

ABOUT = "What would this drug do to this patient's ECG? Research use only; not a medical device."


class Commands(TyperGroup):
    """Runs a command and turns whatever fails into one line, a hint, and an exit code."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> Any:
        """Run `args` (default: those of the process) and exit. A traceback only with --debug."""
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given
        given = [argument for argument in given if argument != "--debug"] or ["--help"]
        if not debug:
            logging.getLogger().addHandler(logging.NullHandler())  # what libraries log is for developers
        try:
            code = super().main(given, prog_name="ecgwm-agent", standalone_mode=False)
        except typer.Abort:
            sys.exit("stopped")
        except BrokenPipeError:  # whoever reads has enough, as in `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        except Exception as error:
            if debug:
                traceback.print_exc()
            code = emit_error(self._command_in(given), error, as_json="--json" in given)
        sys.exit(code)

    def _command_in(self, words: Sequence[str]) -> str:
        """The command that `words` name, such as "kb search"; "" where they name none."""
        named, group = [], self
        for word in words:
            if not isinstance(group, TyperGroup) or word not in group.commands:
                break
            named.append(word)
            group = group.commands[word]  # type: ignore[assignment]
        return " ".join(named)


app = typer.Typer(cls=Commands, help=ABOUT, add_completion=False, rich_markup_mode=None)  # Rich takes 0.2 s


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"ecgwm-agent {version('ecgwm-agent')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and logs; works anywhere.")] = False,
) -> None:
    """What all commands share; `Commands.main` has already read it."""


for _command in (demo.demo, chat.chat, ask.ask, rank.rank, simulate.simulate, measure.measure, mask.mask):
    app.command()(_command)
app.command()(plot.plot)
app.add_typer(kb.app, name="kb")
app.add_typer(data.app, name="data")
app.command()(train.train)
app.add_typer(evaluate.app, name="evaluate")
app.command()(align.align)
app.add_typer(threads.app, name="threads", no_args_is_help=False)
app.command()(doctor.doctor)

if __name__ == "__main__":
    app()
