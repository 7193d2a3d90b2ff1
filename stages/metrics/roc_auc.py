"""Area under the ROC curve, and d-prime."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from stages.metrics.ranking import LabelRanking, Rankings


def roc_auc(rankings: Rankings) -> NDArray[np.float64]:
    """The chance that a positive scores above a negative (labels,), a tie counting one half.

    NaN for a label that has no positives, or no negatives. A clip without labels counts as a
    negative of every label.
    """
    return np.array([_label_auc(label, rankings.clips) for label in rankings.labels])


def _label_auc(label: LabelRanking, clips: int) -> float:
    positives = label.counts[0]
    total = int(positives.sum())
    if total in (0, clips):
        return float("nan")
    negatives_from_group_up = np.cumsum(label.counts[1:].sum(axis=0))
    below = clips - total - negatives_from_group_up
    # In halves, so that all is exact in whole numbers up to the one division.
    halves = int(positives @ (2 * below + label.tied))
    return halves / (2 * total * (clips - total))


def d_prime(auc: float) -> float:
    """d' = sqrt(2) * inverse normal distribution(AUC), without unit; infinite for an AUC of 1 or 0.

    How far apart two normal distributions of unit variance lie that have this AUC (Hershey et al.,
    arXiv 1609.09430). Over several labels it is taken of their mean AUC, as is the custom for
    AudioSet: a mean of d' would be infinite as soon as one label is perfect.
    """
    return float(np.sqrt(2.0) * ndtri(auc))
