"""Known clinicians: a policy that follows risk is recovered, one that throws dice is at chance."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.tools.alignment.made import kept, manifest
from tools.alignment.analysis import analyse
from tools.alignment.rankers import Neighbours, Prescriptions, fold_of
from tools.alignment.record import EpisodeKept, Failure
from tools.alignment.result import AlignResult

CANDIDATES, K = 8, 3
Policy = Callable[[np.ndarray, np.random.Generator], int]


def averse(risks: np.ndarray, generator: np.random.Generator, lambda_: float = 1.5) -> int:
    """Takes the lowest mean + 1.5 SD, seen through noise: a risk-averse clinician who is not always sure."""
    scores = risks.mean(1) + lambda_ * risks.std(1, ddof=1)
    return int(np.argmin(scores + generator.gumbel(0.0, 0.05, len(scores))))


def dice(risks: np.ndarray, generator: np.random.Generator) -> int:
    return int(generator.integers(len(risks)))


def made(policy: Policy, episodes: int = 240, seed: int = 0) -> list[EpisodeKept]:
    """Two episodes of each subject; means and spreads of the candidates differ from patient to patient."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(episodes):
        mean, sd = generator.uniform(0.1, 0.6, (CANDIDATES, 1)), generator.uniform(0.0, 0.3, (CANDIDATES, 1))
        risks = (mean + sd * generator.standard_normal((CANDIDATES, K))).clip(0, 1)
        found.append(kept(number, risks, policy(risks, generator), subject=f"s{number // 2}"))
    return found


def analysed(episodes: list[EpisodeKept], lambda_: float = 1.5) -> AlignResult:
    return analyse(lambda: episodes, manifest(len(episodes), K), lambda_)


@pytest.fixture(scope="module")
def of_averse() -> AlignResult:
    return analysed(made(averse))


def value(result: AlignResult, name: str, baseline: str | None = None) -> float:
    found = (result.metrics if baseline is None else result.baselines[baseline])[name].value
    assert found is not None
    return found


def test_a_risk_averse_policy_is_recovered_above_every_baseline(of_averse: AlignResult) -> None:
    for name in ("top_1", "mrr", "mean_rank_percentile", "kendall_tau"):
        own = value(of_averse, name)
        for baseline in set(of_averse.baselines) - {"score alone (eq. 3)"}:  # the same where no goal shows
            assert own > value(of_averse, name, baseline), (name, baseline)
    interval = of_averse.metrics["top_1"].ci95
    assert interval is not None
    assert interval[0] > value(of_averse, "top_1", "without spread (lambda 0)")


def test_the_lambda_curve_is_highest_near_the_policys_own(of_averse: AlignResult) -> None:
    curve = {point.x: point.metrics["top_1"].value for point in of_averse.sensitivity["lambda"]}
    assert max(curve, key=lambda x: curve[x] or 0.0) in (1.0, 1.5, 2.0)
    assert (curve[1.5] or 0.0) > (curve[0.0] or 0.0) + 0.1


def test_fewer_samples_agree_less(of_averse: AlignResult) -> None:
    curve = [point.metrics["mrr"].value or 0.0 for point in of_averse.sensitivity["k"]]
    assert curve == sorted(curve)
    assert curve[-1] == value(of_averse, "mrr")


def test_a_policy_of_dice_is_at_chance_for_every_ranking() -> None:
    result = analysed(made(dice, 400))
    for name, chance in (("top_1", 1 / CANDIDATES), ("mean_rank_percentile", 0.5), ("kendall_tau", 0.0)):
        interval = result.metrics[name].ci95
        assert interval is not None
        assert interval[0] <= chance <= interval[1]
        assert value(result, name, "random within mask") == pytest.approx(chance, abs=1e-4)
    for baseline in ("popularity", "popularity by indication", "nearest neighbour"):
        assert value(result, "mean_rank_percentile", baseline) == pytest.approx(0.5, abs=0.06)
        assert value(result, "top_1", baseline) == pytest.approx(1 / CANDIDATES, abs=0.06)


def test_the_interval_of_a_whole_analysis_holds_the_truth() -> None:
    """A hundred small runs of the averse policy; the truth is that of one very large run."""
    from tools.alignment.metrics import agreement, estimate, place
    from tools.alignment.rankers import Scoring, by_risk

    def rows(episodes: list[EpisodeKept]) -> np.ndarray:
        return np.array(
            [agreement(place(by_risk(e, Scoring(1.5)), e.prescribed.candidate)) for e in episodes]
        )

    everyone = made(averse, 3000, seed=77)
    truth = rows(everyone).mean(0)
    drawn = np.random.default_rng(8)
    held = np.zeros(len(truth))
    whole = rows(everyone)
    for replication in range(100):
        subjects = drawn.integers(0, len(everyone) // 2, 40)
        own = np.concatenate([whole[2 * subjects], whole[2 * subjects + 1]])
        names = [str(i) for i in [*range(40), *range(40)]]
        for column, found in enumerate(estimate(own, names, replication, 200)):
            assert found.ci95 is not None
            held[column] += found.ci95[0] <= truth[column] <= found.ci95[1]
    assert held[[0, 3, 5, 7]].min() >= 90


def test_agreement_by_popularity_alone_survives_permutation_and_agreement_by_risk_does_not(
    of_averse: AlignResult,
) -> None:
    mean, _, highest = of_averse.permuted.metrics["top_1"]
    assert mean == pytest.approx(1 / CANDIDATES, abs=0.03)
    assert value(of_averse, "top_1") > highest
    always = analysed([kept(i, np.tile([[0.1], [0.5]], K), 0) for i in range(40)])
    assert value(always, "top_1") == always.permuted.metrics["top_1"][0] == 1.0


def test_a_blocked_prescription_is_counted_listed_and_agreed_with_by_nothing() -> None:
    risks = np.array([[0.1] * K, [0.2] * K, [0.3] * K])
    result = analysed([kept(0, risks, 0, blocked=[0]), kept(1, risks, 0)])
    assert result.scored == 2
    assert result.prescriptions == {"ranked": 1, "blocked": 1, "cannot_evaluate": 0, "not_among": 0}
    assert [listed.id for listed in result.not_ranked] == ["0"]
    assert value(result, "top_1") == 0.5
    assert result.among_ranked["top_1"].value == 1.0
    assert value(result, "mask_violation_rate") == 0.0
    assert result.by_drug["a0"].blocked == 1


def test_a_candidate_that_was_simulated_though_refused_breaks_the_mask() -> None:
    """By its verdict as it is stored: `align` simulates no such candidate, and this is what would tell if it did."""
    good = kept(0, np.ones((2, K)), 0)
    first, *rest = kept(1, np.ones((2, K)), 1).candidates
    broken = kept(1, np.ones((2, K)), 1).model_copy(
        update={"candidates": (first.model_copy(update={"verdict": "blocked"}), *rest)}
    )
    assert value(analysed([good, broken]), "mask_violation_rate") == 0.5


def test_a_failed_episode_is_counted_with_its_reason_and_nothing_else() -> None:
    failed = kept(1, np.ones((2, K)), 0).model_copy(
        update={"failure": Failure(code="ecg_file", message="gone")}
    )
    result = analysed([kept(0, np.ones((2, K)), 0), failed])
    assert (result.episodes, result.done, result.scored, result.skipped) == (2, 2, 1, {"ecg_file": 1})
    assert result.failures == ("1: gone",)


def test_nothing_scored_is_null_not_zero() -> None:
    failed = kept(0, np.ones((2, K)), 0).model_copy(update={"failure": Failure(code="x", message="y")})
    result = analysed([failed])
    assert result.metrics["top_1"].value is None
    assert result.by_drug == {}


def test_popularity_learns_from_other_subjects_only() -> None:
    one, other = "one", next(name for name in map(str, range(99)) if fold_of(name) != fold_of("one"))
    episodes = [kept(i, np.ones((3, K)), 2, subject=one) for i in range(9)]
    episodes.append(kept(9, np.ones((3, K)), 1, subject=other))
    learned = Prescriptions()
    for episode in episodes:
        learned.add(episode)
    assert learned.overall(episodes[0]) == {"a0": (0,), "a1": (-1,), "a2": (0,)}
    assert learned.overall(episodes[9]) == {"a0": (0,), "a1": (0,), "a2": (-9,)}


def test_neighbours_know_what_depends_on_the_patient_and_never_their_own_subject() -> None:
    """The old are given a0, the young a1, which popularity cannot know."""
    episodes = [
        kept(i, np.ones((2, K)), int(i % 2), age_years=80.0 - 40.0 * (i % 2), before={"hr_bpm": 70.0 + i % 3})
        for i in range(60)
    ]
    learned = Prescriptions()
    for episode in episodes:
        learned.add(episode)
    neighbours = Neighbours(episodes, learned)
    for episode in episodes[:10]:
        keys = neighbours.rank(episode)
        assert min(keys, key=lambda action: keys[action]) == episode.prescribed.candidate
    alone = [kept(i, np.ones((2, K)), 1, subject="one") for i in range(5)]
    assert {key[0] for key in Neighbours(alone, Prescriptions()).rank(alone[0]).values()} == {0.0}


def test_overlap_says_where_the_first_choice_was_never_prescribed() -> None:
    risks = np.array([[0.1] * K, [0.5] * K])
    never = analysed([kept(i, risks, 1) for i in range(20)]).overlap
    assert never.first_choice_never_prescribed == 1.0
    assert never.effective_sample_size is None
    always = analysed([kept(i, risks, 0) for i in range(20)]).overlap
    assert always.first_choice_never_prescribed == 0.0
    assert always.effective_sample_size == pytest.approx(20.0)


def test_what_is_not_known_of_a_risk_is_a_lower_bound_behind_those_judged_in_full() -> None:
    from tools.alignment.rankers import Scoring, by_risk

    episode = kept(0, np.array([[0.1] * K, [0.5] * K]), 0)
    lost = episode.candidates[0].model_copy(update={"full": (False, False, True)})
    keys = by_risk(
        episode.model_copy(update={"candidates": (lost, episode.candidates[1])}), Scoring(lambda_=0.0)
    )
    assert keys["a1"] < keys["a0"]
