"""Check what the measures are given, and say exactly what is wrong with it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import SpaError

# A least distance and one code more (a clip without labels) fit into a byte.
LARGEST_DISTANCE = 254


class MetricInputError(SpaError):
    """Scores, targets or distances that no measure is defined for.

    `clip` and `label` are the position of the first wrong value, where it has one, so that a caller
    who knows the names can say them.
    """

    def __init__(self, message: str, clip: int | None = None, label: int | None = None) -> None:
        super().__init__(message)
        self.clip = clip
        self.label = label


def multi_hot(
    lengths: NDArray[np.integer[Any]], indices: NDArray[np.integer[Any]], labels: int
) -> NDArray[np.bool_]:
    """Targets (clips, labels) from each clip's number of labels (clips,) and all label indices.

    Raises:
        MetricInputError: an index outside 0 .. labels - 1, or twice in one clip.
    """
    clip_of = np.repeat(np.arange(len(lengths)), lengths)
    outside = np.flatnonzero((indices < 0) | (indices >= labels))
    if len(outside):
        clip, index = int(clip_of[outside[0]]), int(indices[outside[0]])
        raise MetricInputError(
            f"clip {clip} has target {index}; with {labels} labels, 0 to {labels - 1} are possible",
            clip,
        )
    cells = clip_of * labels + indices.astype(np.int64)
    targets = np.zeros((len(lengths), labels), dtype=np.bool_)
    targets.reshape(-1)[cells] = True
    if np.count_nonzero(targets) < len(cells):
        values, counts = np.unique(cells, return_counts=True)
        clip, label = divmod(int(values[counts > 1][0]), labels)
        raise MetricInputError(f"clip {clip} has target {label} twice", clip, label)
    return targets


def check_scores(scores: NDArray[np.floating[Any]]) -> None:
    """Check scores (clips, labels): floating point, finite, at least one clip and one label.

    Raises:
        MetricInputError: saying what was found, and where.
    """
    if scores.ndim != 2 or 0 in scores.shape:
        raise MetricInputError(f"scores have shape {scores.shape}; (clips, labels) is needed")
    if not np.issubdtype(scores.dtype, np.floating):
        raise MetricInputError(f"scores are {scores.dtype}; floating point is needed")
    finite = np.isfinite(scores)
    if not finite.all():
        clip, label = (int(i) for i in np.unravel_index(np.argmin(finite), scores.shape))
        raise MetricInputError(
            f"clip {clip} has score {scores[clip, label]} for label {label}", clip, label
        )


def check_targets(targets: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Targets as booleans, having checked that they have the scores' shape and are 0 or 1.

    Raises:
        MetricInputError: another shape, another value, or no clip with any label.
    """
    if targets.shape != shape:
        raise MetricInputError(f"targets have shape {targets.shape}, the scores {shape}")
    binary = targets if targets.dtype == np.bool_ else targets == 1
    other = (targets != 0) & ~binary
    if other.any():
        clip, label = (int(i) for i in np.unravel_index(np.argmax(other), shape))
        raise MetricInputError(
            f"clip {clip} has target {targets[clip, label]} for label {label}; 0 or 1 is needed",
            clip,
            label,
        )
    if not binary.any():
        raise MetricInputError(f"none of the {shape[0]} clips has a label: nothing can be measured")
    return np.asarray(binary, dtype=np.bool_)


def check_distances(distances: NDArray[Any], labels: int) -> NDArray[np.uint8]:
    """Distances as bytes, having checked that they are those of a graph.

    `distances` is (labels, labels) in edges: symmetric whole numbers, 0 on the diagonal and 1 to
    254 elsewhere.

    Raises:
        MetricInputError: saying what was found, and between which labels.
    """
    if distances.shape != (labels, labels):
        raise MetricInputError(f"distances have shape {distances.shape} for {labels} labels")
    off_diagonal = ~np.eye(labels, dtype=np.bool_)
    rules = (
        (distances != distances.T, "distances must be symmetric"),  # also catches NaN
        ((distances != 0) & ~off_diagonal, "the diagonal must be 0"),
        ((distances < 1) & off_diagonal, "different labels must be at least 1 apart"),
        (distances > LARGEST_DISTANCE, f"at most {LARGEST_DISTANCE} is supported"),
        (distances != np.floor(distances), "it must be a whole number of edges"),
    )
    for broken, rule in rules:
        if broken.any():
            i, j = (int(k) for k in np.unravel_index(np.argmax(broken), broken.shape))
            raise MetricInputError(f"labels {i} and {j} have distance {distances[i, j]}: {rule}")
    return distances.astype(np.uint8)
