"""How far mAP and OmAP would move with other clips: the bootstrap over clips.

A resample draws as many clips as there are, with replacement (Efron and Tibshirani, An introduction
to the bootstrap, 1993, chapter 13). It is never made: each clip gets the number of times that it was
drawn as its weight, on the order that was sorted once, so a resample only counts anew. A label that
has no positive in a resample is left out of that resample.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from stages.metrics.average_precision import plain_area
from stages.metrics.omap import coarse_areas, level_means
from stages.metrics.ranking import LabelRanking, Rankings

_BLOCK = 32  # resamples counted at once: their weights and one label's counts stay in the cache


def bootstrap(
    models: Sequence[Rankings],
    resamples: int,
    seed: int,
    advance: Callable[[int], object] = lambda _: None,
) -> NDArray[np.float64]:
    """Measure every model on the same resamples of the clips.

    Args:
        models: rankings of the same clips and labels by one or more models.
        resamples: how many.
        seed: of the draws; the same seed and number of clips give the same resamples.
        advance: called with the number of resamples that are done.

    Returns:
        (models, resamples, 1 + levels): mAP, then OmAP at each coarse level. NaN in a resample
        where no label has a positive.
    """
    generator = np.random.default_rng(seed)
    means = level_means(models[0].distances)
    replicates = np.empty((len(models), resamples, 1 + len(means)))
    for first in range(0, resamples, _BLOCK):
        block = min(_BLOCK, resamples - first)
        weights = _draw(generator, models[0].clips, block)
        for index, model in enumerate(models):
            replicates[index, first : first + block] = _measure(model, weights, means)
        advance(block)
    return replicates


def interval(value: float, replicates: NDArray[np.float64]) -> tuple[float, float] | None:
    """The 95 % interval around `value` from its replicates (resamples,); None when there are none.

    The percentiles of the replicates, moved by their bias, so that their mean is `value`. A clip
    that is drawn twice ties with itself, which raises average precision by more than the interval is
    wide as soon as there are many labels: plain percentiles can miss the value that they are for.
    Replicates that are NaN are left out.
    """
    defined = replicates[np.isfinite(replicates)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [0.025, 0.975]) - defined.mean() + value
    return float(low), float(high)


def _draw(generator: np.random.Generator, clips: int, resamples: int) -> NDArray[np.float32]:
    """Draw resamples: how often each holds each clip (clips, resamples)."""
    drawn = [
        np.bincount(generator.integers(0, clips, clips), minlength=clips) for _ in range(resamples)
    ]
    # float32 holds whole numbers up to 2 ** 24 exactly.
    return np.stack(drawn, axis=1).astype(np.float32)


def _measure(
    model: Rankings, weights: NDArray[np.float32], means: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return mAP and OmAP by level (resamples, 1 + levels) for weights (clips, resamples)."""
    total = np.zeros((1 + len(means), weights.shape[1]))
    labels = np.zeros(weights.shape[1])
    for label in model.labels:
        counts = _weighted_counts(label, weights)
        present = counts[0].sum(axis=0) > 0
        areas = np.concatenate([plain_area(counts)[None], coarse_areas(counts, means)])
        total += np.where(present, areas, 0)
        labels += present
    return (total / np.where(labels > 0, labels, np.nan)).T


def _weighted_counts(label: LabelRanking, weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return `label.counts` with a weight for each clip (categories, groups, resamples)."""
    clips, cells = len(label.cells), label.counts.size
    one_a_clip = (np.ones(clips, dtype=np.float32), label.cells, np.arange(clips + 1))
    counts: NDArray[np.float32] = csc_array(one_a_clip, shape=(cells + 1, clips)) @ weights
    return counts[:cells].astype(np.float64).reshape(*label.counts.shape, weights.shape[1])
