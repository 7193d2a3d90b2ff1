"""OBCE, the ontology-aware binary cross-entropy (Liu et al., arXiv 2211.12195).

A false alarm costs as much as the ontology says it is far off: the cross-entropy of a label that a clip
does not have is weighed by how far the label is from those that it has.
"""

import torch
from torch import Tensor


def ontology_weights(targets: Tensor, distances: Tensor) -> Tensor:
    """Weights of the cross-entropy (batch, labels) float32, 1 on average.

    The distance of each label to the nearest *other* label of the clip, over the largest in that clip;
    1 for the clip's own labels; all over the mean of the batch. (The authors' code takes the largest
    over the clip's own labels too, of which each has its distance to the nearest other; so does this.)
    Under mixup the labels of a clip are those of both parts. A clip without labels weighs every label
    alike.

    Args:
        targets: (batch, labels) in [0, 1], not smoothed.
        distances: (labels, labels), edges of the ontology, whole numbers.
    """
    present = (targets > 0).float()
    others = 1 - torch.eye(len(distances), device=distances.device)
    # A label is as far from the nearest as there are distances within which it has none.
    nearest = torch.zeros_like(present)
    for edges in range(int(distances.max())):
        nearest += present @ ((distances <= edges) * others) == 0
    nearest *= present @ others > 0  # else there is no other label
    farthest = nearest.amax(dim=1, keepdim=True)
    weights = nearest / farthest.clamp(min=1)
    weights = torch.where((present > 0) | (farthest == 0), torch.ones_like(weights), weights)
    return weights / weights.mean()


def ontology_cross_entropy(cells: Tensor, targets: Tensor, distances: Tensor) -> Tensor:
    """OBCE: (mean of w * bce + mean of bce) / 2 over clips and labels, a scalar.

    Args:
        cells: (batch, labels), bce, of `cross_entropy_cells`.
        targets: (batch, labels) in [0, 1], not smoothed; between the two under mixup.
        distances: (labels, labels), edges of the ontology, on the same device.
    """
    weights = ontology_weights(targets, distances)
    return ((weights * cells).mean() + cells.mean()) / 2
