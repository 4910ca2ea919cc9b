"""The metrics against closed forms, and intervals that hold what they say."""

from itertools import product
from math import isnan, log2

import numpy as np
import pytest
from scipy.stats import kendalltau

from tools.alignment.metrics import METRICS, Place, agreement, estimate, place


def metrics(where: Place) -> dict[str, float]:
    return dict(zip(METRICS, agreement(where), strict=True))


def test_a_rank_gives_what_the_definitions_say() -> None:
    third = metrics(Place(3, 3, 5))
    assert (third["top_1"], third["top_3"], third["top_5"]) == (0.0, 1.0, 1.0)
    assert third["mrr"] == pytest.approx(1 / 3)
    assert third["ndcg"] == pytest.approx(1 / log2(4))
    assert third["mean_rank_percentile"] == pytest.approx(0.5)
    assert third["pairwise_accuracy"] == pytest.approx(0.5)


@pytest.mark.parametrize(("r", "n"), [(r, n) for n, r in product((2, 3, 7), range(1, 8)) if r <= n])
def test_tau_is_kendalls_tau_b_of_ranking_and_choice(r: int, n: int) -> None:
    choice = [0 if i == r else 1 for i in range(1, n + 1)]
    assert metrics(Place(r, r, n))["kendall_tau"] == pytest.approx(kendalltau(range(n), choice).statistic)


def test_equal_candidates_get_what_lots_give_on_average() -> None:
    ranks = [metrics(Place(r, r, 4)) for r in (2, 3, 4)]
    shared = metrics(Place(2, 4, 4))
    for name in METRICS:
        assert shared[name] == pytest.approx(np.mean([one[name] for one in ranks]))


def test_what_is_not_among_the_candidates_is_agreed_with_by_nothing() -> None:
    missed = metrics(Place(0, 0, 3))
    assert {missed[name] for name in METRICS[:-1]} == {0.0}
    assert missed["kendall_tau"] == metrics(Place(4, 4, 4))["kendall_tau"]
    assert isnan(metrics(Place(1, 1, 1))["pairwise_accuracy"])


def test_a_place_is_found_by_keys_of_which_lower_is_better() -> None:
    keys = {"a": (0.0, 0.3), "b": (1.0, 0.1), "c": (0.0, 0.3), "d": (0.0, 0.2)}
    assert place(keys, "d") == Place(1, 1, 4)
    assert place(keys, "a") == Place(2, 3, 4)
    assert place(keys, "x") == place(keys, None) == Place(0, 0, 4)


def test_the_interval_holds_the_truth_in_ninety_of_a_hundred_replications() -> None:
    """Subjects with one to four episodes, whose agreement goes together: the truth is the mean over such subjects."""
    generator = np.random.default_rng(5)
    held = np.zeros(2)
    for replication in range(100):
        values, subjects = [], []
        for subject in range(60):
            own = generator.beta(2, 4)
            for _ in range(generator.integers(1, 5)):
                hit = float(generator.random() < own)
                values.append([hit, hit * generator.random()])
                subjects.append(f"s{subject}")
        for column, (found, true) in enumerate(
            zip(estimate(np.array(values), subjects, replication, 200), (1 / 3, 1 / 6), strict=True)
        ):
            assert found.ci95 is not None
            held[column] += found.ci95[0] <= true <= found.ci95[1]
    assert held.min() >= 90


def test_episodes_of_one_subject_are_no_more_than_one_subject() -> None:
    """The same episodes: as many subjects, a narrow interval; of two subjects, a wide one; of one, none."""
    values = np.tile([[0.0], [1.0]], (50, 1))

    def width(subjects: list[str]) -> float:
        (found,) = estimate(values, subjects, 0)
        assert found.ci95 is not None
        return found.ci95[1] - found.ci95[0]

    assert width([str(i) for i in range(100)]) < 0.3
    assert width([str(i % 2) for i in range(100)]) > 0.9
    assert estimate(values, ["s"] * 100, 0)[0].ci95 is None


def test_what_no_episode_can_tell_is_null() -> None:
    (found,) = estimate(np.full((3, 1), np.nan), ["a", "b", "c"], 0)
    assert (found.value, found.ci95, found.n) == (None, None, 0)
    assert estimate(np.zeros((0, 2)), [], 0)[1].value is None
