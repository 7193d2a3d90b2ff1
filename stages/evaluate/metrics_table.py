"""Everything measured as rows of metrics.parquet."""

from collections.abc import Iterator

from stages.evaluate.measure import Measures
from stages.evaluate.results import defined
from stages.evaluate.summary import Difference, EvaluateSummary, Interval, LabelResult

Row = tuple[str, int | None, int | None, float | None, float | None, float | None]
_COLUMNS = ("metric", "label_index", "coarse_level", "value", "ci_low", "ci_high")


def metrics_columns(summary: EvaluateSummary, measures: Measures) -> dict[str, list[object]]:
    """Columns of metrics.parquet: overall, by coarse level, by label, by level and label."""
    rows = [*_overall(summary), *_of_probabilities(summary), *_by_label(summary, measures)]
    if summary.difference is not None:
        rows.extend(_differences(summary.difference))
    return {
        name: list(column) for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True)
    }


def _row(
    metric: str,
    found: Interval | float | None,
    label_index: int | None = None,
    coarse_level: int | None = None,
) -> Row:
    if isinstance(found, Interval):
        return metric, label_index, coarse_level, found.value, found.low, found.high
    return metric, label_index, coarse_level, found, None, None


def _overall(summary: EvaluateSummary) -> Iterator[Row]:
    yield _row("mAP", summary.mAP_interval)
    yield _row("OmAP", summary.OmAP_interval)
    for level, found in enumerate(summary.OmAP_by_coarse_level_intervals):
        yield _row("OmAP", found, coarse_level=level)
    yield _row("AUC", summary.AUC)
    yield _row("d_prime", summary.d_prime)
    yield _row("chance_mAP", summary.chance_mAP)
    yield _row("micro_mAP", summary.micro_mAP)
    yield _row("lwlrap", summary.lwlrap)
    for top in summary.top_k or ():
        yield _row(f"top_{top.k}_accuracy", top.accuracy)
    yield _row("severity", summary.severity.mean_distance)
    yield _row("top1_severity", summary.severity.top1_mean_distance)
    yield _row("random_severity", summary.severity.random_mean_distance)


def _of_probabilities(summary: EvaluateSummary) -> Iterator[Row]:
    for at in summary.thresholds or ():
        for mean in ("macro", "micro"):
            for metric in ("precision", "recall", "F1"):
                name = f"{metric}_{mean}"
                yield _row(f"{name}@{at.threshold}", getattr(at, name))
    if summary.calibration is not None:
        yield _row("calibration_error", summary.calibration.macro)
        yield _row("calibration_error_pooled", summary.calibration.pooled)


def _by_label(summary: EvaluateSummary, measures: Measures) -> Iterator[Row]:
    at = f"@{summary.thresholds[0].threshold}" if summary.thresholds else None
    for label in summary.per_label:
        yield _row("AP", label.AP_interval, label.label_index)
        yield _row("OmAP", label.OmAP_interval, label.label_index)
        for name in ("AUC", "d_prime", "best_threshold", "best_F1"):
            yield _row(name, getattr(label, name), label.label_index)
        if at is not None:
            yield from _label_of_probabilities(label, at)
        by_level = measures.ontology_average_precision[:, label.label_index]
        for level, value in enumerate(by_level):
            yield _row("OmAP", defined(value), label.label_index, level)


def _label_of_probabilities(label: LabelResult, at: str) -> Iterator[Row]:
    for name in ("precision", "recall", "F1"):
        yield _row(f"{name}{at}", getattr(label, name), label.label_index)
    yield _row("calibration_error", label.calibration_error, label.label_index)


def _differences(difference: Difference) -> Iterator[Row]:
    """The other model is named in the lineage."""
    yield _row("mAP_difference", difference.mAP)
    yield _row("OmAP_difference", difference.OmAP)
    for level, found in enumerate(difference.OmAP_by_coarse_level):
        yield _row("OmAP_difference", found, coarse_level=level)
    yield _row("severity_difference", difference.severity)
    yield _row("top1_severity_difference", difference.top1_severity)
    for label in difference.per_label:
        yield _row("AP_difference", label.AP, label.label_index)
        yield _row("OmAP_difference", label.OmAP, label.label_index)
