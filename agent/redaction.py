"""What leaves this machine for a remote model: said before the first call, and less of it with --redact."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage

from tools.case import Case

if TYPE_CHECKING:
    from agent.models import ChatModel
    from agent.workbench import Workbench

SHIFT_DAYS = (30, 3650)  # back in time; the same for all dates of one patient, so that intervals stay
WITHHELD = "[withheld]"
_WITHHELD = ("file", "notes")
_NOBODY = "patient"  # the id of a record that names none
_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_OTHER_DATE = re.compile(r"(?<!\d)\d{1,2}[./]\d{1,2}[./]\d{4}(?!\d)")


def disclosure(chat: "ChatModel", bench: "Workbench") -> str:
    """One sentence on what goes where; empty where nothing leaves this machine."""
    if chat.offline:
        return ""
    sent = "your questions, the measurements, verdicts and simulated intervals, and what tools read of the record"
    kept = (
        "Identifiers, file names and notes stay here, dates are shifted; what you type is sent as it is."
        if bench.redacted
        else "Notes and dates of the record are among it; --redact keeps them here."
    )
    return f"To {chat.name} at {chat.host} go {sent}; no samples of the ECG. {kept}"


def redacted(value: Any, case: Case) -> Any:
    """A result without what identifies the patient: ids, file names and notes are withheld, dates are shifted."""
    if isinstance(value, dict):
        return {
            key: WITHHELD if key in _WITHHELD and item else redacted(item, case)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item, case) for item in value]
    return redacted_text(value, case) if isinstance(value, str) else value


def redacted_text(text: str, case: Case) -> str:
    """A running text without the id, the file names and the lines of the notes of this case, and with other dates."""
    for told in _identifying(case):
        text = re.sub(re.escape(told), WITHHELD, text, flags=re.IGNORECASE)
    shift = _shift(case)
    return _OTHER_DATE.sub(WITHHELD, _DATE.sub(lambda m: _shifted(m, shift), text))


def redacted_messages(messages: Sequence[BaseMessage], case: Case) -> list[BaseMessage]:
    """A thread as a remote model may see it: what the user typed as it is, all else without what identifies."""
    return [
        message
        if isinstance(message, HumanMessage) or not isinstance(message.content, str)
        else message.model_copy(update={"content": redacted_text(message.content, case)})
        for message in messages
    ]


def _identifying(case: Case) -> list[str]:
    """The longest first, so that no part of one is left."""
    patient = case.patient
    texts = patient.notes.splitlines() if patient else []
    texts += [patient.id] if patient and patient.id != _NOBODY else []
    for path in (case.ecg_path, case.patient_path):
        texts += [path.name, path.stem] if path else []
    plain = {text.strip() for text in texts if len(text.strip()) > 2}
    return sorted(plain | {json.dumps(text)[1:-1] for text in plain}, key=len, reverse=True)


def _shift(case: Case) -> timedelta:
    """Some days back, the same for the same record: drawn from a hash of it."""
    said = case.patient.model_dump_json() if case.patient else ""
    low, high = SHIFT_DAYS
    return timedelta(days=low + int(hashlib.sha256(said.encode()).hexdigest(), 16) % (high - low))


def _shifted(match: re.Match[str], shift: timedelta) -> str:
    try:
        return (date(int(match[1]), int(match[2]), int(match[3])) - shift).isoformat()
    except (ValueError, OverflowError):  # digits that are no date
        return WITHHELD
