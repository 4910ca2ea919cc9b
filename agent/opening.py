"""Opening a conversation, from the flags of a command or from Python:

from agent.opening import open_conversation

with open_conversation("a.hea", "patient.json") as conversation:
    answer = conversation.ask("Which rate-control drug is safest for her?")
    print(answer.answer, answer.ranking)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.cases import open_case, reference
from agent.errors import ThreadError
from agent.models import choose_model
from agent.session import Conversation, new_thread_id
from agent.settings import load_settings
from agent.state import CaseReference
from agent.threads import ThreadStore, open_threads
from agent.workbench import Workbench
from tools.window import Window
from worldmodel.readers.stated import NOTHING_STATED, Stated


@contextmanager
def open_conversation(
    ecg: str | Path | None = None,
    patient: str | Path | None = None,
    thread: str | None = None,
    model: str | None = None,
    base_url: str | None = None,
    k: int = 3,
    seed: int = 0,
    case: CaseReference | None = None,
    stated: Stated = NOTHING_STATED,
    window: Window | None = None,
    redact: bool = False,
    research: bool = False,
) -> Iterator[Conversation]:
    """A conversation on a case: the files given, or the case of the thread that is resumed.

    stated, window: how the ECG is read; a thread keeps them with its ECG. redact: see `redaction`, a
    thread keeps it; research: see `approval`.

    Raises ConfigurationError, ThreadError, EcgFileError, PatientFileError.
    """
    settings = load_settings(model=model, base_url=base_url)
    chat = choose_model(settings.model, settings.base_url, settings.key)
    with open_threads(settings.home) as store:
        where = case or reference(_path(ecg), _path(patient), stated, window)
        if thread is not None:
            where = _resumed(store, thread, where)
        where["redact"] = redact or where.get("redact", False)
        bench = Workbench(open_case(where), k=k, seed=seed, redacted=where["redact"], research=research)
        yield Conversation(chat, bench, store, thread or new_thread_id(), where)


def _resumed(store: ThreadStore, thread: str, given: CaseReference) -> CaseReference:
    """The case of a thread; what is given now fills what it lacks, and may not change what it has."""
    known = store.saver.get_tuple({"configurable": {"thread_id": thread}})
    if known is None:
        raise ThreadError(f"no thread is called {thread!r}", "See `ecgwm-agent threads list`.")
    before: CaseReference = known.checkpoint["channel_values"].get("case") or CaseReference()
    for key in ("ecg", "patient"):
        if given.get(key) and before.get(key) and given.get(key) != before.get(key):
            raise ThreadError(
                f"thread {thread!r} is about another {key}: {before.get(key)}",
                "Begin a new thread for another case.",
            )
    reading = before if before.get("ecg") else given
    for key in ("stated", "window"):
        if given.get(key) and given.get(key) != reading.get(key):
            raise ThreadError(
                f"thread {thread!r} reads its ECG {_spoken(reading)}, not {_spoken(given)}",
                "Begin a new thread to read it in another way.",
            )
    return CaseReference(
        ecg=before.get("ecg") or given.get("ecg"),
        patient=before.get("patient") or given.get("patient"),
        stated=reading.get("stated"),
        window=reading.get("window"),
        redact=before.get("redact", False),
    )


def _spoken(reading: CaseReference) -> str:
    """How an ECG is read, as its options."""
    said = reading.get("stated") or {}
    options = {
        "--fs": said.get("fs_hz"),
        "--unit": said.get("unit"),
        "--leads": ",".join(said.get("leads", ())),
        "--window": reading.get("window"),
    }
    return " ".join(f"{name} {value}" for name, value in options.items() if value) or "without options"


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
