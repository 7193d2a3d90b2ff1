"""How far the measures would move with other clips: the bootstrap over clips, or groups of clips.

A resample draws as many clips as there are, with replacement (Efron and Tibshirani, An introduction
to the bootstrap, 1993, chapter 13). It is never made: each clip gets the number of times that it was
drawn as its weight, on the order that was sorted once, so a resample only counts anew. A label that
has no positive in a resample is left out of that resample.

Clips that were cut from one recording resemble each other and say less than as many clips apart.
Then whole groups of clips are drawn: the cluster bootstrap (Davison and Hinkley, Bootstrap methods
and their application, 1997, section 3.8).
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from stages.metrics.average_precision import plain_area
from stages.metrics.clip_ratio import ClipRatio
from stages.metrics.inputs import MetricInputError
from stages.metrics.omap import coarse_areas, level_means
from stages.metrics.ranking import LabelRanking, Rankings

_BLOCK = 32  # resamples weighed at once
_CELLS = (
    1_000_000  # of one label counted at once, by one thread; more than fit into the cache are slow
)
_WORKERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Replicates:
    """One model's measures on every resample; NaN where a resample has none.

    Attributes:
        mean_average_precision: (resamples,), mean over the labels that have a positive.
        by_level: (resamples, levels), OmAP at each coarse level, over the same labels.
        average_precision: (resamples, labels).
        ontology_average_precision: (resamples, labels), mean over levels.
        ratios: (resamples, ratios), in the order given.
    """

    mean_average_precision: NDArray[np.float64]
    by_level: NDArray[np.float64]
    average_precision: NDArray[np.float64]
    ontology_average_precision: NDArray[np.float64]
    ratios: NDArray[np.float64]

    @property
    def ontology_mean_average_precision(self) -> NDArray[np.float64]:
        """OmAP (resamples,)."""
        return np.asarray(self.by_level.mean(axis=1))


def bootstrap(  # noqa: PLR0913 - what is drawn and what is measured on it
    models: Sequence[Rankings],
    resamples: int,
    seed: int,
    *,
    groups: NDArray[np.int64] | None = None,
    ratios: Sequence[Sequence[ClipRatio]] = (),
    advance: Callable[[int], object] = lambda _: None,
) -> tuple[Replicates, ...]:
    """Measure every model on the same resamples of the clips.

    Args:
        models: rankings of the same clips and labels by one or more models.
        resamples: how many.
        seed: of the draws; the same seed and number of clips (or groups) give the same resamples,
            whatever the number of threads.
        groups: (clips,), the group of each clip, numbered from 0 without a gap. As many groups as
            there are get drawn, each with all its clips. None: every clip by itself.
        ratios: sums over clips to resample too, a sequence for each model; or none at all.
        advance: called with the number of resamples that are done.

    Raises:
        MetricInputError: groups that do not fit the clips.
    """
    generator = np.random.default_rng(seed)
    of_clip = np.arange(models[0].clips) if groups is None else groups
    _check_groups(of_clip, models[0].clips)
    given = list(zip(models, ratios or [()] * len(models), strict=True))
    found = tuple(_empty(model, resamples, len(sums)) for model, sums in given)

    def measure(first: int, weights: NDArray[np.float32]) -> int:
        rows = slice(first, first + weights.shape[1])
        for (model, sums), replicates in zip(given, found, strict=True):
            _measure(model, weights, replicates, rows)
            for index, ratio in enumerate(sums):
                replicates.ratios[rows, index] = ratio.replicates(weights)
        return len(weights.T)

    with ThreadPoolExecutor(_WORKERS) as pool:
        for start in range(0, resamples, _WORKERS * _BLOCK):
            blocks = range(start, min(start + _WORKERS * _BLOCK, resamples), _BLOCK)
            sizes = [min(_BLOCK, resamples - first) for first in blocks]
            weights = [_draw(generator, of_clip, size) for size in sizes]
            for done in pool.map(measure, blocks, weights):
                advance(done)
    return found


def interval(
    value: float,
    replicates: NDArray[np.float64],
    lowest: float = -np.inf,
    highest: float = np.inf,
) -> tuple[float, float] | None:
    """The 95 % interval around `value` from its replicates (resamples,).

    The percentiles of the replicates, moved by their bias, so that their mean is `value`. A clip
    that is drawn twice ties with itself, which raises average precision by more than the interval is
    wide as soon as there are many labels: plain percentiles can miss the value that they are for.
    Replicates that are not finite are left out. The interval always holds `value`.

    Args:
        value: the measure of all clips, from `lowest` to `highest`.
        replicates: (resamples,), the measure of each resample.
        lowest: the least value that the measure can have; the interval ends there.
        highest: the greatest one.

    Returns:
        None where `value` is not finite, or no replicate is.
    """
    defined = replicates[np.isfinite(replicates)]
    if not len(defined) or not np.isfinite(value):
        return None
    low, high = np.quantile(defined, [0.025, 0.975]) - defined.mean() + value
    return float(max(min(low, value), lowest)), float(min(max(high, value), highest))


def intervals(
    values: NDArray[np.float64],
    replicates: NDArray[np.float64],
    lowest: float = -np.inf,
    highest: float = np.inf,
) -> NDArray[np.float64]:
    """The `interval` (n, 2) of each of `values` (n,) from replicates (resamples, n); NaN for none."""
    found = [
        interval(float(value), column, lowest, highest) or (np.nan, np.nan)
        for value, column in zip(values, replicates.T, strict=True)
    ]
    return np.array(found, dtype=np.float64).reshape(len(values), 2)


def _check_groups(groups: NDArray[np.int64], clips: int) -> None:
    """Check that each of the clips has a group, and each group a clip."""
    if groups.shape != (clips,):
        raise MetricInputError(f"groups have shape {groups.shape}; there are {clips} clips")
    if groups.min() < 0 or not np.bincount(groups).all():
        raise MetricInputError(
            f"groups run from {groups.min()} to {groups.max()} with {len(np.unique(groups))} of "
            "them in use; they must be numbered from 0 without a gap"
        )


def _empty(model: Rankings, resamples: int, ratios: int) -> Replicates:
    labels, levels = len(model.labels), len(level_means(model.distances))
    shapes = ((), (levels,), (labels,), (labels,), (ratios,))
    return Replicates(*(np.empty((resamples, *shape)) for shape in shapes))


def _draw(
    generator: np.random.Generator, groups: NDArray[np.int64], resamples: int
) -> NDArray[np.float32]:
    """Draw resamples: how often each holds each clip (clips, resamples)."""
    many = int(groups.max()) + 1
    drawn = [
        np.bincount(generator.integers(0, many, many), minlength=many) for _ in range(resamples)
    ]
    # float32 holds whole numbers up to 2 ** 24 exactly.
    return np.stack(drawn, axis=1).astype(np.float32)[groups]


def _measure(
    model: Rankings, weights: NDArray[np.float32], replicates: Replicates, rows: slice
) -> None:
    """Fill these rows of the replicates, for weights (clips, resamples)."""
    means = level_means(model.distances)
    total = np.zeros((1 + len(means), weights.shape[1]))
    labels = np.zeros(weights.shape[1])
    for index, label in enumerate(model.labels):
        areas = _areas(label, weights, means)
        replicates.average_precision[rows, index] = areas[0]
        replicates.ontology_average_precision[rows, index] = areas[1:].mean(axis=0)
        present = np.isfinite(areas[0])  # with a positive
        total += np.where(present, areas, 0)
        labels += present
    total /= np.where(labels > 0, labels, np.nan)
    replicates.mean_average_precision[rows] = total[0]
    replicates.by_level[rows] = total[1:].T


def _areas(
    label: LabelRanking, weights: NDArray[np.float32], means: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average precision, then the ontology-aware one at each level (1 + levels, resamples)."""
    at_once = max(_CELLS // max(label.counts.size, 1), 2)
    found = []
    for first in range(0, weights.shape[1], at_once):
        counts = _weighted_counts(label, weights[:, first : first + at_once])
        found.append(np.concatenate([plain_area(counts)[None], coarse_areas(counts, means)]))
    return np.concatenate(found, axis=1)


def _weighted_counts(label: LabelRanking, weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return `label.counts` with a weight for each clip (categories, groups, resamples)."""
    clips, cells = len(label.cells), label.counts.size
    one_a_clip = (np.ones(clips, dtype=np.float32), label.cells, np.arange(clips + 1))
    counts: NDArray[np.float32] = csc_array(one_a_clip, shape=(cells + 1, clips)) @ weights
    return counts[:cells].astype(np.float64).reshape(*label.counts.shape, weights.shape[1])
