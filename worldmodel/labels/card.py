"""The model card of a training: what it is, what it learned from, what it shows, where it ends."""

from itertools import pairwise
from pathlib import Path

from worldmodel.checkpoint import sha256_of
from worldmodel.labels.figures import BINS, LabelFigures, joined

_HEAD = """# Model card: `labels.safetensors`

**What it is.** For each of the 17 labels of ECG-FM a logistic regression on what the delineator says of an ECG: rhythm,
findings, rate, PR, QRS, the last forces of the QRS, Q and ST. `worldmodel/labels/model.py` is the whole of it.

**How it was made.**

    ecgwm-agent train --preset labels --data DIR --out DIR --seed {seed}

Recordings: {recordings}; of LUDB each measured by the marker that has not seen it. No
recording is part of the package. SHA-256 `{sha256}`.

**What it shows.** On the real recordings, each judged by a model that has not seen it (five folds); beside it what is
reached by always saying the share of positives:

| label | with / without | AUROC | Brier | of the share | expected | judged |
|---|---|---|---|---|---|---|
"""
_LIMITS = """
Whether the probabilities are kept, over all judged labels and recordings:

| said | recordings x labels | mean said | found |
|---|---|---|---|
{reliability}
**Limits.** A hundred-odd recordings, mostly of one hospital: figures of labels with under ten positives are
anecdotes, and the shares are not those of another place. What each label looks at, and the rules of the delineator
behind it, were chosen with these recordings in view, so on others it will do less well. What is not coded in a set
was taken to be absent. "Right" and "Left bundle branch block" mean incomplete ones too; "Accessory pathway
conduction" is mostly fibrillation and flutter, not WPW. No label is about QT: see the interval risk. No clinician has
checked it.

**Not judged** (None, never 0): {why}
"""


def card(
    figures: dict[str, LabelFigures],
    why: dict[str, str],
    recordings: dict[str, int],
    seed: int,
    weights: Path,
) -> str:
    """Markdown of a finished training."""
    counts = ", ".join(f"{count} of {origin}" for origin, count in sorted(recordings.items()))
    text = _HEAD.format(seed=seed, recordings=counts, sha256=sha256_of(weights))
    text += "".join(_row(name, one, name not in why) for name, one in figures.items())
    bins = joined([one for name, one in figures.items() if name not in why])
    lines = (
        f"| {low:g} to {high:g} | {n} | {said:.3f} | {found:.3f} |\n"
        for (low, high), (n, said, found) in zip(pairwise(BINS), bins, strict=True)
    )
    reasons = " ".join(f"{name}: {reason}" for name, reason in why.items())
    return text + _LIMITS.format(reliability="".join(lines), why=reasons)


def _row(name: str, of: LabelFigures, judged: bool) -> str:
    return (
        f"| {name} | {of.positives} / {of.negatives} | {of.auroc:.3f} | {of.brier:.4f} | {of.brier_of_share:.4f} "
        f"| {of.expected:.1f} | {'yes' if judged else 'no'} |\n"
    )
