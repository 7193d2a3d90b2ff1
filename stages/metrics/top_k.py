"""Top-k accuracy, for data sets whose clips have one label each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.metrics.clip_ratio import ClipRatio
from stages.metrics.inputs import MetricInputError


def is_single_label(targets: NDArray[np.bool_]) -> bool:
    """Whether every clip of targets (clips, labels) has exactly one label."""
    return bool((np.count_nonzero(targets, axis=1) == 1).all())


def top_k_accuracy(
    scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_], k: int
) -> ClipRatio:
    """How often the label of a clip is among its `k` highest scores.

    Where labels tie with the true one, a clip counts the chance that a random order of the tied
    brings the true one to the first `k` places. So a constant score reaches k / labels, and the
    order of the labels does not matter; with scikit-learn's `top_k_accuracy_score` it does.

    Args:
        scores: (clips, labels), finite. Only their order within a clip matters.
        targets: (clips, labels), one label a clip.
        k: 1 .. labels; with as many as there are labels, every clip counts 1.

    Returns:
        The ratio, in [0, 1]: each clip's chance, over 1.

    Raises:
        MetricInputError: `k` out of range, or a clip with no label or several.
    """
    clips, labels = scores.shape
    if not 1 <= k <= labels:
        raise MetricInputError(f"top-{k} accuracy of {labels} labels: k must be 1 to {labels}")
    lengths = np.count_nonzero(targets, axis=1)
    if (lengths != 1).any():
        clip = int(np.argmax(lengths != 1))
        raise MetricInputError(
            f"clip {clip} has {lengths[clip]} labels; top-k accuracy needs exactly one a clip", clip
        )
    true_scores = scores[targets][:, None]
    above = np.count_nonzero(scores > true_scores, axis=1)
    tied = np.count_nonzero(scores == true_scores, axis=1)  # the true label among them
    return ClipRatio(np.clip((k - above) / tied, 0, 1), np.ones(clips))
