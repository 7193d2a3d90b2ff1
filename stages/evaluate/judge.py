"""Measure all models on the same clips, and how far the measures would move with other clips."""

import numpy as np
from numpy.typing import NDArray

from stages.context import StageContext
from stages.evaluate.measure import measure
from stages.evaluate.results import Judged
from stages.evaluate.scores_file.predictions import Predictions
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.space import LabelSpace
from stages.metrics.bootstrap import bootstrap
from stages.metrics.calibration import are_probabilities
from stages.reporter import Reporter

_FEW = 50  # clips or groups, below which the intervals were measured to cover too little
_FEW_RESAMPLES = 100  # of which the 2.5th percentile is the second lowest


def judge(
    models: tuple[Predictions, ...],
    space: LabelSpace,
    settings: EvaluateSettings,
    context: StageContext,
) -> tuple[Judged, ...]:
    """Measure every model, and resample all of them together."""
    matched = not all(are_probabilities(model.scores) for model in models)
    measures = tuple(measure(model, space, settings, matched=matched) for model in models)
    if matched:
        context.reporter.warn(
            "scores outside of [0, 1] are no probabilities: no thresholds and no calibration for them;"
            " confident are the highest scores, as many as there are true tags"
            f" (here from {measures[0].threshold:.4g} on)"
        )
    if settings.top_k != type(settings).model_fields["top_k"].default and not measures[0].top_k:
        context.reporter.warn(
            "--top-k is for clips with one label each, and fewer than there are labels"
        )
    groups = _group_numbers(models[0])
    drawn = len(models[0].clip_ids) if groups is None else int(groups.max()) + 1
    resamples = _resamples(drawn, len(models[0].clip_ids), settings, context.reporter)
    with context.reporter.task("bootstrap", resamples) as task:
        replicates = bootstrap(
            [model.rankings for model in measures],
            resamples,
            settings.seed,
            groups=groups,
            ratios=[model.ratios for model in measures],
            advance=task.advance,
        )
    return tuple(Judged(*pair) for pair in zip(measures, replicates, strict=True))


def _group_numbers(predictions: Predictions) -> NDArray[np.int64] | None:
    """The groups as numbers, in the order of their first clips."""
    if predictions.groups is None:
        return None
    numbers = {name: index for index, name in enumerate(dict.fromkeys(predictions.groups))}
    return np.array([numbers[name] for name in predictions.groups], dtype=np.int64)


def _resamples(drawn: int, clips: int, settings: EvaluateSettings, reporter: Reporter) -> int:
    """How many resamples to draw of so many clips or groups."""
    if not settings.resamples:
        return 0
    by = f" by {settings.group_by}" if settings.group_by else ""
    if drawn == 1:
        what = f"one group{by}" if by else "one clip"
        reporter.warn(f"{what}: every resample would be the same, so there are no intervals")
        return 0
    if by and drawn == clips:
        reporter.warn(f"the groups{by} are single clips: they change nothing")
    if drawn < _FEW:
        what = f"groups{by}" if by else "clips"
        reporter.warn(f"only {drawn} {what}: the intervals are too narrow (docs/metrics.md)")
    if settings.resamples < _FEW_RESAMPLES:
        reporter.warn(f"{settings.resamples} resamples are too few for 95 % intervals: take 1000")
    return settings.resamples
