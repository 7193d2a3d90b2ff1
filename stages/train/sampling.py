"""Which clips an epoch is made of, and in which order."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.errors import SpaError

_CHUNK_CELLS = 1 << 22  # of the targets, looked at at once

Targets = NDArray[np.floating[Any]] | NDArray[np.bool_]


def epoch_order(
    targets: Targets,
    sampling: Literal["shuffled", "balanced"],
    clips_per_epoch: int | None,
    seed: int,
    epoch: int,
) -> NDArray[np.int64]:
    """The clips of one epoch: indices (clips_per_epoch,) int64. Seed and epoch alone decide.

    shuffled: the epochs follow each other along passes over the clips, each pass in an order of its
    own. With fewer clips an epoch than there are, they go through all of them before one comes again;
    with more, an epoch holds whole passes and a part of the next.

    balanced: drawn with replacement, each clip with the share that `balanced_shares` gives it.

    Args:
        targets: (clips, labels), not 0 where the clip has the label; at least one clip.
        sampling: how.
        clips_per_epoch: at least 1; None: as many as there are.
        seed: not negative.
        epoch: number of the epoch, from 1.

    Raises:
        SpaError: balanced, and no clip has a label.
    """
    size = clips_per_epoch or len(targets)
    if sampling == "shuffled":
        return _stretch_of_passes(len(targets), (epoch - 1) * size, size, seed)
    return _drawn(balanced_shares(targets), size, np.random.default_rng([seed, epoch]))


def balanced_shares(targets: Targets) -> NDArray[np.float64]:
    """The probability (clips,) of each clip in a draw that evens out the labels.

    It is proportional to the sum of 1 / count(label) over the clip's labels, where count is the number
    of clips with the label: PSLA's balanced sampling (Gong, Chung and Glass 2021, arXiv 2102.01243).
    Each label adds the same to the total, so that none is drawn less often than 1 in as many draws
    as there are labels with clips; one that comes along with others is drawn more often. A clip without a
    label is never drawn.

    Args:
        targets: as for `epoch_order`. It takes one look at each, and memory for the labels that clips
            have, not for all cells.

    Raises:
        SpaError: no clip has a label.
    """
    clip_of, label_of = _pairs(targets)
    if not len(clip_of):
        raise SpaError(
            f"none of the {len(targets)} training clips has a label: there is nothing to balance",
            "train with --sampling shuffled",
        )
    counts = np.bincount(label_of, minlength=targets.shape[1])
    weights = np.bincount(clip_of, weights=1 / counts[label_of], minlength=len(targets))
    shares: NDArray[np.float64] = weights / np.count_nonzero(counts)
    return shares


def _stretch_of_passes(clips: int, start: int, size: int, seed: int) -> NDArray[np.int64]:
    """`size` clips from position `start` of the passes, laid end to end."""
    parts = []
    for number in range(start // clips, (start + size - 1) // clips + 1):
        order = np.random.default_rng([seed, number + 1]).permutation(clips)
        first = number * clips
        parts.append(order[max(start - first, 0) : start + size - first])
    return np.concatenate(parts)


def _drawn(
    shares: NDArray[np.float64], size: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw `size` clips with replacement, by their shares (clips,)."""
    ends = np.cumsum(shares)  # one after the other: to the bit the same on every machine
    # Below the last end, whatever the product is rounded to.
    draws = generator.random(size) * np.nextafter(ends[-1], 0)
    draws.sort()  # looking up neighbours one after the other is several times as fast
    return generator.permutation(np.searchsorted(ends, draws, side="right"))


def _pairs(targets: Targets) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Clip and label of each target that is not 0, each (pairs,), in the order of the clips."""
    labels = targets.shape[1]
    rows = max(_CHUNK_CELLS // max(labels, 1), 1)
    clip_of, label_of = [], []
    for start in range(0, len(targets), rows):
        cells = np.flatnonzero(targets[start : start + rows] != 0)
        clip_of.append((start + cells // labels).astype(np.int32))
        label_of.append((cells % labels).astype(np.int32))
    return np.concatenate(clip_of), np.concatenate(label_of)
