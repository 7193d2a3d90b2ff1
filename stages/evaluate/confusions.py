"""Which labels are taken for which, ranked by how far off and how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.metrics.thresholds import tagged


@dataclass(frozen=True)
class Scored:
    """A model's scores (clips, labels), finite; a tag is confident from `threshold` on."""

    scores: NDArray[Any]
    threshold: float


@dataclass(frozen=True)
class LabelConfusion:
    """A false tag that clips with a certain label get, with confidence.

    Of the `clips` clips with the label `true_label`, `count` have `false_label` as a confident false
    positive and `true_label` as the nearest of their labels, `distance` edges away. `other_count` is
    the same of the model compared with.
    """

    true_label: int
    false_label: int
    distance: int
    clips: int
    count: int
    other_count: int | None
    mean_score: float


@dataclass(frozen=True)
class FoundConfusion(LabelConfusion):
    """With a clip to show: `clip` is its row, `score` that of the false tag there."""

    clip: int
    score: float


def find_confusions(
    models: Sequence[Scored],
    targets: NDArray[np.bool_],
    nearest: NDArray[np.uint8],
    distances: NDArray[np.uint8],
    limit: int,
) -> list[FoundConfusion]:
    """The confusions of the first model that cost most, the worst first.

    A confident false positive of a clip with labels counts for the nearest of its labels (of labels
    as near, the first); a pair of labels costs how often that happened times their distance in
    edges. Its example is the clip with the highest false score that no worse pair has shown.

    Args:
        models: one model, or it and the one compared with.
        targets: (clips, labels).
        nearest: (clips, labels), from `stages.metrics.ranking.clip_categories`.
        distances: (labels, labels), in edges.
        limit: how many to find at most.
    """
    nearest_label = _nearest_labels(targets, nearest, distances)
    wrong = [_false_positives(model, nearest_label, targets) for model in models]
    counts = [_count_pairs(each, nearest_label) for each in wrong]
    positives = targets.sum(axis=0)
    shown: set[int] = set()
    found: list[FoundConfusion] = []
    for pair in _costliest(counts[0] * distances.astype(np.int64), limit):
        true_label, false_label = pair
        made = wrong[0][:, false_label] & (nearest_label[:, false_label] == true_label)
        clips = np.flatnonzero(made)
        scores = models[0].scores[clips, false_label].astype(np.float64)
        example = _example(clips, scores, shown)
        shown.add(int(clips[example]))
        confusion = FoundConfusion(
            true_label=true_label,
            false_label=false_label,
            distance=int(distances[pair]),
            clips=int(positives[true_label]),
            count=len(clips),
            other_count=int(counts[1][pair]) if len(counts) > 1 else None,
            mean_score=float(scores.mean()),
            clip=int(clips[example]),
            score=float(scores[example]),
        )
        found.append(confusion)
    return found


def _example(clips: NDArray[np.int64], scores: NDArray[np.float64], shown: set[int]) -> int:
    """Which of the clips to show: the highest score not yet shown, or the highest."""
    best_first = np.argsort(-scores, kind="stable")
    return int(next((i for i in best_first if int(clips[i]) not in shown), best_first[0]))


def _nearest_labels(
    targets: NDArray[np.bool_], nearest: NDArray[np.uint8], distances: NDArray[np.uint8]
) -> NDArray[np.int32]:
    """Which of a clip's labels is nearest to each label (clips, labels); -1 for clips without."""
    owner = np.full(targets.shape, -1, dtype=np.int32)
    for label in range(len(distances) - 1, -1, -1):  # backwards: of two as near, the first stays
        clips = np.flatnonzero(targets[:, label])
        owner[clips] = np.where(nearest[clips] == distances[label], label, owner[clips])
    return owner


def _false_positives(
    model: Scored, nearest_label: NDArray[np.int32], targets: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Confident tags that clips with labels do not have (clips, labels)."""
    return tagged(model.scores, model.threshold) & ~targets & (nearest_label >= 0)


def _count_pairs(wrong: NDArray[np.bool_], nearest_label: NDArray[np.int32]) -> NDArray[np.int64]:
    """How often each label (rows) got each false label (columns)."""
    labels = wrong.shape[1]
    pairs = nearest_label[wrong].astype(np.int64) * labels + np.nonzero(wrong)[1]
    return np.bincount(pairs, minlength=labels * labels).reshape(labels, labels)


def _costliest(costs: NDArray[np.int64], limit: int) -> list[tuple[int, int]]:
    """The pairs (row, column) of the highest costs above 0; of equal costs the first."""
    order = np.argsort(-costs, axis=None, kind="stable")[:limit]
    pairs = (divmod(int(pair), costs.shape[1]) for pair in order)
    return [pair for pair in pairs if costs[pair] > 0]
