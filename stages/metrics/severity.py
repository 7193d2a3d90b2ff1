"""How far off the mistakes are, in edges of the ontology.

All functions here take `nearest`, (clips, labels) uint8, from `ranking.clip_categories`: the least
distance from a label to the labels that the clip has. It is 0 for the clip's own labels. A clip
without labels is at no distance from anything: it has no 0 in its row, and no say here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.metrics.clip_ratio import ClipRatio
from stages.metrics.thresholds import tagged


def confident_false_positives(
    scores: NDArray[np.floating[Any]],
    nearest: NDArray[np.uint8],
    threshold: float,
    levels: int,
) -> NDArray[np.int64]:
    """Count false positives by their distance to the truth (levels,); at 0 edges there are none.

    Args:
        scores: (clips, labels), finite.
        nearest: (clips, labels).
        threshold: score from which on a label is a tag, as in `thresholds.tagged`.
        levels: the largest distance between two labels, plus 1.

    Raises:
        MetricInputError: a threshold that is no finite number.
    """
    return _by_distance(nearest, _false_positives(scores, nearest, threshold), levels)


def severity(
    scores: NDArray[np.floating[Any]], nearest: NDArray[np.uint8], threshold: float
) -> ClipRatio:
    """Mean distance to the truth of the false positives that score at least `threshold`.

    Args:
        scores: (clips, labels), finite.
        nearest: (clips, labels).
        threshold: score from which on a label is a tag, as in `thresholds.tagged`.

    Returns:
        The ratio, in edges, at least 1: distances summed over a clip's false positives, and how many
        it has. No value where there are none.

    Raises:
        MetricInputError: a threshold that is no finite number.
    """
    false = _false_positives(scores, nearest, threshold)
    return ClipRatio(
        np.where(false, nearest, 0).sum(axis=1, dtype=np.float64),
        np.count_nonzero(false, axis=1).astype(np.float64),
    )


def top_one_distance(scores: NDArray[np.floating[Any]], nearest: NDArray[np.uint8]) -> ClipRatio:
    """Mean distance to the truth of each clip's highest-scored label, 0 where it is right.

    Args:
        scores: (clips, labels), finite. Only their order within a clip matters.
        nearest: (clips, labels).

    Returns:
        The ratio, in edges: the distance of a clip's top label, the mean over the top ones where
        several tie, over 1.
    """
    top = scores == scores.max(axis=1, keepdims=True)
    distance = np.where(top, nearest, 0).sum(axis=1) / np.count_nonzero(top, axis=1)
    labelled = _labelled(nearest)
    return ClipRatio(np.where(labelled, distance, 0.0), labelled.astype(np.float64))


def random_distances(nearest: NDArray[np.uint8], levels: int) -> NDArray[np.float64]:
    """Shares by distance (levels,) that false positives drawn at random would have.

    Every label that a labelled clip does not have is as likely to be drawn as any other.

    Args:
        nearest: (clips, labels).
        levels: the largest distance between two labels, plus 1.

    Returns:
        Numbers that sum to 1; all 0 where no clip with labels lacks any.
    """
    negatives = (nearest > 0) & _labelled(nearest)[:, None]
    counts = _by_distance(nearest, negatives, levels)
    return counts / max(int(counts.sum()), 1)


def random_mean_distance(shares: NDArray[np.float64]) -> float | None:
    """Mean distance, in edges, of `random_distances` (levels,); None where there are no negatives."""
    return float(shares @ np.arange(len(shares))) if shares.any() else None


def _labelled(nearest: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which clips have a label (clips,): their own labels are at distance 0."""
    return np.asarray((nearest == 0).any(axis=1))


def _false_positives(
    scores: NDArray[np.floating[Any]], nearest: NDArray[np.uint8], threshold: float
) -> NDArray[np.bool_]:
    """Return where a clip with labels gets a tag (clips, labels) that is none of them."""
    return tagged(scores, threshold) & (nearest > 0) & _labelled(nearest)[:, None]


def _by_distance(
    nearest: NDArray[np.uint8], cells: NDArray[np.bool_], levels: int
) -> NDArray[np.int64]:
    """Count the chosen cells (clips, labels) at each distance (levels,)."""
    return np.bincount(nearest[cells], minlength=levels)
