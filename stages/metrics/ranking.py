"""Order each label's clips by score, once, for all measures that follow.

Every measure here asks one question: at the score of a positive clip, which clips score at least
as much? Positive or negative is not all that matters: OmAP weighs a negative clip by its least
distance, a small whole number. So each clip has, for each label, a category:

    0       the clip has the label (its least distance is 0)
    1 .. M  it has not; the nearest label that it has is so many edges away; M is the largest distance
    M + 1   it has no label at all

and the measures need no more than how many clips of each category lie between the scores of
consecutive positives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.metrics.inputs import check_distances, check_scores, check_targets

_BLOCK = 64  # labels copied at once, so that a label's scores lie side by side


@dataclass(frozen=True)
class LabelRanking:
    """One label's clips, cut at the distinct scores of its positives.

    A group is one such score and all clips from there up to the next one above; group 0 is the
    highest. A clip that scores below every positive belongs to no group and changes no measure.

    Attributes:
        counts: (categories, groups) int64, clips of each category in each group.
        tied: (groups,) int64, negatives whose score is exactly the group's.
        cells: (clips,) int32, where in `counts` each clip is, as category * groups + group; a clip
            of no group has the number of cells.
    """

    counts: NDArray[np.int64]
    tied: NDArray[np.int64]
    cells: NDArray[np.int32]


@dataclass(frozen=True)
class Rankings:
    """All labels' rankings of the same clips.

    Attributes:
        labels: one ranking a label.
        clips: how many clips there are.
        clips_without_labels: how many of them have no label.
        distances: (labels, labels) uint8, edges between labels.
    """

    labels: tuple[LabelRanking, ...]
    clips: int
    clips_without_labels: int
    distances: NDArray[np.uint8]

    def positives(self) -> NDArray[np.int64]:
        """How many clips have each label (labels,)."""
        return np.array([label.counts[0].sum() for label in self.labels], dtype=np.int64)


def rank(
    scores: NDArray[Any], targets: NDArray[Any], distances: NDArray[Any] | None = None
) -> Rankings:
    """Rank the clips for every label.

    Args:
        scores: (clips, labels), any finite floating-point numbers; only their order within a label
            matters.
        targets: (clips, labels), 0 or 1.
        distances: (labels, labels), edges between labels in the ontology; without it all labels
            are 1 apart, which is enough for every measure but OmAP.

    Raises:
        MetricInputError: shapes that do not fit, values that are not finite, targets other than 0
            and 1, no positive at all, distances that are not those of a graph.
    """
    check_scores(scores)
    hot = check_targets(targets, scores.shape)
    labels = scores.shape[1]
    if distances is None:
        distances = 1 - np.eye(labels, dtype=np.uint8)
    edges = check_distances(distances, labels)
    nearest = clip_categories(hot, edges)
    categories = int(edges.max()) + 2
    ranked: list[LabelRanking] = []
    for first in range(0, labels, _BLOCK):
        block = slice(first, first + _BLOCK)
        by_label = zip(
            np.ascontiguousarray(scores[:, block].T),
            np.ascontiguousarray(nearest[:, block].T),
            strict=True,
        )
        ranked.extend(_rank_label(*label, categories) for label in by_label)
    labelled = int(np.count_nonzero(hot.any(axis=1)))
    return Rankings(tuple(ranked), len(hot), len(hot) - labelled, edges)


def clip_categories(targets: NDArray[np.bool_], distances: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The category of each clip for each label (clips, labels).

    It is the least distance from the label to the clip's labels, or the largest distance plus 1 for
    a clip without labels.
    """
    nearest = np.full(targets.shape, int(distances.max()) + 1, dtype=np.uint8)
    for label, from_label in enumerate(distances):
        clips = np.flatnonzero(targets[:, label])
        nearest[clips] = np.minimum(nearest[clips], from_label)
    return nearest


def _rank_label(scores: NDArray[Any], nearest: NDArray[np.uint8], categories: int) -> LabelRanking:
    """Rank clips by scores (clips,), with their category `nearest` (clips,) for the label."""
    order = ascending(scores)
    rising, category = scores[order], nearest[order]
    # All clips that tie with a positive are in its group, in whatever order they were sorted.
    group_scores, positives = np.unique(rising[category == 0], return_counts=True)
    starts = np.searchsorted(rising, group_scores, side="left")
    ends = np.searchsorted(rising, group_scores, side="right")
    groups = len(starts)
    lowest = int(starts[0]) if groups else len(order)
    ranked = category[lowest:].astype(np.int32)
    ranked *= np.int32(groups)
    group = np.arange(groups - 1, -1, -1, dtype=np.int32)
    ranked += np.repeat(group, np.diff(starts, append=len(order)))
    counts = np.bincount(ranked, minlength=categories * groups)
    cells = np.full(len(order), categories * groups, dtype=np.int32)
    cells[order[lowest:]] = ranked
    tied = (ends - starts - positives)[::-1]
    return LabelRanking(counts.reshape(categories, groups), tied, cells)


def ascending(scores: NDArray[Any]) -> NDArray[np.int64]:
    """The clips (clips,) by rising score.

    A float32 and the clip's number fit into one 64 bit number; sorting those numbers takes half the
    time of numpy.argsort.
    """
    if scores.dtype != np.float32:
        return np.argsort(scores)
    bits = scores.view(np.int32)
    # As whole numbers, negative floats are ordered backwards: turn all their bits but the sign.
    rising = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    packed = rising.astype(np.int64)
    packed <<= 32
    packed |= np.arange(len(scores))
    packed.sort()
    packed &= 0xFFFFFFFF
    return packed
