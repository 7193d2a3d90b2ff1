"""Average precision, and what chance would reach.

AP = sum over the distinct scores, highest first, of the rise in recall times the precision there,
with precision = tp / (tp + fp): no interpolation, as in scikit-learn. Only the scores of positives
raise the recall, so only they count.
"""

import numpy as np
from numpy.typing import NDArray

from stages.metrics.ranking import Rankings


def average_precision(rankings: Rankings) -> NDArray[np.float64]:
    """Average precision of each label (labels,); NaN for a label without positives.

    A clip without labels counts as a negative of every label.
    """
    counts = (label.counts[:, :, None].astype(np.float64) for label in rankings.labels)
    return np.concatenate([plain_area(label) for label in counts])


def plain_area(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average precision (resamples,) of one label whose negatives all count 1.

    `counts` is (categories, groups, resamples), as `LabelRanking.counts`.
    """
    false_positives = np.cumsum(counts[1:].sum(axis=0), axis=0)
    area: NDArray[np.float64] = area_under_precision(counts[0], false_positives[None])[0]
    return area


def area_under_precision(
    positives: NDArray[np.float64], false_positives: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average precision (variants, resamples) of one label.

    Args:
        positives: (groups, resamples), positives in each group of equal score, the highest first.
        false_positives: (variants, groups, resamples), weight of all negatives that score at least
            as much as the group.

    Returns:
        NaN for a resample without positives.
    """
    if not len(positives):
        return np.full((len(false_positives), positives.shape[1]), np.nan)
    true_positives = np.cumsum(positives, axis=0)
    # Before the first positive the recall stays 0: any precision will do there but 0/0.
    precision = true_positives / (false_positives + np.maximum(true_positives, 1))
    total = np.where(true_positives[-1] > 0, true_positives[-1], np.nan)
    area: NDArray[np.float64] = np.einsum("gr,vgr->vr", positives, precision) / total
    return area


def chance_average_precision(positives: NDArray[np.int64], clips: int) -> NDArray[np.float64]:
    """Expected average precision (labels,) of a random order of `clips` clips; NaN without positives.

    With P positives among N clips, rank i holds one with probability P/N, and then each rank above
    it with probability (P - 1)/(N - 1). So the expected AP is the mean over the ranks i of
    (1 + (i - 1) (P - 1)/(N - 1)) / i, a little above P/N, which it tends to (Bestgen, "Exact expected
    average precision of the random baseline for system evaluation", 2015).
    """
    harmonic = float(np.sum(1.0 / np.arange(1, clips + 1)))
    others = (positives - 1) / max(clips - 1, 1)
    expected = (harmonic + others * (clips - harmonic)) / clips
    return np.where(positives > 0, expected, np.nan)
