"""Whether scores are probabilities, and how honest they are as such."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.metrics.inputs import MetricInputError

_BLOCK = 1024  # clips binned at once, so that little is held beside the scores


@dataclass(frozen=True)
class CalibrationErrors:
    """Expected calibration errors, each in [0, 1]; 0 is perfect.

    Attributes:
        by_label: (labels,) float64, over each label's clips. A label without positives has one too:
            the mean of its scores.
        pooled: over all cells (clip, label) together. Where most cells are easy negatives it is small
            whatever the rest does, and the errors of labels may cancel.
    """

    by_label: NDArray[np.float64]
    pooled: float


def are_probabilities(scores: NDArray[np.floating[Any]]) -> bool:
    """Whether all scores (clips, labels) are in [0, 1]."""
    return bool((scores >= 0).all() and (scores <= 1).all())


def calibration_error(
    scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_], bins: int = 15
) -> CalibrationErrors:
    """Expected calibration error of scores taken for the probability that a clip has a label.

    The clips are put into `bins` bins of equal width by their score; the error is the mean over the
    bins, each by its share of the clips, of |mean score - share of positives| (Naeini et al.,
    "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015; Guo et al., arXiv
    1706.04599, equation 3). Here it is the binary form: score of the positive class, not confidence
    in the class that is predicted. Bin b holds the scores in (b / bins, (b + 1) / bins], the first
    one 0 too; empty bins add nothing.

    Args:
        scores: (clips, labels), in [0, 1].
        targets: (clips, labels). Clips without labels are negatives of every label.
        bins: at least 1. With 1, the error is |mean score - share of positives|.

    Raises:
        MetricInputError: a score out of [0, 1], saying where, or fewer than 1 bin.
    """
    if bins < 1:
        raise MetricInputError(f"a calibration error with {bins} bins: at least 1 is needed")
    if not are_probabilities(scores):
        outside = ~((scores >= 0) & (scores <= 1))
        clip, label = (int(i) for i in np.unravel_index(np.argmax(outside), scores.shape))
        raise MetricInputError(
            f"clip {clip} has score {scores[clip, label]} for label {label};"
            " a calibration error needs probabilities, 0 to 1",
            clip,
            label,
        )
    gaps = _gaps(scores, targets, bins)
    return CalibrationErrors(
        np.abs(gaps).sum(axis=1) / len(scores),
        float(np.abs(gaps.sum(axis=0)).sum() / scores.size),
    )


def _gaps(
    scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_], bins: int
) -> NDArray[np.float64]:
    """Return the sum of scores minus the number of positives (labels, bins).

    Divided by the bin's clips it is the difference of the means, which its share of clips multiplies
    again: no division by the size of a bin is needed.
    """
    labels = scores.shape[1]
    inner_edges = np.linspace(0, 1, bins + 1)[1:-1]
    first_bin = np.arange(labels) * bins
    gaps = np.zeros(labels * bins)
    for first in range(0, len(scores), _BLOCK):
        block = slice(first, first + _BLOCK)
        probabilities = scores[block].astype(np.float64)
        cells = np.searchsorted(inner_edges, probabilities) + first_bin
        surplus = probabilities - targets[block]
        gaps += np.bincount(cells.ravel(), weights=surplus.ravel(), minlength=len(gaps))
    return gaps.reshape(labels, bins)
