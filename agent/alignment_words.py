"""The numbers of an alignment in words, the same in the terminal and on the page."""

from tools.alignment.metrics import Estimate

METRIC_NAMES = {
    "top_1": "first",
    "top_3": "in first 3",
    "top_5": "in first 5",
    "mrr": "MRR",
    "ndcg": "NDCG",
    "mean_rank_percentile": "rank percentile",
    "pairwise_accuracy": "pairs",
    "kendall_tau": "Kendall τ",
}
PERCENT = ("top_1", "top_3", "top_5", "pairwise_accuracy", "mean_rank_percentile", "not_among_candidates")
LEGEND = (
    "first, in first 3, in first 5: share of the episodes whose prescription is ranked there; rank percentile: share "
    "of the candidates ranked behind it, its own place counted half; pairs: share of the other candidates ranked "
    "behind it. A prescription that is blocked or no candidate counts as agreed with by nothing. Brackets: 95 % by "
    "resampling subjects."
)
STANDINGS = {
    "ranked": "among the ranked candidates",
    "blocked": "blocked by the mask",
    "cannot_evaluate": "not judged by the mask for lack of data",
    "not_among": "not among the candidates",
}


def estimated(name: str, one: Estimate, interval: bool = True) -> str:
    """Such as "41 % [33, 49]"; "–" where no episode can tell."""
    if one.value is None:
        return "–"
    scale, digits = (100, 0) if name in PERCENT else (1, 2)
    value = f"{scale * one.value:z.{digits}f}{' %' if scale == 100 else ''}"
    if not interval or one.ci95 is None:
        return value
    low, high = (f"{scale * end:z.{digits}f}" for end in one.ci95)
    return f"{value} [{low}, {high}]"
