"""Label-weighted label-ranking average precision, lwlrap."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.metrics.clip_ratio import ClipRatio

_BLOCK = 4096  # true labels whose clips' scores are copied at once


def label_weighted_label_ranking(
    scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_]
) -> ClipRatio:
    """Whether, within each clip, the true labels are ranked above the others: lwlrap.

    For a label c of a clip, the precision at c is the share of true labels among all labels that
    score at least as much as c in that clip. lwlrap is its mean over all true (clip, label) pairs,
    so that each label counts by how many positives it has (Fonseca et al., "Audio tagging with
    noisy labels and minimal supervision", DCASE 2019, arXiv 1906.02975). A label that ties
    with c counts as ranked above it, as in scikit-learn's `label_ranking_average_precision_score`,
    which gives the same with each clip's number of labels as `sample_weight`.

    Args:
        scores: (clips, labels), finite. Only their order within a clip matters.
        targets: (clips, labels).

    Returns:
        The ratio, in (0, 1]: the precisions summed over a clip's labels, and its number of labels. A
        clip with all labels has 1; one without labels has no say.
    """
    clips = len(scores)
    clip_of, label_of = np.nonzero(targets)
    precision = np.empty(len(clip_of))
    for first in range(0, len(clip_of), _BLOCK):
        block = slice(first, first + _BLOCK)
        clip, label = clip_of[block], label_of[block]
        above = scores[clip] >= scores[clip, label][:, None]
        ranked = np.count_nonzero(above, axis=1)
        precision[block] = np.count_nonzero(above & targets[clip], axis=1) / ranked
    by_clip = np.bincount(clip_of, weights=precision, minlength=clips).astype(np.float64)
    return ClipRatio(by_clip, np.count_nonzero(targets, axis=1).astype(np.float64))
