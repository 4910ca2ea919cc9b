"""Options of the commands that talk."""

from typing import Annotated

import typer

ModelOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help='The chat model; "offline" for the planner, which needs no key.'),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="A server that speaks OpenAI's protocol, such as http://localhost:11434/v1."
    ),
]
RedactFlag = Annotated[
    bool,
    typer.Option(
        "--redact", help="Show a remote model no ids, file names, notes or true dates of the record."
    ),
]
ResearchFlag = Annotated[
    bool,
    typer.Option("--research", help="Ask me to approve the simulation of what the safety rules block."),
]
ThreadOption = Annotated[str | None, typer.Option(metavar="ID", help="Resume this thread.")]
