"""Threads in SQLite: the checkpoints of the graph, and beside them one row for each answered turn.

Only JSON-like state and messages are ever read back: the checkpointer is told to refuse all else.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ThreadError
from agent.state import Json

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite import SqliteSaver

FILE = "threads.sqlite"
WAIT_S = 30.0  # for another process that is writing
_TURNS = """
CREATE TABLE IF NOT EXISTS turns (
    thread_id TEXT NOT NULL, turn INTEGER NOT NULL, at TEXT NOT NULL, question TEXT NOT NULL,
    answer TEXT NOT NULL, manifest TEXT NOT NULL, PRIMARY KEY (thread_id, turn)
)
"""


@dataclass(frozen=True)
class TurnRecord:
    """An answered question as the audit trail keeps it. answer and manifest are JSON objects."""

    turn: int
    at: str
    question: str
    answer: Json
    manifest: Json


@dataclass(frozen=True)
class ThreadSummary:
    """One line of `threads list`."""

    thread_id: str
    turns: int
    started: str
    last: str
    first_question: str
    model: str


class ThreadStore:
    """The threads of one user folder."""

    def __init__(self, connection: sqlite3.Connection, saver: "SqliteSaver", locks: Path) -> None:
        self.connection = connection
        self.saver = saver
        self.locks = locks

    @contextmanager
    def holding(self, thread_id: str) -> Iterator[None]:
        """Keeps other processes from answering in the same thread; waits for one that does. Raises ThreadError.

        The lock is one of SQLite on a file of its own, so the system gives it back when the process is killed.
        """
        self.locks.mkdir(exist_ok=True)
        name = hashlib.sha256(thread_id.encode()).hexdigest()[:16]
        lock = sqlite3.connect(self.locks / f"{name}.lock", timeout=WAIT_S, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            yield
        except sqlite3.OperationalError as error:
            raise ThreadError(
                f"thread {thread_id!r} is being answered by another process",
                f"Wait until it is done, or take a copy: `ecgwm-agent threads fork {thread_id}`.",
            ) from error
        finally:
            lock.close()

    def record(self, thread_id: str, turn: TurnRecord) -> None:
        """Adds an answered turn to the audit trail; one that was answered again replaces the former."""
        with self.connection:
            self.connection.execute(
                "INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?, ?)",
                (
                    thread_id,
                    turn.turn,
                    turn.at,
                    turn.question,
                    json.dumps(turn.answer),
                    json.dumps(turn.manifest),
                ),
            )

    def turns(self, thread_id: str) -> list[TurnRecord]:
        """The answered turns of a thread, oldest first. Raises ThreadError for an unknown one."""
        rows = self.connection.execute(
            "SELECT turn, at, question, answer, manifest FROM turns WHERE thread_id = ? ORDER BY turn",
            (thread_id,),
        ).fetchall()
        if not rows and not self.knows(thread_id):
            raise ThreadError(f"no thread is called {thread_id!r}", "See `ecgwm-agent threads list`.")
        return [
            TurnRecord(turn, at, question, json.loads(a), json.loads(m)) for turn, at, question, a, m in rows
        ]

    def knows(self, thread_id: str) -> bool:
        """Whether the thread has been begun, answered or not."""
        return self.saver.get_tuple({"configurable": {"thread_id": thread_id}}) is not None

    def list(self) -> list[ThreadSummary]:
        """All threads with an answered turn, the latest first."""
        ids = self.connection.execute(
            "SELECT thread_id FROM turns GROUP BY thread_id ORDER BY MAX(at) DESC, thread_id"
        ).fetchall()
        return [self._summary(thread_id) for (thread_id,) in ids]

    def _summary(self, thread_id: str) -> ThreadSummary:
        turns = self.turns(thread_id)
        return ThreadSummary(
            thread_id,
            len(turns),
            turns[0].at,
            turns[-1].at,
            turns[0].question,
            str(turns[-1].manifest.get("model", "")),
        )


@contextmanager
def open_threads(home: Path) -> Iterator[ThreadStore]:
    """The store in a user folder, which is made where it is not there. Raises ThreadError."""
    os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read when langgraph is imported
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False, timeout=WAIT_S)
    except (OSError, sqlite3.Error) as error:
        raise ThreadError(
            f"cannot open {path}: {error}", "Set ECGWM_HOME to a folder that can be written."
        ) from error
    try:
        saver = SqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        saver.setup()
        connection.execute(_TURNS)
        yield ThreadStore(connection, saver, home / "locks")
    except sqlite3.DatabaseError as error:
        raise ThreadError(f"cannot use {path}: {error}", "Move the file away to begin anew.") from error
    finally:
        connection.close()


def as_markdown(thread_id: str, turns: list[TurnRecord]) -> str:
    """A thread to read: questions, answers, and what was called for them."""
    parts = [f"# Thread {thread_id}", "Research use only; not a medical device."]
    for turn in turns:
        calls = ", ".join(f"{call['name']}" for call in turn.answer.get("tool_calls", ())) or "none"
        manifest = turn.manifest
        parts += [
            f"## {turn.question}",
            str(turn.answer["answer"]),
            f"*{turn.at}; tools: {calls}; model: {manifest.get('model')}; seed: {manifest.get('seed')}; "
            f"weights: {str(manifest.get('weights_sha256') or 'not used')[:12]}*",
        ]
    return "\n\n".join(parts) + "\n"


def as_json(thread_id: str, turns: list[TurnRecord]) -> str:
    """A thread for a script, with the manifest of every answer."""
    data = {"thread_id": thread_id, "turns": [asdict(turn) for turn in turns]}
    return json.dumps(data, indent=2, ensure_ascii=False)


def write_export(path: str, text: str) -> None:
    """Writes an exported thread. Raises ThreadError where that cannot be done."""
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise ThreadError(f"cannot write {path}: {error.strerror}", "Choose another --out.") from error
