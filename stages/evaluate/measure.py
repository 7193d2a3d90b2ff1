"""Measure predictions: every number that `spa evaluate` reports, before it is put into words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.errors import ArtifactError
from stages.evaluate.scores_file.predictions import Predictions
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.space import LabelSpace
from stages.metrics.average_precision import average_precision, chance_average_precision
from stages.metrics.calibration import CalibrationErrors, are_probabilities, calibration_error
from stages.metrics.clip_ratio import ClipRatio
from stages.metrics.inputs import LARGEST_DISTANCE, MetricInputError
from stages.metrics.label_ranking import label_weighted_label_ranking
from stages.metrics.micro_average_precision import micro_average_precision
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import Rankings, clip_categories, rank
from stages.metrics.roc_auc import roc_auc
from stages.metrics.severity import confident_false_positives, severity, top_one_distance
from stages.metrics.thresholds import (
    BestThresholds,
    ThresholdCounts,
    best_thresholds,
    confusion_counts,
    matched_threshold,
)
from stages.metrics.top_k import is_single_label, top_k_accuracy


@dataclass(frozen=True)
class OfProbabilities:
    """What only scores that are probabilities have: counts at each threshold, and calibration."""

    at_thresholds: tuple[ThresholdCounts, ...]
    calibration: CalibrationErrors


@dataclass(frozen=True)
class Measures:
    """Measures of one model. NaN where a label has none.

    Attributes:
        predictions: what was measured.
        nearest: (clips, labels) uint8, edges from each label to the nearest one that the clip has;
            one more than the largest distance for a clip without labels.
        rankings: the clips by score.
        average_precision: (labels,).
        chance: (labels,), the average precision of a random order.
        micro_average_precision: of all scores in one order.
        ontology_average_precision: (levels, labels).
        auc: (labels,).
        best: the threshold of the highest F1 of each label.
        threshold: the score from which on a false positive is confident.
        matched: whether that is the one that as many tags reach as are true.
        false_positives: (levels,) int64, confident false positives by distance.
        lwlrap, severity, top1: sums over clips.
        top_k: accuracy by k, where every clip has one label.
        of_probabilities: None where the scores are none.
    """

    predictions: Predictions
    nearest: NDArray[np.uint8]
    rankings: Rankings
    average_precision: NDArray[np.float64]
    chance: NDArray[np.float64]
    micro_average_precision: float
    ontology_average_precision: NDArray[np.float64]
    auc: NDArray[np.float64]
    best: BestThresholds
    threshold: float
    matched: bool
    false_positives: NDArray[np.int64]
    lwlrap: ClipRatio
    severity: ClipRatio
    top1: ClipRatio
    top_k: dict[int, ClipRatio]
    of_probabilities: OfProbabilities | None

    @property
    def mean_average_precision(self) -> float:
        """MAP."""
        return float(np.nanmean(self.average_precision))

    @property
    def by_level(self) -> NDArray[np.float64]:
        """OmAP at each coarse level (levels,)."""
        return np.asarray(np.nanmean(self.ontology_average_precision, axis=1))

    @property
    def ratios(self) -> tuple[ClipRatio, ...]:
        """The sums over clips, in the order of the replicates: lwlrap, severity, top1, top_k."""
        return (self.lwlrap, self.severity, self.top1, *self.top_k.values())


def measure(
    predictions: Predictions, space: LabelSpace, settings: EvaluateSettings, *, matched: bool
) -> Measures:
    """Measure predictions.

    With `matched`, as many tags count as confident as are true: else those from the first threshold
    on, which only probabilities have in common.

    Raises:
        ArtifactError: a score that is not finite, no clip with a label, or distances that no
            graph of labels has; naming the clip and the label.
    """
    scores, targets = predictions.scores, predictions.targets
    rankings = _rank(predictions, space)
    nearest = clip_categories(targets, rankings.distances)
    levels = int(rankings.distances.max()) + 1
    probabilities = are_probabilities(scores)
    threshold = matched_threshold(scores, targets) if matched else settings.threshold[0]
    return Measures(
        predictions=predictions,
        nearest=nearest,
        rankings=rankings,
        average_precision=average_precision(rankings),
        chance=chance_average_precision(rankings.positives(), rankings.clips),
        micro_average_precision=micro_average_precision(scores, targets),
        ontology_average_precision=ontology_average_precision(rankings),
        auc=roc_auc(rankings),
        best=best_thresholds(rankings, scores, targets),
        threshold=threshold,
        matched=matched,
        false_positives=confident_false_positives(scores, nearest, threshold, levels),
        lwlrap=label_weighted_label_ranking(scores, targets),
        severity=severity(scores, nearest, threshold),
        top1=top_one_distance(scores, nearest),
        top_k=_top_k(predictions, settings.top_k),
        of_probabilities=_of_probabilities(predictions, settings) if probabilities else None,
    )


def _rank(predictions: Predictions, space: LabelSpace) -> Rankings:
    distances, mids = space.distances.values, space.labels.mids
    if distances.max(initial=0) > LARGEST_DISTANCE:
        one, other = np.unravel_index(np.argmax(distances), distances.shape)
        raise ArtifactError(
            f"the labels {mids[one]!r} and {mids[other]!r} are {distances.max()} edges apart in the"
            f" ontology; at most {LARGEST_DISTANCE} can be measured",
            "give an ontology in which they are nearer",
        )
    try:
        return rank(predictions.scores, predictions.targets, distances)
    except MetricInputError as error:
        named = []
        if error.clip is not None:
            named.append(f"clip_id {predictions.clip_ids[error.clip]!r}")
        if error.label is not None:
            named.append(f"label {mids[error.label]!r}")
        where = f" ({', '.join(named)})" if named else ""
        raise ArtifactError(f"{predictions.source}: {error.message}{where}") from error


def _top_k(predictions: Predictions, top_k: tuple[int, ...]) -> dict[int, ClipRatio]:
    """Nothing unless every clip has one label; a k of all labels or more would say nothing."""
    scores, targets = predictions.scores, predictions.targets
    if not is_single_label(targets):
        return {}
    chosen = (k for k in sorted(set(top_k)) if k < scores.shape[1])
    return {k: top_k_accuracy(scores, targets, k) for k in chosen}


def _of_probabilities(predictions: Predictions, settings: EvaluateSettings) -> OfProbabilities:
    scores, targets = predictions.scores, predictions.targets
    counts = tuple(confusion_counts(scores, targets, value) for value in settings.threshold)
    return OfProbabilities(counts, calibration_error(scores, targets))
