"""From scores to tags: precision, recall and F1 at a threshold, and thresholds to choose."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.metrics.inputs import MetricInputError
from stages.metrics.ranking import Rankings


@dataclass(frozen=True)
class ThresholdAverages:
    """Precision, recall and F1 over all labels, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ThresholdCounts:
    """What a threshold makes of each label's clips.

    Attributes:
        true_positives: (labels,) int64, clips with the label that are tagged with it.
        false_positives: (labels,) int64, clips without it that are tagged with it.
        false_negatives: (labels,) int64, clips with it that are not tagged with it.
    """

    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    false_negatives: NDArray[np.int64]

    @property
    def positives(self) -> NDArray[np.int64]:
        """Clips with each label (labels,)."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of the tags that are true (labels,); 0 for a label that no clip is tagged with."""
        tags = self.true_positives + self.false_positives
        return np.asarray(self.true_positives / np.maximum(tags, 1), dtype=np.float64)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of the positives that are tagged (labels,); NaN for a label without positives."""
        return self.true_positives / np.where(self.positives > 0, self.positives, np.nan)

    @property
    def f1(self) -> NDArray[np.float64]:
        """2 tp / (2 tp + fp + fn) (labels,); NaN for a label without positives."""
        errors = self.false_positives + self.false_negatives
        total = np.where(self.positives > 0, 2 * self.true_positives + errors, np.nan)
        return 2 * self.true_positives / total

    def macro(self) -> ThresholdAverages:
        """Means over the labels with positives; NaN where no label has any.

        F1 is the mean of the labels' F1, not that of the two means.
        """
        present = self.positives > 0
        if not present.any():
            return ThresholdAverages(*[float("nan")] * 3)
        by_label = (self.precision, self.recall, self.f1)
        return ThresholdAverages(*[float(values[present].mean()) for values in by_label])

    def micro(self) -> ThresholdAverages:
        """All labels' tags counted together, false ones of labels without positives too.

        The precision is NaN where there is no tag, recall and F1 where there is no positive.
        """
        true, false = int(self.true_positives.sum()), int(self.false_positives.sum())
        missed = int(self.false_negatives.sum())
        return ThresholdAverages(
            true / (true + false) if true + false else float("nan"),
            true / (true + missed) if true + missed else float("nan"),
            2 * true / (2 * true + false + missed) if true + missed else float("nan"),
        )


@dataclass(frozen=True)
class BestThresholds:
    """The threshold of each label at which its F1 is highest; NaN for a label without positives.

    Chosen on the same clips that F1 is measured on, so F1 flatters.

    Attributes:
        threshold: (labels,) float64, a score of a positive; the highest where several do as well.
        f1: (labels,) float64, in (0, 1].
    """

    threshold: NDArray[np.float64]
    f1: NDArray[np.float64]


def tagged(scores: NDArray[np.floating[Any]], threshold: float) -> NDArray[np.bool_]:
    """Where a clip gets a label as a tag (clips, labels): its score is at least `threshold`.

    The threshold is first rounded to the scores' own type, so that a float32 score that was written
    as 0.7, a little less in float32 than in float64, meets a threshold of 0.7.

    Raises:
        MetricInputError: a threshold that is no finite number.
    """
    if not np.isfinite(threshold):
        raise MetricInputError(f"the threshold is {threshold}; a finite number is needed")
    with np.errstate(over="ignore"):  # beyond the type's range it is infinite, as it should be
        return np.asarray(scores >= np.float64(threshold).astype(scores.dtype))


def confusion_counts(
    scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_], threshold: float
) -> ThresholdCounts:
    """Count right and wrong tags at a threshold.

    Args:
        scores: (clips, labels), finite.
        targets: (clips, labels). A tag of a clip without labels is a false positive.
        threshold: score from which on a label is a tag, as in `tagged`.

    Raises:
        MetricInputError: a threshold that is no finite number.
    """
    tags = tagged(scores, threshold)
    true = np.count_nonzero(tags & targets, axis=0)
    return ThresholdCounts(
        true,
        np.count_nonzero(tags, axis=0) - true,
        np.count_nonzero(targets, axis=0) - true,
    )


def best_thresholds(
    rankings: Rankings, scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_]
) -> BestThresholds:
    """Find the threshold with the highest F1 for each label.

    It is the score of a positive: from there down to the next one, a lower threshold only adds false
    positives. The rankings have counted what lies between.

    Args:
        rankings: of these scores and targets.
        scores: (clips, labels), finite.
        targets: (clips, labels).
    """
    thresholds = np.full(len(rankings.labels), np.nan)
    f1 = np.full(len(rankings.labels), np.nan)
    for label, ranking in enumerate(rankings.labels):
        if not ranking.counts.size:
            continue
        positives = ranking.counts[0].sum()
        tags = np.cumsum(ranking.counts.sum(axis=0))
        by_group = 2 * np.cumsum(ranking.counts[0]) / (tags + positives)
        best = int(np.argmax(by_group))  # the first, so the highest score
        # The groups are the distinct scores of the positives, the highest first.
        distinct = np.unique(scores[targets[:, label], label])
        thresholds[label], f1[label] = distinct[-1 - best], by_group[best]
    return BestThresholds(thresholds, f1)


def matched_threshold(scores: NDArray[np.floating[Any]], targets: NDArray[np.bool_]) -> float:
    """The threshold that gives as many tags as there are true ones, for scores on any scale.

    Args:
        scores: (clips, labels), finite.
        targets: (clips, labels).

    Returns:
        The highest score that at least as many cells (clip, label) reach as there are true cells:
        the P-th highest of all, with P true ones. There are more tags than that only where cells tie
        with it. Recall and precision (micro) are then equal, but for ties.

    Raises:
        MetricInputError: no true cell.
    """
    true_cells = int(np.count_nonzero(targets))
    if not true_cells:
        raise MetricInputError(f"none of the {len(targets)} clips has a label: no threshold fits")
    place = scores.size - true_cells
    return float(np.partition(scores, place, axis=None)[place])
