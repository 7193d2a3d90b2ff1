"""Micro average precision: all cells (clip, label) ranked together, as if there were one label."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def micro_average_precision(scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_]) -> float:
    """Average precision of all cells in one ranking; a label counts by how many positives it has.

    Scores of different labels are compared, so it also says whether one threshold does for all. The
    area is that of `average_precision`: no interpolation, cells of equal score taken together (with
    scikit-learn, `average_precision_score(..., average="micro")`).

    Args:
        scores: (clips, labels), finite.
        targets: (clips, labels). Cells of clips without labels are negatives like any other.

    Returns:
        A number in (0, 1]; NaN without any positive.
    """
    # Only the scores of positives raise the recall, so no cell's place is needed but the numbers of
    # cells that reach those scores: a sort of the values, not of the cells, gives them.
    positive_scores, positives = np.unique(scores[targets], return_counts=True)
    if not len(positives):
        return float("nan")
    rising = np.sort(_sortable(scores), axis=None)
    tagged = rising.size - np.searchsorted(rising, positive_scores.astype(rising.dtype))
    true_positives = np.cumsum(positives[::-1])[::-1]
    # Not `@`: its sums depend on the number of threads.
    return float(np.sum(positives * (true_positives / tagged)) / positives.sum())


def _sortable(scores: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return the same scores in a type that the processor compares by itself, which float16 is not."""
    return scores.astype(np.float32) if scores.dtype == np.float16 else scores
