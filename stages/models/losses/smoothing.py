"""Targets that also speak of the labels near to a clip's own.

Label smoothing (Szegedy et al., CVPR 2016, arXiv 1512.00567, section 7) with the mass where the labels'
texts or the ontology say, not everywhere alike.
"""

import torch
from torch import Tensor

# Largest intermediate table, in numbers: 16 MB of float32.
_BLOCK_NUMBERS = 4_000_000


def text_closeness(texts: Tensor) -> Tensor:
    """How near labels are by their texts: max(0, cos(t_p, t_c)), (labels, labels) in [0, 1]; 0 to itself.

    Args:
        texts: (labels, dimensions), unit length, centred: else every label is near to every other.
    """
    return _to_others((texts @ texts.T).clamp(0, 1))


def ontology_closeness(distances: Tensor) -> Tensor:
    """How near labels are in the ontology: 2 ** (1 - D), (labels, labels) float32 in [0, 1]; 0 to itself.

    1 for parent and child, half as much for two children of one parent, halved again by each edge more.

    Args:
        distances: (labels, labels), edges of the ontology; at least 1 between two labels.
    """
    return _to_others(torch.exp2(1 - distances.float()).clamp(max=1))


def smoothed(targets: Tensor, closeness: Tensor, share: float) -> Tensor:
    """Raise the targets of labels near to a clip's own: (batch, labels) in [0, 1].

        y'_c = max(y_c, max over p of y_p * share * k(p, c))

    A label is as near to a clip as it is to the nearest of the clip's labels. A clip without labels is
    near to nothing. Under mixup a part that is half there raises its neighbours half as much.

    Args:
        targets: (batch, labels) in [0, 1], any floating dtype; that of the result.
        closeness: k, (labels, labels) in [0, 1], on the same device.
        share: target of a label as near as can be, in [0, 1].
    """
    raised = targets
    closeness = closeness.to(targets.dtype)
    block = max(1, _BLOCK_NUMBERS // max(targets.numel(), 1))
    # All pairs of labels for all clips at once would be 140 MB for 527 labels and 128 clips.
    for own in range(0, targets.shape[1], block):
        part = slice(own, own + block)
        near = (targets[:, part, None] * closeness[part]).amax(dim=1)
        raised = torch.maximum(raised, share * near)
    return raised


def _to_others(closeness: Tensor) -> Tensor:
    own = torch.eye(len(closeness), dtype=torch.bool, device=closeness.device)
    return closeness.masked_fill(own, 0.0)
