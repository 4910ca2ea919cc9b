"""Annotated sets read and scored by each delineator, a few recordings at a time, so that sets of any size fit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from worldmodel.errors import EcgFileError
from worldmodel.evaluation.annotated_sets import AnnotatedSet
from worldmodel.evaluation.contestants import Delineator, PeerError
from worldmodel.evaluation.delineation import Score, score

_CHUNK = 8


@dataclass(frozen=True)
class ScoredSet:
    """scores: by delineator, one for each readable recording, in the order of `rhythms`.

    unreadable: a sentence for each recording that was left out. broken: why a delineator that broke off has none.
    """

    source: AnnotatedSet
    scores: dict[str, list[Score]]
    rhythms: list[str | None]
    unreadable: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def drawn(source: AnnotatedSet, most: int | None, seed: int) -> AnnotatedSet:
    """The set, or `most` of its recordings in their order."""
    if most is None or len(source.keys) <= most:
        return source
    kept = np.sort(np.random.default_rng(seed).choice(len(source.keys), most, replace=False))
    return replace(source, keys=tuple(source.keys[i] for i in kept))


def score_sets(
    sets: Sequence[AnnotatedSet],
    delineators: Mapping[str, Delineator],
    progress: Callable[[float], None] | None = None,
) -> list[ScoredSet]:
    """Every set by every delineator; one that breaks off is left out from that set on."""
    total, done = sum(len(source.keys) for source in sets), 0
    going, result = dict(delineators), []
    for source in sets:
        scores: dict[str, list[Score]] = {name: [] for name in going}
        rhythms: list[str | None] = []
        unreadable: list[str] = []
        broken: list[str] = []
        for first in range(0, len(source.keys), _CHUNK):
            keys, records = source.keys[first : first + _CHUNK], []
            for key in keys:
                try:
                    records.append(source.read(key))
                except EcgFileError as error:
                    unreadable.append(error.message)
            for name, delineate in list(going.items()):
                try:
                    readings = delineate(records)
                except PeerError as error:
                    broken.append(error.message)
                    del going[name], scores[name]
                    continue
                scores[name] += [score(*pair) for pair in zip(records, readings, strict=True)]
            rhythms += [record.rhythm for record in records]
            done += len(keys)
            if progress is not None:
                progress(done / total)
        result.append(ScoredSet(source, scores, rhythms, tuple(unreadable), tuple(broken)))
    return result


def pool(sets: Sequence[ScoredSet]) -> ScoredSet:
    """All sets as one; its false detections are known only where they are in every set."""
    source = replace(
        sets[0].source,
        name="all annotated sets",
        about=", ".join(one.source.name for one in sets),
        complete=all(one.source.complete for one in sets),
    )
    names = [name for name in sets[0].scores if all(name in one.scores for one in sets)]
    scores = {name: [score for one in sets for score in one.scores[name]] for name in names}
    return ScoredSet(source, scores, [rhythm for one in sets for rhythm in one.rhythms])
