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
ThreadOption = Annotated[str | None, typer.Option(metavar="ID", help="Resume this thread.")]
