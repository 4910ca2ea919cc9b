"""What leaves this machine for a remote model: said before the first call, and less of it with --redact."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.prompts import SYSTEM
from agent.tool_results import brief, foreign_texts, shown_to_model
from tools.case import Case

if TYPE_CHECKING:
    from agent.models import ChatModel
    from agent.workbench import Workbench

SHIFT_DAYS = (30, 3650)  # back in time; the same for all dates of one patient, so that intervals stay
WITHHELD = "[withheld]"
_WITHHELD = ("file", "notes")
_NOBODY = "patient"  # the id of a record that names none
_SAYS_NOTHING = frozenset({"ecg", "patient", "record", "case", "demo", "chart"})  # as the name of a file
_LONG_NUMBER = 6  # digits; a shorter number in a running text is as likely a dose
_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_OTHER_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})|\d{4}/\d{1,2}/\d{1,2}"
    rf"|\d{{1,2}}\.? (?:{_MONTHS})[a-z]*\.? \d{{4}})(?!\d)",
    re.IGNORECASE,
)


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
    if not isinstance(value, str):
        return value
    return WITHHELD if value and value == _id(case) else redacted_text(value, case)


def redacted_text(text: str, case: Case) -> str:
    """A running text without the id, the file names and the lines of the notes of this case, and with other dates."""
    for told in _identifying(case):
        text = re.sub(rf"(?<!\w){re.escape(told)}(?!\w)", WITHHELD, text, flags=re.IGNORECASE)
    shift = _shift(case)
    return _OTHER_DATE.sub(WITHHELD, _DATE.sub(lambda match: _shifted(match, -shift), text))


def with_true_dates(text: str, case: Case) -> str:
    """What a remote model says of shifted dates, as the record has them: the inverse of `redacted_text` for dates."""
    shift = _shift(case)
    return _DATE.sub(lambda match: _shifted(match, shift), text)


def redacted_messages(messages: Sequence[BaseMessage], case: Case) -> list[BaseMessage]:
    """A thread as a remote model may see it: our own rules and what the user typed as they are, all else without what
    identifies. Results of tools are redacted value by value, not as text."""
    return [_redacted_message(message, case) for message in messages]


def _redacted_message(message: BaseMessage, case: Case) -> BaseMessage:
    ours = isinstance(message, SystemMessage) and message.content == SYSTEM
    if ours or isinstance(message, HumanMessage) or not isinstance(message.content, str):
        return message
    if isinstance(message, ToolMessage) and isinstance(message.artifact, dict):
        shown = shown_to_model(redacted(brief(message.artifact), case), foreign_texts(case))
    else:
        shown = redacted_text(message.content, case)
    return message.model_copy(update={"content": shown})


def _id(case: Case) -> str:
    return case.patient.id if case.patient and case.patient.id != _NOBODY else ""


def _identifying(case: Case) -> list[str]:
    """The longest first, so that no part of one is left."""
    texts = case.patient.notes.splitlines() if case.patient else []
    texts += [name for name in (_id(case),) if not (name.isdecimal() and len(name) < _LONG_NUMBER)]
    for path in (case.ecg_path, case.patient_path):
        texts += [path.name, *({path.stem} if path.stem.lower() not in _SAYS_NOTHING else ())] if path else []
    plain = {text.strip() for text in texts if len(text.strip()) > 2}
    escaped = {json.dumps(text, ensure_ascii=False)[1:-1] for text in plain}
    return sorted(plain | escaped, key=len, reverse=True)


def _shift(case: Case) -> timedelta:
    """Some days back, the same for the same record: drawn from a hash of it."""
    said = case.patient.model_dump_json() if case.patient else ""
    low, high = SHIFT_DAYS
    return timedelta(days=low + int(hashlib.sha256(said.encode()).hexdigest(), 16) % (high - low))


def _shifted(match: re.Match[str], by: timedelta) -> str:
    try:
        return (date(int(match[1]), int(match[2]), int(match[3])) + by).isoformat()
    except (ValueError, OverflowError):  # digits that are no date
        return WITHHELD
