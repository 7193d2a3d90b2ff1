"""How much alignment counts beside classification."""

from torch import Tensor


def combined_loss(
    classification: Tensor, alignment: Tensor, targets: Tensor, alignment_weight: float
) -> Tensor:
    """Return classification + alignment_weight * density * alignment, a scalar.

    The cross-entropy is a mean over a table of (batch, labels) cells, in which only the cells of labels
    that a clip has speak of what the clip is. Their share, the density, is what the cosine loss is
    multiplied with: the cosine distance is then charged once for every such cell, on the same table.
    So a weight means the same for 10 labels and for 527, where the raw cosine loss would weigh fifty
    times as much against the cross-entropy.

    Args:
        classification: scalar.
        alignment: scalar, in units of a cosine.
        targets: (batch, labels) in [0, 1], not smoothed; density is their mean.
        alignment_weight: at least 0; at 0 the result is `classification` itself.
    """
    if alignment_weight == 0:
        return classification
    return classification + alignment_weight * targets.mean() * alignment
