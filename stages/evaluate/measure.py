"""Measure predictions: every number that `spa evaluate` reports, before it is put into words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ontology.distances import DistanceMatrix
from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.predictions import Predictions
from stages.metrics.average_precision import average_precision, chance_average_precision
from stages.metrics.bootstrap import bootstrap
from stages.metrics.inputs import MetricInputError
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import Rankings, rank
from stages.metrics.roc_auc import roc_auc
from stages.reporter import Reporter


@dataclass(frozen=True)
class Measures:
    """Measures of one model. NaN where a label has none.

    Attributes:
        rankings: what they were found from.
        average_precision: (labels,).
        chance: (labels,), the average precision of a random order.
        ontology_average_precision: (levels, labels).
        auc: (labels,).
    """

    rankings: Rankings
    average_precision: NDArray[np.float64]
    chance: NDArray[np.float64]
    ontology_average_precision: NDArray[np.float64]
    auc: NDArray[np.float64]

    @property
    def by_level(self) -> NDArray[np.float64]:
        """OmAP at each coarse level (levels,)."""
        return np.asarray(np.nanmean(self.ontology_average_precision, axis=1))

    def headline(self) -> NDArray[np.float64]:
        """MAP, then OmAP at each coarse level (1 + levels,), in the order of the replicates."""
        return np.concatenate([[np.nanmean(self.average_precision)], self.by_level])


def measure(predictions: Predictions, labels: Labels, distances: DistanceMatrix) -> Measures:
    """Measure predictions.

    Raises:
        ArtifactError: a score that is not finite, no clip with a label, or distances that no
            graph of labels has; naming the clip and the label.
    """
    try:
        rankings = rank(predictions.scores, predictions.targets, distances.values)
    except MetricInputError as error:
        named = []
        if error.clip is not None:
            named.append(f"clip_id {predictions.clip_ids[error.clip]!r}")
        if error.label is not None:
            named.append(f"label {labels.mids[error.label]!r}")
        where = f" ({', '.join(named)})" if named else ""
        raise ArtifactError(f"{predictions.source}: {error.message}{where}") from error
    return Measures(
        rankings,
        average_precision(rankings),
        chance_average_precision(rankings.positives(), rankings.clips),
        ontology_average_precision(rankings),
        roc_auc(rankings),
    )


def resample(
    models: list[Measures], resamples: int, seed: int, reporter: Reporter
) -> NDArray[np.float64]:
    """Replicates (models, resamples, 1 + levels) of each model's headline, on the same resamples."""
    with reporter.task("bootstrap", resamples) as task:
        rankings = [model.rankings for model in models]
        return bootstrap(rankings, resamples, seed, task.advance)
