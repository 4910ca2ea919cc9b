"""A language model as a baseline: what it costs before it is asked, never twice, never more than allowed."""

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.tools.alignment.made import kept
from tools.alignment.language import (
    FAILURES_BEFORE_STOP,
    FILE,
    LanguageModel,
    Price,
    Reply,
    question,
    read_order,
)

RISKS = np.full((4, 2), 0.2)
EPISODES = [kept(i, RISKS, i % 4, age_years=50.0 + i, blocked=[3]) for i in range(12)]
PRICE = Price(input_usd=1e6, output_usd=0.0)  # a dollar a token


class Asked:
    """Answers "2, 1", counts its calls and how many ran at a time."""

    def __init__(self, text: str = "2, 1", tokens: int = 10) -> None:
        self.reply = Reply(text, tokens, 5)
        self.calls: list[str] = []
        self.running = self.most = 0
        self.lock = threading.Lock()

    def __call__(self, text: str) -> Reply:
        with self.lock:
            self.calls.append(text)
            self.running += 1
            self.most = max(self.most, self.running)
        with self.lock:
            self.running -= 1
        return self.reply


def test_the_question_holds_what_was_known_and_allowed_and_not_what_was_prescribed() -> None:
    texts = {question(kept(0, RISKS, chosen, blocked=[3])) for chosen in range(3)}
    (text,) = texts
    assert "1. a0\n2. a1\n3. a2\n" in text
    assert "a3" not in text
    assert "age 60" in text


def test_an_answer_becomes_an_order_in_which_the_unnamed_come_last(tmp_path: Path) -> None:
    model = LanguageModel("m", tmp_path)
    assert len(set(model.rank(EPISODES[0]).values())) == 1
    model.ask_all(EPISODES, Asked("2, then 1 (not 9)"))
    assert model.rank(EPISODES[0]) == {"a1": (0.0,), "a0": (1.0,), "a2": (2.0,)}
    assert read_order("3, 3, 0, 2; 17", 3) == [3, 2]


def test_what_was_answered_is_not_asked_again_and_another_model_is(tmp_path: Path) -> None:
    first, again = Asked(), Asked()
    used = LanguageModel("m", tmp_path).ask_all(EPISODES, first)
    assert (used.calls, used.input_tokens, used.unanswered, used.stopped) == (12, 120, 0, "")
    assert first.most <= 4
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-20])  # killed while the last answer was written
    model = LanguageModel("m", tmp_path)
    assert model.estimate(EPISODES).calls == 1
    model.ask_all(EPISODES, again)
    assert len(again.calls) == 1
    assert LanguageModel("m", tmp_path).estimate(EPISODES).calls == 0
    assert LanguageModel("other", tmp_path).estimate(EPISODES).calls == 12


def test_a_dry_run_states_calls_tokens_and_price_and_asks_nothing(tmp_path: Path) -> None:
    used = LanguageModel("m", tmp_path, PRICE).estimate(EPISODES)
    assert used.calls == 12
    assert 12 * 50 < used.input_tokens < 12 * 150
    assert used.usd == pytest.approx(used.input_tokens)
    assert not (tmp_path / FILE).exists()


def test_the_ceiling_is_never_passed_and_stops_cleanly(tmp_path: Path) -> None:
    each = LanguageModel("m", tmp_path, PRICE).estimate(EPISODES[:1]).usd
    asked = Asked(tokens=int(each))
    used = LanguageModel("m", tmp_path, PRICE).ask_all(EPISODES, asked, most_usd=3.5 * each)
    assert used.usd <= 3.5 * each
    assert used.calls == 3
    assert used.unanswered == 9
    assert "USD" in used.stopped
    rest = LanguageModel("m", tmp_path, PRICE).ask_all(EPISODES, asked)
    assert (rest.calls, rest.kept, rest.unanswered) == (9, 3, 0)


def test_a_model_that_fails_again_and_again_is_left_alone_with_its_reason(tmp_path: Path) -> None:
    calls = []

    def fail(text: str) -> Reply:
        calls.append(text)
        raise ConnectionError("no such host")

    used = LanguageModel("m", tmp_path).ask_all(EPISODES, fail, at_once=1)
    assert len(calls) == FAILURES_BEFORE_STOP
    assert "no such host" in used.stopped
    assert used.unanswered == 12


def test_questions_that_stay_without_answer_are_counted_of_a_stream_too(tmp_path: Path) -> None:
    """A run reads its episodes from disk, once: what was lost of them would let a dead model look like a fair one."""

    def dead(text: str) -> Reply:
        raise OSError(text)

    used = LanguageModel("m", tmp_path).ask_all(iter(EPISODES), dead)
    assert (used.calls, used.unanswered) == (0, len(EPISODES))
