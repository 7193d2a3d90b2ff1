"""Turn measures into the summary that a person or a program reads, and into metrics.parquet."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ontology.distances import DistanceMatrix
from stages.evaluate.labels import Labels
from stages.evaluate.measure import Measures
from stages.evaluate.settings import Difference, EvaluateSummary, Interval, LabelResult
from stages.metrics.bootstrap import interval
from stages.metrics.roc_auc import d_prime

Row = tuple[str, int | None, int | None, float | None, float | None, float | None]


def with_interval(value: float, replicates: NDArray[np.float64]) -> Interval:
    """A value with the interval of its replicates (resamples,)."""
    bounds = interval(value, replicates)
    low, high = bounds if bounds else (None, None)
    return Interval(value=value, low=low, high=high)


def difference(against: str, models: list[Measures], replicates: NDArray[np.float64]) -> Difference:
    """The first of two models minus the second; `replicates` is (2, resamples, 1 + levels)."""
    value = models[0].headline() - models[1].headline()
    spread = replicates[0] - replicates[1]
    return Difference(
        against=against,
        mAP=with_interval(float(value[0]), spread[:, 0]),
        OmAP=with_interval(float(value[1:].mean()), spread[:, 1:].mean(axis=1)),
    )


def summarise(  # noqa: PLR0913 - a summary gathers from everywhere
    name: str,
    split: str | None,
    labels: Labels,
    measures: Measures,
    replicates: NDArray[np.float64],
    distances: DistanceMatrix,
    against: Difference | None,
) -> EvaluateSummary:
    """Everything in one document; `replicates` is (resamples, 1 + levels)."""
    value = measures.headline()
    auc = _mean(measures.auc)
    return EvaluateSummary(
        name=name,
        split=split,
        clips=measures.rankings.clips,
        clips_without_labels=measures.rankings.clips_without_labels,
        labels=len(labels),
        labels_without_positives=int(np.isnan(measures.average_precision).sum()),
        mAP=float(value[0]),
        mAP_interval=with_interval(float(value[0]), replicates[:, 0]),
        OmAP=float(value[1:].mean()),
        OmAP_interval=with_interval(float(value[1:].mean()), replicates[:, 1:].mean(axis=1)),
        OmAP_by_coarse_level=tuple(float(level) for level in value[1:]),
        AUC=auc,
        d_prime=_finite_d_prime(auc),
        chance_mAP=float(np.nanmean(measures.chance)),
        OmAP_is_meaningless=distances.is_flat,
        disconnected_label_pairs=distances.disconnected_pairs,
        per_label=_label_results(labels, measures),
        difference=against,
    )


def _label_results(labels: Labels, measures: Measures) -> tuple[LabelResult, ...]:
    positives = measures.rankings.positives()
    omap = measures.ontology_average_precision.mean(axis=0)
    return tuple(
        LabelResult(
            label_index=index,
            mid=mid,
            label=name,
            positives=int(positives[index]),
            AP=_defined(measures.average_precision[index]),
            OmAP=_defined(omap[index]),
            AUC=_defined(measures.auc[index]),
            d_prime=_finite_d_prime(_defined(measures.auc[index])),
        )
        for index, (mid, name) in enumerate(zip(labels.mids, labels.display_names, strict=True))
    )


def metrics_columns(
    summary: EvaluateSummary, measures: Measures, replicates: NDArray[np.float64]
) -> dict[str, list[object]]:
    """Columns of metrics.parquet: overall, by coarse level, by label, by level and label."""
    rows = [*_overall(summary, replicates), *_by_label(summary, measures)]
    names = ("metric", "label_index", "coarse_level", "value", "ci_low", "ci_high")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _overall(summary: EvaluateSummary, replicates: NDArray[np.float64]) -> Iterator[Row]:
    for name, found in (("mAP", summary.mAP_interval), ("OmAP", summary.OmAP_interval)):
        yield name, None, None, found.value, found.low, found.high
    for level, value in enumerate(summary.OmAP_by_coarse_level):
        found = with_interval(value, replicates[:, 1 + level])
        yield "OmAP", None, level, found.value, found.low, found.high
    yield "AUC", None, None, summary.AUC, None, None
    yield "d_prime", None, None, summary.d_prime, None, None
    yield "chance_mAP", None, None, summary.chance_mAP, None, None


def _by_label(summary: EvaluateSummary, measures: Measures) -> Iterator[Row]:
    for label in summary.per_label:
        for name in ("AP", "OmAP", "AUC", "d_prime"):
            yield name, label.label_index, None, getattr(label, name), None, None
        by_level = measures.ontology_average_precision[:, label.label_index]
        for level, value in enumerate(by_level):
            yield "OmAP", label.label_index, level, _defined(value), None, None


def _mean(values: NDArray[np.float64]) -> float | None:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _finite_d_prime(auc: float | None) -> float | None:
    """d' of an AUC; None where it is infinite, which JSON cannot say."""
    if auc is None:
        return None
    found = d_prime(auc)
    return found if np.isfinite(found) else None
