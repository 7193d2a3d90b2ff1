"""Ontology-aware mean average precision, OmAP (Liu et al., arXiv 2211.12195).

A false alarm costs as much as the ontology says it is far off. For each coarse level lambda, a
distance of at most lambda is forgiven (weight 0); the rest is divided by the mean of what is left
over all pairs of labels, so that 1 is a typical mistake. A negative clip counts with the least
weight to any of its labels. OmAP is the mean over labels of the average precision with such false
positives, then over all levels from 0 to the largest distance.

The weight rises with the distance, so the least distance decides at every level, and all levels
are suffix sums over the distances of the same counts.
"""

import numpy as np
from numpy.typing import NDArray

from stages.metrics.average_precision import area_under_precision
from stages.metrics.ranking import Rankings


def ontology_average_precision(rankings: Rankings) -> NDArray[np.float64]:
    """Ontology-aware average precision (levels, labels); NaN for a label without positives.

    Levels are 0 .. the largest distance between two labels, where every weight is 0 and every
    label has 1. Clips without labels are at no distance from anything: they are left out.
    """
    means = level_means(rankings.distances)
    counts = (label.counts[:, :, None].astype(np.float64) for label in rankings.labels)
    return np.concatenate([coarse_areas(label, means) for label in counts], axis=1)


def level_means(distances: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What the distances are divided by at each coarse level (levels,).

    It is the mean over all off-diagonal pairs of the distance where it is above the level and 0
    elsewhere; 1 (no division) where that mean is 0.
    """
    largest, labels = int(distances.max()), len(distances)
    edges = np.bincount(distances.ravel(), minlength=largest + 1) * np.arange(largest + 1)
    left = edges.sum() - np.cumsum(edges)  # of all pairs, what each level does not forgive
    return np.where(left > 0, left / max(labels * (labels - 1), 1), 1.0)


def coarse_areas(counts: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average precision (levels, resamples) of one label at each coarse level.

    Args:
        counts: (categories, groups, resamples), as `LabelRanking.counts`.
        means: (levels,), from `level_means`.
    """
    levels = len(means)
    false_positives = np.zeros((levels, *counts.shape[1:]))
    in_edges = counts[1:levels] * np.arange(1, levels)[:, None, None]
    # A level counts what the next coarser one does, and the distance that only the latter forgives.
    np.cumsum(in_edges[::-1], axis=0, out=false_positives[:-1][::-1])
    np.cumsum(false_positives, axis=1, out=false_positives)
    false_positives /= means[:, None, None]
    return area_under_precision(counts[0], false_positives)
