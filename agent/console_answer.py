"""An answer at the terminal: its text, and below it the leads that were asked for, drawn in characters."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from agent.session import Answer
    from agent.state import Json


def print_answer(console: "Console", answer: "Answer") -> None:
    """The text, and the drawings of its tools."""
    from rich.text import Text

    console.print(Text(answer.answer))
    for found in answer.found:
        if found.ok and found.result.get("drawing"):
            print_leads(console, found.result)


def print_leads(console: "Console", shown: "Json") -> None:
    """The median beats of each lead, as `show_ecg` gives them, and their scale."""
    from rich.text import Text

    for lead, lines in shown["drawing"].items():
        console.print(Text(f"\n{lead}", style="bold"))
        console.print(Text("\n".join(lines) or "not recorded"), no_wrap=True, overflow="crop")
    scale = shown["scale"]
    legend = f"median beats; a character is {scale['column_ms']:g} ms wide and {scale['row_mv']:g} mV high"
    console.print(Text(f"\n{legend}", style="dim"))
