"""Put one model's measures, with their intervals, into the summary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.evaluate.measure import Measures
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.space import LabelSpace
from stages.evaluate.summary import (
    Calibration,
    Coverage,
    EvaluateSummary,
    Interval,
    LabelResult,
    Severity,
    ThresholdResult,
    TopK,
)
from stages.metrics.bootstrap import Replicates, interval, intervals
from stages.metrics.clip_ratio import ClipRatio
from stages.metrics.roc_auc import d_prime
from stages.metrics.severity import random_distances, random_mean_distance

# Where the replicates of each of `Measures.ratios` are.
LWLRAP, SEVERITY, TOP1, TOP_K = 0, 1, 2, 3


@dataclass(frozen=True)
class Judged:
    """One model's measures with their replicates."""

    measures: Measures
    replicates: Replicates


def summarise(
    name: str,
    judged: Judged,
    space: LabelSpace,
    settings: EvaluateSettings,
    coverage: Coverage | None,
) -> EvaluateSummary:
    """Everything about one model in one document, but how it differs from another."""
    measures, replicates = judged.measures, judged.replicates
    found = with_interval(measures.mean_average_precision, replicates.mean_average_precision)
    by_level = level_intervals(judged)
    omap = with_interval(
        float(measures.by_level.mean()), replicates.ontology_mean_average_precision
    )
    auc = _mean(measures.auc)
    groups = measures.predictions.groups
    return EvaluateSummary(
        name=name,
        source=None if settings.judges_a_run else str(settings.scores or settings.model),
        split=settings.split if settings.scores is None else None,
        clips=measures.rankings.clips,
        clips_without_labels=measures.rankings.clips_without_labels,
        labels=len(space.labels),
        labels_without_positives=int(np.isnan(measures.average_precision).sum()),
        labels_unknown=measures.predictions.unknown,
        coverage=coverage,
        group_by=settings.group_by,
        groups=len(set(groups)) if groups is not None else None,
        mAP=found.value,
        mAP_interval=found,
        micro_mAP=measures.micro_average_precision,
        OmAP=omap.value,
        OmAP_interval=omap,
        OmAP_is_meaningless=space.distances.is_flat,
        OmAP_by_coarse_level=tuple(level.value for level in by_level),
        OmAP_by_coarse_level_intervals=by_level,
        AUC=auc,
        d_prime=_finite_d_prime(auc),
        lwlrap=_of_ratio(judged, LWLRAP),
        chance_mAP=float(np.nanmean(measures.chance)),
        scores_are_probabilities=measures.of_probabilities is not None,
        thresholds=_thresholds(measures, settings),
        top_k=tuple(
            TopK(k=k, accuracy=_of_ratio(judged, TOP_K + at)) for at, k in enumerate(measures.top_k)
        )
        or None,
        calibration=_calibration(measures),
        severity=_severity(judged),
        disconnected_label_pairs=space.distances.disconnected_pairs,
        per_label=_label_results(judged, space),
        difference=None,
        report=f"runs/{settings.name}/report.html",
    )


def with_interval(
    value: float, replicates: NDArray[np.float64], lowest: float = 0.0, highest: float = 1.0
) -> Interval:
    """A value with the interval of its replicates (resamples,), within its range."""
    bounds = interval(value, replicates, lowest, highest)
    low, high = bounds if bounds else (None, None)
    return Interval(value=value, low=low, high=high)


def each_with_interval(
    values: NDArray[np.float64],
    replicates: NDArray[np.float64],
    lowest: float = 0.0,
    highest: float = 1.0,
) -> list[Interval | None]:
    """Each of values (n,) with the interval of its replicates (resamples, n); None for NaN."""
    bounds = intervals(values, replicates, lowest, highest)
    return [
        None
        if np.isnan(value)
        else Interval(value=float(value), low=defined(low), high=defined(high))
        for value, (low, high) in zip(values, bounds, strict=True)
    ]


def level_intervals(judged: Judged) -> tuple[Interval, ...]:
    """OmAP at each coarse level."""
    found = each_with_interval(judged.measures.by_level, judged.replicates.by_level)
    return tuple(level for level in found if level is not None)


def defined(value: float) -> float | None:
    """The value; None for NaN."""
    return None if np.isnan(value) else float(value)


def _of_ratio(judged: Judged, at: int, highest: float = 1.0) -> Interval:
    ratio = judged.measures.ratios[at]
    return with_interval(_value(ratio), judged.replicates.ratios[:, at], 0.0, highest)


def _value(ratio: ClipRatio) -> float:
    value = ratio.value
    return float("nan") if value is None else value


def _severity(judged: Judged) -> Severity:
    measures = judged.measures
    farthest = float(len(measures.false_positives) - 1)
    mistakes = int(measures.false_positives.sum())
    random = random_distances(measures.nearest, len(measures.false_positives))
    return Severity(
        threshold=measures.threshold,
        matched=measures.matched,
        false_positives=mistakes,
        mean_distance=_of_ratio(judged, SEVERITY, farthest) if mistakes else None,
        top1_mean_distance=_of_ratio(judged, TOP1, farthest),
        random_mean_distance=random_mean_distance(random),
    )


def _thresholds(
    measures: Measures, settings: EvaluateSettings
) -> tuple[ThresholdResult, ...] | None:
    if measures.of_probabilities is None:
        return None
    counted = zip(settings.threshold, measures.of_probabilities.at_thresholds, strict=True)
    return tuple(
        ThresholdResult(
            threshold=threshold,
            precision_macro=counts.macro().precision,
            recall_macro=counts.macro().recall,
            F1_macro=counts.macro().f1,
            precision_micro=defined(counts.micro().precision),
            recall_micro=counts.micro().recall,
            F1_micro=counts.micro().f1,
        )
        for threshold, counts in counted
    )


def _calibration(measures: Measures) -> Calibration | None:
    if measures.of_probabilities is None:
        return None
    errors = measures.of_probabilities.calibration
    positive = ~np.isnan(measures.average_precision)
    return Calibration(macro=float(errors.by_label[positive].mean()), pooled=errors.pooled)


def _label_results(judged: Judged, space: LabelSpace) -> tuple[LabelResult, ...]:
    measures, replicates = judged.measures, judged.replicates
    ap = each_with_interval(measures.average_precision, replicates.average_precision)
    omap = each_with_interval(
        measures.ontology_average_precision.mean(axis=0), replicates.ontology_average_precision
    )
    positives = measures.rankings.positives()
    return tuple(
        LabelResult(
            label_index=index,
            mid=mid,
            label=name,
            positives=int(positives[index]),
            clips_train=space.clips_train[index] if space.clips_train else None,
            AP=_bare(ap[index]),
            AP_interval=ap[index],
            OmAP=_bare(omap[index]),
            OmAP_interval=omap[index],
            AUC=defined(measures.auc[index]),
            d_prime=_finite_d_prime(defined(measures.auc[index])),
            best_threshold=defined(measures.best.threshold[index]),
            best_F1=defined(measures.best.f1[index]),
            **_label_of_probabilities(measures, index),
        )
        for index, (mid, name) in enumerate(
            zip(space.labels.mids, space.labels.display_names, strict=True)
        )
    )


def _label_of_probabilities(measures: Measures, index: int) -> dict[str, float | None]:
    if measures.of_probabilities is None:
        return {"precision": None, "recall": None, "F1": None, "calibration_error": None}
    counts = measures.of_probabilities.at_thresholds[0]
    return {
        "precision": defined(counts.precision[index]),
        "recall": defined(counts.recall[index]),
        "F1": defined(counts.f1[index]),
        "calibration_error": defined(measures.of_probabilities.calibration.by_label[index]),
    }


def _bare(found: Interval | None) -> float | None:
    return None if found is None else found.value


def _mean(values: NDArray[np.float64]) -> float | None:
    defined_values = values[~np.isnan(values)]
    return float(defined_values.mean()) if len(defined_values) else None


def _finite_d_prime(auc: float | None) -> float | None:
    """d' of an AUC; None where it is infinite, which JSON cannot say."""
    if auc is None:
        return None
    found = d_prime(auc)
    return found if np.isfinite(found) else None
